"""Every operation with its method and path. Versions run side by side: V1 catalogue, V2 customers, V3 beneficiaries."""

from __future__ import annotations

from runner.sandbox.base import Route

_TRANSFER = "/v1/transactions/transfer-payout"

# (docs: the page of each endpoint)
ROUTES = (
    Route("balances.list", "GET", "/v1/wallet/balances"),
    Route("beneficiaries.activate", "PATCH", "/v1/beneficiaries"),
    Route("beneficiaries.branches", "GET", "/v1/beneficiaries/methods/{method_id}/branches"),
    Route("beneficiaries.countries", "GET", "/v1/beneficiaries/countries"),
    Route("beneficiaries.create", "POST", "/v3/beneficiaries"),
    Route("beneficiaries.get", "GET", "/v2/beneficiaries/details"),
    Route("beneficiaries.list", "GET", "/v1/customers/{customer_id}/beneficiaries"),
    Route("beneficiaries.methods", "GET", "/v1/beneficiaries/methods"),
    Route("catalogue.countries", "GET", "/v1/countries"),
    Route("catalogue.occupations", "GET", "/v1/occupations"),
    Route("catalogue.purposes", "GET", "/v1/purposes"),
    Route("catalogue.source_of_funds", "GET", "/v1/source-of-funds"),
    Route("catalogue.subdivisions", "GET", "/v1/countries/{country_code}/subdivisions"),
    Route("catalogue.transaction_purposes", "GET", "/v1/transaction-purposes"),
    Route("customers.capabilities", "GET", "/v2/customers/{customer_id}/capabilities"),
    Route("customers.create", "POST", "/v2/customers/individual"),
    Route("customers.create_v1", "POST", "/v1/customers/individual"),
    Route("customers.get", "GET", "/v2/customers/{customer_id}"),
    Route("customers.get_v1", "GET", "/v1/customers/{customer_id}"),
    Route("customers.list", "GET", "/v2/customers"),
    Route("customers.update", "PATCH", "/v1/customers/{customer_id}"),
    Route("documents.attach", "POST", "/v2/customers/{customer_id}/individual/attach"),
    Route("documents.attach_v1", "POST", "/v1/customers/individual/attach"),
    Route("documents.upload", "POST", "/v1/customers/upload"),
    Route("token.issue", "POST", "/v1/oauth/token"),
    Route("token.refresh", "POST", "/v1/oauth/refresh-token"),
    Route("transactions.by_beneficiary", "GET", "/v1/beneficiaries/{beneficiary_id}/transactions"),
    Route("transactions.get", "GET", "/v2/transactions/{transaction_id}"),
    Route("transactions.list", "GET", "/v2/transactions"),
    Route("transfers.create", "POST", _TRANSFER),
    Route("transfers.settle", "POST", f"{_TRANSFER}/settle"),
)
