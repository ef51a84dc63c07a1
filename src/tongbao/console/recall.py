"""What the pages ask of an index of history; `tongbao.index` offers it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol


class Movement(Protocol):
    """One movement of value. `id` is the transaction's, empty for a block's due work.

    `index` is the transaction's place in its block, `place` the movement's in its receipt.
    """

    @property
    def height(self) -> int:
        """The block."""

    @property
    def index(self) -> int:
        """The transaction's place in the block."""

    @property
    def place(self) -> int:
        """The movement's place in the transaction's receipt."""

    @property
    def time(self) -> int:
        """The block's time, ms UTC."""

    @property
    def id(self) -> str:
        """The transaction's id, or nothing."""

    @property
    def asset(self) -> str:
        """What moved."""

    @property
    def amount(self) -> object:
        """How much; its text is decimal."""

    @property
    def payer(self) -> str | None:
        """From whom; nobody where it was issued."""

    @property
    def payee(self) -> str | None:
        """To whom; nobody where it was redeemed."""

    @property
    def reference(self) -> str | None:
        """The business reference that was signed."""


class Recall(Protocol):
    """History by account, fed after commit: it may lag behind the chain."""

    @property
    def height(self) -> int:
        """The last block that it knows."""

    def movements_of(self, account: str, *, before: str | None, limit: int) -> Sequence[Movement]:
        """An account's movements before a cursor, the newest first. Raises ValueError."""


def cursor_of(movement: Movement) -> str:
    """Where the page after this movement begins."""
    return f"{movement.height}.{movement.index}.{movement.place}"
