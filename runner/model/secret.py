"""Values that must never be seen: they print as `***` and are opened in one place."""

from __future__ import annotations

from dataclasses import dataclass


class Secret:
    """A credential's value. `str`, `repr` and f-strings give `***`; only `reveal()` gives the text."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        return self._value

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Secret) and other._value == self._value

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> tuple[object, ...]:
        raise TypeError("a secret does not leave the process; send its SecretRef")


@dataclass(frozen=True, slots=True)
class SecretRef:
    """Where a secret is found: the variable that holds it, or the variable that names a file holding it."""

    name: str
    env: str
    file_env: str = ""
    secret: bool = True
    optional: bool = False
