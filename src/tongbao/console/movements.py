"""What pages ask of an index of history, as `tongbao.index` offers it, and what they show of it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol

from msgspec import Struct

from tongbao.console.asking import Asked, not_understood
from tongbao.index import Statement, Transactions
from tongbao.index.database import FAILURES
from tongbao.index.statement import Held

MOVEMENTS: Final = 25


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


class MovementPage(Protocol):
    """Some movements, the newest first, of an index that knows the blocks up to `height`."""

    @property
    def height(self) -> int:
        """The last block that the index knows, -1 before the first."""

    @property
    def movements(self) -> Sequence[Movement]:
        """The movements; there may be none on a page that has a next one."""

    @property
    def before(self) -> str | None:
        """Where the next page begins, if there is one."""

    @property
    def from_block(self) -> int:
        """The first block that the index was made to know: those before had been pruned."""


class MovementIndex(Protocol):
    """History by account and by asset, fed after commit: it may lag behind the chain."""

    def movements_of(self, account: str, *, before: str | None, limit: int) -> MovementPage:
        """Movements from or to an account, before a cursor. Raises ValueError, `FAILURES`."""

    def movements_of_asset(self, asset: str, *, before: str | None, limit: int) -> MovementPage:
        """Movements of an asset, before a cursor. Raises ValueError, `FAILURES`."""

    def transactions_of(self, account: str, *, before: str | None, limit: int) -> Transactions:
        """What an account took part in, before a cursor. Raises ValueError, `FAILURES`."""

    def statement(
        self,
        account: str,
        asset: str,
        first_time: int,
        before_time: int,
        held: Held,
        *,
        limit: int,
    ) -> Statement:
        """Movements of an account in an asset between two times. Raises IndexBehind and others."""


class Recalled(Struct, frozen=True):
    """What a page shows of movements: some of them, or the key of the text why there are none."""

    page: MovementPage | None
    lags: bool
    why: str = ""


def recall(
    ask: Callable[..., MovementPage] | None, name: str, asked: Asked, height: int
) -> Recalled:
    """Ask an index, if there is one, about a name on the page of a height. Raises PageError."""
    if ask is None:
        return Recalled(None, False, "account.no_index")
    try:
        page = ask(name, before=asked.query.get("before"), limit=MOVEMENTS)
    except ValueError:
        raise not_understood("account.bad_cursor") from None
    except FAILURES:
        return Recalled(None, False, "account.index_failed")
    return Recalled(page, page.height < height)
