"""How a customer is shown. (docs: customers/get-customer-details, -v2, list-customers-v2, get-customer-capabilities)"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from runner.sandbox.clock import iso
from runner.sandbox.fin import requests
from runner.sandbox.fin.records import Customer

UNDER_REVIEW = {"for_customer": "Your account is under review", "for_developer": "Customer is under review"}
# Currency, rails in, and where money can be sent with which rails; the selection is chosen.
ON_RAMP = (("USD", "ACH"), ("USD", "FEDWIRE"), ("EUR", "SEPA"), ("MXN", "SPEI"))
OFF_RAMP = (("AUS", "AUD"), ("BGD", "BDT"), ("CAN", "CAD"), ("GBR", "GBP"))


def shown(customer: Customer) -> dict[str, Any]:
    """The V2 read; neither read gives back addresses, tax numbers, documents or `meta_data`."""
    return {**_common(customer), "rejection_reason": customer.rejection}


def shown_v1(customer: Customer) -> dict[str, Any]:
    """The V1 read: capabilities, and a reason only when the customer was rejected."""
    rejection = customer.rejection if customer.status == "REJECTED" else None
    return {**_common(customer), "rejection_reason": rejection, "capabilities": _capabilities_v1(customer)}


def row(customer: Customer) -> dict[str, Any]:
    """One line of the list."""
    left_out = ("verification_type", "last_status_updated_at", "request_for_information")
    return {name: value for name, value in _common(customer).items() if name not in left_out}


def capabilities(customer: Customer) -> dict[str, Any]:
    status = "ACTIVE" if customer.status == "APPROVED" else "INACTIVE"  # the words are chosen
    return {
        "on_ramp": [{"currency": currency, "rail": rail, "status": status} for currency, rail in ON_RAMP],
        "off_ramp": [
            {
                "corridor": country,
                "currency_wise_rail": [{"currency": currency, "rails": [{"rail": "LOCAL", "status": status}]}],
            }
            for country, currency in OFF_RAMP
        ],
    }


def rejection(comment: str, labels: Sequence[str], documents: Iterable[tuple[str, Sequence[str]]]) -> dict[str, Any]:
    return {
        "applicant": {"moderation_comment": comment, "reject_labels": list(labels)},
        "documents": [
            {
                "uri": uri,
                "category": "PROOF_OF_IDENTITY",
                "moderation_comment": comment,
                "reject_labels": list(blamed),
            }
            for uri, blamed in documents
        ],
    }


def _common(customer: Customer) -> dict[str, Any]:
    names = ("first_name", "last_name", "email", "phone", "country_of_residence")
    return {
        "customer_id": customer.id,
        "type": "INDIVIDUAL",
        **{name: customer.data[name] for name in names},
        "verification_type": customer.verification_type,
        "customer_status": customer.status,
        "tos_policies_url": customer.terms_url,
        "created_at": iso(customer.created),
        "updated_at": iso(customer.updated),
        "last_status_updated_at": iso(customer.moved),
        "request_for_information": requests.shown(customer.request),
    }


def _capabilities_v1(customer: Customer) -> dict[str, Any]:
    ready = customer.status == "APPROVED"
    reason = None if ready else UNDER_REVIEW

    def one(currency: str, method: str) -> dict[str, Any]:
        return {"currency": currency, "status": ready, "methods": [method], "reason": reason}

    return {
        "on_ramp": [one("USD", "ACH")],
        "off_ramp": [one(currency, "BANK") for _, currency in OFF_RAMP],
    }
