"""Every operation with its path and the access level its key needs."""

from __future__ import annotations

from runner.sandbox.base import Route

_PEOPLE = "/management/clients/individuals"
_CLIENT = f"{_PEOPLE}/{{clientId}}/products"
_REQUEST = f"{_CLIENT}/{{productRequestId}}"
_COMPANY = "/management/companies/webhook"
_CONTRACT = "/management/contracted-product"
_CARDS = "/cards/individual-cards"
_CARD = f"{_CARDS}/{{cardId}}"

# Level, operation, method, path. (docs: the page of each endpoint)
_TABLE = (
    (1, "cards.balance", "GET", f"{_CARD}/balance"),
    (2, "cards.balance_add", "POST", f"{_CARD}/virtual-balance/add"),
    (2, "cards.balance_set", "PATCH", f"{_CARD}/virtual-balance"),
    (2, "cards.balance_subtract", "POST", f"{_CARD}/virtual-balance/subtract"),
    (2, "cards.create", "POST", f"{_CARDS}/create"),
    (1, "cards.get", "GET", _CARD),
    (1, "cards.search", "GET", f"{_CARDS}/list/search"),
    (1, "cards.top_up_addresses", "GET", f"{_CARD}/top-up"),
    (1, "clients.create", "POST", _PEOPLE),
    (3, "clients.create_legacy", "POST", "/management/clients"),
    (3, "clients.delete", "DELETE", f"{_PEOPLE}/{{id}}"),
    (1, "clients.get", "GET", f"{_PEOPLE}/{{id}}"),
    (1, "clients.list", "GET", _PEOPLE),
    (1, "clients.list_legacy", "GET", "/management/clients"),
    (3, "clients.update", "PUT", f"{_PEOPLE}/{{id}}"),
    (1, "contracts.get", "GET", _CONTRACT),
    (1, "contracts.used", "GET", f"{_CONTRACT}/used"),
    (1, "countries.list", "GET", f"{_PEOPLE}/countries"),
    (1, "identifications.list", "GET", f"{_PEOPLE}/identifications/{{countryCode}}"),
    (3, "products.document", "POST", f"{_REQUEST}/documentation"),
    (1, "products.list", "GET", _CLIENT),
    (3, "products.request", "POST", _CLIENT),
    (3, "products.submit", "POST", f"{_REQUEST}/submit"),
    (3, "webhooks.key", "POST", f"{_COMPANY}/key"),
    (3, "webhooks.subscribe", "POST", f"{_COMPANY}/subscribe"),
)
ROUTES = tuple(Route(operation, method, path) for _, operation, method, path in _TABLE)
LEVELS = {operation: level for level, operation, _, _ in _TABLE}
