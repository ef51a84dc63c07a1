"""Amounts: decimal text at the edge, whole units inside, no rounding anywhere."""

from __future__ import annotations

import re
from typing import Final

UNITS_LIMIT: Final = 2**63 - 1
DECIMALS_LIMIT: Final = 18
_match: Final = re.compile(r"(0|[1-9][0-9]{0,18})(?:[.]([0-9]{1,18}))?").fullmatch


class Amount:
    """A number of an asset's smallest units, with the decimals that it was written with.

    `Amount("12.50")` has `units` 1250 and `decimals` 2. It compares with and adds to plain integers
    by its units; whether the decimals are those of an asset is for the module that owns assets.
    Immutable by convention and by mypy. Raises ValueError for any other text.
    """

    __slots__ = ("_text", "decimals", "units")
    units: Final[int]
    decimals: Final[int]

    def __init__(self, text: str) -> None:
        """Read `text`: digits without leading zeros, then optionally a point and 1 to 18 digits."""
        matched = _match(text) if isinstance(text, str) else None
        if matched is None:
            raise ValueError('an amount is a decimal string such as "12.50"')
        whole, fraction = matched.groups("")
        units = int(whole + fraction)
        if units > UNITS_LIMIT:
            raise ValueError("an amount has at most 2^63 - 1 units")
        self.units = units
        self.decimals = len(fraction)
        self._text = text

    @classmethod
    def of(cls, units: int, decimals: int) -> Amount:
        """The amount of `units` smallest units, written with `decimals` decimals."""
        assert 0 <= units <= UNITS_LIMIT
        assert 0 <= decimals <= DECIMALS_LIMIT
        amount = _new(cls)
        _set_units(amount, units)
        _set_decimals(amount, decimals)
        amount._text = ""
        return amount

    def __str__(self) -> str:
        """The one spelling: exactly `decimals` digits after the point."""
        if self._text:
            return self._text
        decimals = self.decimals
        if not decimals:
            return str(self.units)
        digits = str(self.units)
        if len(digits) <= decimals:
            digits = digits.rjust(decimals + 1, "0")
        return f"{digits[:-decimals]}.{digits[-decimals:]}"

    def __repr__(self) -> str:
        """As source: `Amount('12.50')`."""
        return f"Amount({str(self)!r})"

    def __int__(self) -> int:
        """The units."""
        return self.units

    def __bool__(self) -> bool:
        """Whether there is at least one unit."""
        return self.units != 0

    def __hash__(self) -> int:
        """Of the units, as equality with integers asks."""
        return hash(self.units)

    def __eq__(self, other: object) -> bool:
        """Equal units and decimals; with an integer, equal units."""
        if isinstance(other, Amount):
            return self.units == other.units and self.decimals == other.decimals
        return isinstance(other, int) and self.units == other

    def __lt__(self, other: Amount | int) -> bool:
        """Fewer units."""
        return self.units < int(other)

    def __le__(self, other: Amount | int) -> bool:
        """Not more units."""
        return self.units <= int(other)

    def __gt__(self, other: Amount | int) -> bool:
        """More units."""
        return self.units > int(other)

    def __ge__(self, other: Amount | int) -> bool:
        """Not fewer units."""
        return self.units >= int(other)

    def __add__(self, other: Amount | int) -> int:
        """The sum in units: a plain integer, since a sum has no form of its own."""
        return self.units + int(other)

    __radd__ = __add__

    def __sub__(self, other: Amount | int) -> int:
        """The difference in units, a plain integer."""
        return self.units - int(other)

    def __rsub__(self, other: int) -> int:
        """The difference in units, a plain integer."""
        return other - self.units


def text_of(units: int, decimals: int) -> str:
    """A number of smallest units as an amount is written; below zero it has a sign, and is none."""
    digits = f"{abs(units):0{decimals + 1}}"
    sign = "-" if units < 0 else ""
    whole, fraction = digits[: len(digits) - decimals], digits[len(digits) - decimals :]
    return f"{sign}{whole}.{fraction}" if decimals else f"{sign}{whole}"


# `of` runs several times a payment: the slots are set through their descriptors, which is the
# quickest way that mypy's Final permits from outside `__init__`.
_new = Amount.__new__
_set_units = Amount.__dict__["units"].__set__
_set_decimals = Amount.__dict__["decimals"].__set__
