"""A small index of movements: it reads every block each time that it is asked."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from msgspec import Struct

from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import id_of
from tongbao.sdk.local import Chain


class Moved(Struct, frozen=True):
    """One movement."""

    height: int
    index: int
    place: int
    time: int
    id: str
    asset: str
    amount: str
    payer: str | None
    payee: str | None
    reference: str | None

    @property
    def at(self) -> tuple[int, int, int]:
        """Where it stands in history."""
        return self.height, self.index, self.place


class MovedPage(Struct, frozen=True):
    """Some movements."""

    height: int
    movements: tuple[Moved, ...]
    before: str | None


class SmallIndex:
    """Knows a chain's blocks up to a height, or all of them."""

    def __init__(self, chain: Chain, height: int | None = None) -> None:
        """Read a chain."""
        self._chain = chain
        self._height = height

    def movements_of(self, account: str, *, before: str | None, limit: int) -> MovedPage:
        """The account's movements before a cursor, the newest first."""
        return self._page(lambda row: account in (row.payer, row.payee), before, limit)

    def movements_of_asset(self, asset: str, *, before: str | None, limit: int) -> MovedPage:
        """The asset's movements before a cursor, the newest first."""
        return self._page(lambda row: row.asset == asset, before, limit)

    def _page(self, wanted: Callable[[Moved], bool], before: str | None, limit: int) -> MovedPage:
        height = self._chain.head().height if self._height is None else self._height
        end = (2**53,) if before is None else tuple(map(int, before.split(".")))
        rows = [row for at in range(height, -1, -1) for row in reversed(self._of(at))]
        rows = [row for row in rows if wanted(row) and row.at < end]
        cursor = ".".join(map(str, rows[limit - 1].at)) if len(rows) > limit else None
        return MovedPage(height, tuple(rows[:limit]), cursor)

    def _of(self, height: int) -> list[Moved]:
        record = self._chain.block(height)
        found = []
        for index, receipt in enumerate(record.receipts):
            is_due = index >= len(record.transactions)
            payload = b"" if is_due else decode_envelope(record.transactions[index]).payload
            reference = msgspec.json.decode(payload).get("reference") if payload else None
            events = msgspec.json.decode(receipt).get("events", ())
            found += [
                Moved(
                    height,
                    index,
                    place,
                    record.time,
                    "" if is_due else id_of(payload).hex(),
                    event["asset"],
                    event["amount"],
                    event.get("payer"),
                    event.get("payee"),
                    reference,
                )
                for place, event in enumerate(events)
                if event["@type"] == "asset.moved"
            ]
        return found
