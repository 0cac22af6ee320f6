"""Every way this provider says no. (docs: /integration/errors, /integration/rate-limiting)"""

from __future__ import annotations

from runner.sandbox.base import Answer, answer

# What a status means when the server itself refuses; the texts of 401 and 429 are the provider's, the rest is ours.
GENERAL: dict[int, tuple[str, str]] = {
    401: ("AUTH", "Invalid API key"),
    404: ("NOT_FOUND", "Not found"),
    405: ("API_ERROR", "Method not allowed"),
    413: ("BAD_REQUEST", "Request body too large"),
}
TIRED = ("SERVER_ERROR", "Internal server error")


class ApiError(Exception):
    """A refusal on its way to the caller; raised before anything was applied."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code, self.message = status, code, message


def bad(message: str) -> ApiError:
    """400 about the form of a request."""
    return ApiError(400, "BAD_REQUEST", message)


def rule(status: int, message: str) -> ApiError:
    """A business rule: the same code with 400, 409 and 412."""
    return ApiError(status, "VAL", message)


def absent(message: str) -> ApiError:
    return ApiError(404, "NOT_FOUND", message)


def told(status: int, code: str, message: str, trace: str) -> Answer:
    return answer(status, {"code": code, "message": message, "trace_id": trace}, ("X-Trace-Id", trace))


def general(status: int, trace: str, retry_after: int) -> Answer:
    """A status by itself. Only 429 spells its code `error_code`, and it has no trace id in the body."""
    if status == 429:
        message = f"Rate limit exceeded. Retry after {retry_after} seconds"
        return answer(429, {"error_code": "TOO_MANY_REQUESTS", "message": message}, ("X-Trace-Id", trace))
    return told(status, *GENERAL.get(status, TIRED), trace)
