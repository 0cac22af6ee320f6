"""Every way Fin.com says no: several body shapes, each where its page shows it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from runner.sandbox.base import Answer, answer

# A status by itself. 401, 404 and 500 are the provider's words, the others are ours. (README.md)
GENERAL: dict[int, dict[str, Any]] = {
    401: {"message": "Authentication failed"},
    404: {"message": "Resource not found"},
    405: {"message": "Method not allowed"},
    413: {"message": "Request body too large"},
    415: {"message": "Unsupported media type"},
    429: {"message": "Too many requests"},
}
MALFORMED = "Malformed request body"
FAILED = "Validation failed"


class ApiError(Exception):
    """A refusal on its way to the caller; raised before anything was applied."""

    def __init__(self, status: int, body: Mapping[str, Any], errors: Mapping[str, Sequence[str]] | None = None) -> None:
        super().__init__(status)
        self.status, self.body, self.errors = status, body, errors


def refused(status: int, message: str) -> ApiError:
    return ApiError(status, {"message": message})


def invalid(errors: Mapping[str, Sequence[str]]) -> ApiError:
    """422 about fields, by their dotted path. (docs: /guides/customers/onboarding-individuals)"""
    return ApiError(422, {"message": FAILED}, errors)


def malformed() -> ApiError:
    return ApiError(400, {"status": 400, "message": MALFORMED})


def unfit(errors: Mapping[str, Sequence[str]]) -> ApiError:
    """400 of an answer to a request for information. (docs: customers/update-customer)"""
    return ApiError(400, {"status": 400, "message": FAILED, "data": {path: texts[0] for path, texts in errors.items()}})


def refused_beneficiary(errors: Mapping[str, Sequence[str]]) -> ApiError:
    """400 of a new beneficiary. (docs: beneficiaries/create-beneficiary-v3)"""
    listed = [{path: text} for path, texts in errors.items() for text in texts]
    return ApiError(400, {"message": "Validation failed!", "errors": listed})


def coded(status: int, code: str, message: str) -> ApiError:
    """403 and 409 of the V2 attach."""
    return ApiError(status, {"error": {"code": code, "message": message}})


def told(refusal: ApiError, as_list: bool) -> Answer:
    """The guide has an object of lists under `errors`, the reference a list of objects with one key."""
    body = dict(refusal.body)
    if refusal.errors is not None:
        body["errors"] = (
            [{path: text} for path, texts in refusal.errors.items() for text in texts]
            if as_list
            else {path: list(texts) for path, texts in refusal.errors.items()}
        )
    return answer(refusal.status, body)


def general(status: int) -> Answer:
    tired = {"status": status, "message": "Internal server error"}
    return answer(status, GENERAL.get(status, tired))
