"""An amount with its asset. Never a float, never two assets in one sum."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Context, Decimal, Inexact

# A sum that would have to be rounded is an error, never a rounded sum.
EXACT = Context(prec=60, traps=[Inexact])


@dataclass(frozen=True, slots=True)
class Money:
    """`amount` in whole units of `asset` (dollars, not cents)."""

    amount: Decimal
    asset: str

    def __post_init__(self) -> None:
        if not isinstance(self.amount, Decimal):
            raise TypeError(f"an amount is a Decimal, not {type(self.amount).__name__}")
        if not self.amount.is_finite():
            raise ValueError("an amount is a finite number")

    def __add__(self, other: Money) -> Money:
        return Money(EXACT.add(self.amount, self._same(other).amount), self.asset)

    def __sub__(self, other: Money) -> Money:
        return Money(EXACT.subtract(self.amount, self._same(other).amount), self.asset)

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same(other).amount

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same(other).amount

    def __str__(self) -> str:
        return f"{self.amount:f} {self.asset}"

    def _same(self, other: Money) -> Money:
        if other.asset != self.asset:
            raise ValueError(f"{self.asset} and {other.asset} do not mix")
        return other
