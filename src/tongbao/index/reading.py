"""What an index answers: movements, transactions, references, statements, names."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Self

from tongbao.index.address import Place
from tongbao.index.answers import (
    FoundNames,
    Movement,
    Movements,
    Recalled,
    Statement,
    Transactions,
)
from tongbao.index.cursor import cursor_of, height_of, index_of, place_of, read_cursor
from tongbao.index.database import BadAddress, Database
from tongbao.index.embedded import EmbeddedDatabase
from tongbao.index.entries import Entry, Moving
from tongbao.index.finding import Name, account_name, begin_in, entries_before, text_name
from tongbao.index.searching import search
from tongbao.index.statement import Asked, Held, statement_of
from tongbao.store.closable import Closable

Wanted = Callable[[Moving], bool]
Sought = Callable[[Entry], bool]


class Reading(Closable):
    """The history of one chain, to be read by any thread; close it when all are done."""

    def __init__(self, database: Database, place: Place, chain: str) -> None:
        """Use `open`."""
        self._database = database
        self.path = place if isinstance(place, Path) else None
        self.is_shared = isinstance(place, str)
        self.chain = chain

    @classmethod
    def open(cls, place: Place, chain_id: str) -> Self:
        """Read an index that another process feeds; what it is like is found out by reading."""
        return cls(opened(place, chain_id, writes=False), place, chain_id)

    @property
    def height(self) -> int:
        """The last block that it knows, -1 before the first. Raises `FAILURES`."""
        with self._database.reading() as session:
            return begin_in(session)[0]

    @property
    def first(self) -> int:
        """The block that it was begun with: what was before had been pruned by then."""
        with self._database.reading() as session:
            return begin_in(session)[1]

    def movements_of(
        self, account: str, *, asset: str | None = None, before: str | None = None, limit: int = 50
    ) -> Movements:
        """Movements from or to an account, of one asset where given. Raises CursorError."""

        def wanted(moving: Moving) -> bool:
            touched = account in (moving.payer, moving.payee)
            return touched and asset in (None, moving.asset)

        return self._movements(account_name(account, asset), wanted, before, limit)

    def movements_of_asset(
        self, asset: str, *, before: str | None = None, limit: int = 50
    ) -> Movements:
        """Movements of an asset. Raises CursorError."""
        return self._movements(
            text_name(asset), lambda moving: moving.asset == asset, before, limit
        )

    def transactions_of(
        self, account: str, *, before: str | None = None, limit: int = 50
    ) -> Transactions:
        """What an account sent, and whatever moved value from or to it. Raises CursorError."""

        def sought(entry: Entry) -> bool:
            if entry.sender == account:
                return True
            return any(account in (moving.payer, moving.payee) for moving in entry.moved)

        return self._transactions(account_name(account), sought, before, limit)

    def by_reference(
        self, reference: str, *, before: str | None = None, limit: int = 50
    ) -> Transactions:
        """Transactions that bear a reference, or a message that does. Raises CursorError."""
        sought = text_name(reference)
        return self._transactions(
            sought, lambda entry: reference in entry.references, before, limit
        )

    def statement(
        self,
        account: str,
        asset: str,
        first_time: int,
        before_time: int,
        held: Held,
        *,
        after: str | None = None,
        limit: int = 1_000,
    ) -> Statement:
        """Movements of an account in an asset between two times, with balances.

        `held` is what the state says that the account holds at a height, with the asset's decimals.
        It decides where the index knows no movement of the two. Raises CursorError; IndexBehind
        when the index has not reached that height, and would have to know.
        """
        asked = Asked(account, asset, first_time, before_time, held, after, limit)
        with self._database.reading() as session:
            return statement_of(session, asked)

    def search(self, text: str, *, limit: int = 20) -> FoundNames:
        """Accounts, assets and references that a text is the name of, or the beginning of it."""
        with self._database.reading() as session:
            return search(session, text, limit)

    def _movements(
        self, name: Name | None, wanted: Wanted, before: str | None, limit: int
    ) -> Movements:
        end = read_cursor(before)
        found: list[Movement] = []
        with self._database.reading() as session:
            height, first = begin_in(session)
            for at, time, entry in entries_before(session, name, end[0]):
                if entry is None:
                    return Movements(height, tuple(found), cursor_of(at, 0), first)
                for nth in range(len(entry.moved) - 1, -1, -1):
                    if (at, nth) >= end or not wanted(entry.moved[nth]):
                        continue
                    if len(found) == limit:
                        last = found[-1]
                        end_of_page = cursor_of(place_of(last.height, last.index), last.place)
                        return Movements(height, tuple(found), end_of_page, first)
                    found.append(_movement(at, nth, time, entry))
        return Movements(height, tuple(found), None, first)

    def _transactions(
        self, name: Name | None, sought: Sought, before: str | None, limit: int
    ) -> Transactions:
        end, _ = read_cursor(before)
        found: list[Recalled] = []
        with self._database.reading() as session:
            height, first = begin_in(session)
            for at, time, entry in entries_before(session, name, end):
                if entry is None:
                    return Transactions(height, tuple(found), cursor_of(at, 0), first)
                if at >= end or not sought(entry):
                    continue
                if len(found) == limit:
                    last = found[-1]
                    end_of_page = cursor_of(place_of(last.height, last.index), 0)
                    return Transactions(height, tuple(found), end_of_page, first)
                found.append(_recalled(at, time, entry))
        return Transactions(height, tuple(found), None, first)

    def close(self) -> None:
        """Give the database free. May be called again."""
        self._database.close()


def opened(place: Place, chain: str, *, writes: bool) -> Database:
    """The database at a place. Raises StoreError and `FAILURES`."""
    if not isinstance(place, str):
        return EmbeddedDatabase(place, chain, writes=writes)
    try:
        from tongbao.index.postgresql import PostgresqlDatabase
    except ImportError as error:
        raise BadAddress(
            "an index in PostgreSQL needs a package more: pip install 'tongbao[postgresql]'"
        ) from error
    return PostgresqlDatabase(place, chain, writes=writes)


def _movement(at: int, nth: int, time: int, entry: Entry) -> Movement:
    moving = entry.moved[nth]
    return Movement(
        height=height_of(at),
        index=index_of(at),
        place=nth,
        time=time,
        id=entry.id.hex(),
        asset=moving.asset,
        amount=moving.amount,
        payer=moving.payer,
        payee=moving.payee,
        reference=moving.reference,
    )


def _recalled(at: int, time: int, entry: Entry) -> Recalled:
    return Recalled(
        height=height_of(at),
        index=index_of(at),
        time=time,
        id=entry.id.hex(),
        sender=entry.sender,
        number=entry.number,
        reference=entry.reference,
        movements=len(entry.moved),
    )
