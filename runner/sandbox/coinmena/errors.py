"""Every error this provider can say, and the one table of their HTTP statuses."""

from __future__ import annotations

from typing import Any

from runner.sandbox.base import Answer, answer

# Documented: 2020 = 409, validation = 422, unauthorized = 401, unknown order = 404, and the text of 2008.
# All other statuses and texts are our choice (README.md).
ERRORS: dict[int, tuple[int, str]] = {
    400: (400, "Bad request"),
    401: (401, "Unauthorized"),
    404: (404, "Not found"),
    405: (405, "Method not allowed"),
    413: (413, "Request body too large"),
    415: (415, "Unsupported media type"),
    422: (422, "Validation error"),
    429: (429, "Too many requests"),
    500: (500, "Internal server error"),
    2008: (404, "Invalid client ID"),
    2009: (400, "Client not yet verified"),
    2010: (400, "Client is deactivated"),
    2012: (400, "Invalid asset"),
    2016: (409, "Duplicate government ID number"),
    2020: (409, "Duplicate partner_order_ref"),
    2021: (400, "Client is under the legal age"),
    2022: (400, "Invalid residency country"),
    2023: (400, "Invalid citizenship country"),
    2024: (400, "Invalid place of birth country"),
    2025: (400, "Residency visa number and expiry are required"),
    2026: (409, "Duplicate partner_client_id"),
    2027: (409, "Duplicate email"),
    2028: (409, "Duplicate phone"),
    3005: (400, "Insufficient funds"),
    4008: (400, "Quote token is expired or already used"),
}


class ApiError(Exception):
    """A refusal on its way to the caller; raised before anything was applied."""

    def __init__(self, code: int, detail: Any = None) -> None:
        super().__init__(code)
        self.code, self.detail = code, detail


def told(code: int, detail: Any = None) -> Answer:
    """The standard error body: code, msg, msg_detail."""
    status, message = ERRORS.get(code) or (code, "Internal server error")
    return answer(status, {"code": code, "msg": message, "msg_detail": detail})


def invalid(field: str, reason: str) -> ApiError:
    """422 about one field."""
    return ApiError(422, {field: [reason]})
