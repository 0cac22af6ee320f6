"""Take a multipart/form-data body apart, in the order its parts were sent."""

from __future__ import annotations

from dataclasses import dataclass

from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header


class NotMultipartError(ValueError):
    """The content type says something else."""


class IncompleteError(ValueError):
    """It calls itself multipart/form-data and is not, or not whole; the message says what is wrong."""


@dataclass(frozen=True, slots=True)
class Part:
    """One part; only a file has a file name."""

    name: str
    file_name: str | None
    content: bytes


class _Reader:
    """Collects what the parser calls back with."""

    def __init__(self) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._begin()

    def _begin(self) -> None:
        self._content = bytearray()
        self._header = self._value = b""
        self._disposition = b""

    def _field(self, data: bytes, start: int, end: int) -> None:
        self._header += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _header_end(self) -> None:
        if self._header.lower() == b"content-disposition":
            self._disposition = self._value
        self._header = self._value = b""

    def _data(self, data: bytes, start: int, end: int) -> None:
        self._content += data[start:end]

    def _end(self) -> None:
        kind, options = parse_options_header(self._disposition)
        if kind != b"form-data" or b"name" not in options:
            raise FormParserError("a part without a name")
        name, file_name = options[b"name"].decode("utf-8", "replace"), options.get(b"filename")
        self.parts.append(Part(name, file_name.decode("utf-8", "replace") if file_name else None, bytes(self._content)))

    def _all(self) -> None:
        self.ended = True

    def read(self, boundary: bytes, body: bytes) -> list[Part]:
        parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_part_data": self._data,
                "on_part_end": self._end,
                "on_end": self._all,
            },
        )
        parser.write(body)
        parser.finalize()
        if not self.ended:
            raise FormParserError("the closing boundary is missing")
        return self.parts


def parts(content_type: str, body: bytes) -> list[Part]:
    """The parts as they were sent; one name may come twice. Raises NotMultipartError or IncompleteError."""
    kind, options = parse_options_header(content_type)
    if kind != b"multipart/form-data":
        raise NotMultipartError(content_type)
    boundary = options.get(b"boundary")
    if not boundary:
        raise IncompleteError("The content type names no boundary.")
    try:
        return _Reader().read(boundary, body)
    except FormParserError:
        raise IncompleteError("Must be a complete multipart/form-data body.") from None
