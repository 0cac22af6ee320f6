"""Encrypt what the journal must keep of people: AES-256-GCM with a key of the user's, a fresh nonce for each text."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Protocol

from runner.model.problem import JournalError, Problem

KEY_VARIABLE = "ONBOARD_STATE_KEY"
KEY_FILE_VARIABLE = "ONBOARD_STATE_KEY_FILE"
_MARK = "enc:1:"
_NONCE = 12


class Cipher(Protocol):
    def seal(self, text: str) -> str: ...

    def open(self, text: str) -> str:
        """Raises JournalError when the text was sealed with another key."""
        ...


class Plain:
    """No key was given: texts stay as they are, readable only by the folder's owner."""

    def seal(self, text: str) -> str:
        return text

    def open(self, text: str) -> str:
        if text.startswith(_MARK):
            hint = f"set {KEY_VARIABLE} or {KEY_FILE_VARIABLE} to the key it was written with"
            raise JournalError(Problem("journal.sealed", "the journal is encrypted and no key is given", hint=hint))
        return text


class Sealed:
    """Texts are sealed with the user's key; what was written before there was a key stays readable."""

    def __init__(self, key: bytes) -> None:
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self._aes = AESGCM(key)

    def seal(self, text: str) -> str:
        nonce = os.urandom(_NONCE)
        return _MARK + base64.b64encode(nonce + self._aes.encrypt(nonce, text.encode(), None)).decode()

    def open(self, text: str) -> str:
        if not text.startswith(_MARK):
            return text
        from cryptography.exceptions import InvalidTag

        raw = base64.b64decode(text.removeprefix(_MARK))
        try:
            return self._aes.decrypt(raw[:_NONCE], raw[_NONCE:], None).decode()
        except InvalidTag:
            hint = f"give the key it was written with in {KEY_VARIABLE} or {KEY_FILE_VARIABLE}"
            problem = Problem("journal.sealed", "the journal is encrypted with another key", hint=hint)
            raise JournalError(problem) from None


def cipher_of(environ: Mapping[str, str]) -> Cipher:
    """From ONBOARD_STATE_KEY (32 bytes, base64) or the file that ONBOARD_STATE_KEY_FILE names. Raises JournalError."""
    text = environ.get(KEY_VARIABLE, "").strip()
    if not text and (path := environ.get(KEY_FILE_VARIABLE, "")):
        try:
            text = Path(path).read_text("ascii").strip()
        except (OSError, UnicodeDecodeError):
            raise _wrong(f"the file that {KEY_FILE_VARIABLE} names can't be read") from None
    if not text:
        return Plain()
    try:
        key = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if len(key) != 32:
        raise _wrong("the state key is not 32 bytes in base64")
    return Sealed(key)


def _wrong(message: str) -> JournalError:
    return JournalError(Problem("journal.key", message, hint='make one with "openssl rand -base64 32"'))
