"""What is measured in turn: something that carries out so many payments, and what it used."""

from __future__ import annotations

from typing import Protocol

from msgspec import Struct


class MissingError(Exception):
    """A peer isn't installed here; the text says how to get it."""


class Run(Struct):
    """One run: payments a second, and microseconds of CPU for each by kind of process."""

    rate: float
    cpu_us: dict[str, float]


class Contender(Protocol):
    """One way to carry out payments, ready to be asked again and again."""

    @property
    def name(self) -> str:
        """What it is called in the table."""

    @property
    def conditions(self) -> str:
        """What one payment is here, and what is promised when it is answered."""

    def run(self, count: int, /) -> Run:
        """Carry out about so many payments as fast as it can."""
