"""The parts of a multipart/form-data body by name, or the error a CoinMENA caller gets."""

from __future__ import annotations

from runner.sandbox import multipart
from runner.sandbox.coinmena.errors import ApiError, invalid
from runner.sandbox.multipart import Part

__all__ = ["Part", "parts"]


def parts(content_type: str, body: bytes) -> dict[str, Part]:
    """Name → part; a name that comes twice is not a body that CoinMENA takes."""
    try:
        found = multipart.parts(content_type, body)
    except multipart.NotMultipartError:
        raise ApiError(415) from None
    except multipart.IncompleteError as problem:
        raise invalid("body", str(problem)) from None
    named = {part.name: part for part in found}
    if len(named) < len(found):
        raise invalid("body", "Must be a complete multipart/form-data body.")
    return named
