"""A statement: what an account's movements in one asset did to its balance between two times.

A movement is kept with what payer and payee held at the end of its block. So the balance at the end
of any block is that of the last movement before, wherever the index began; and where there is none,
it follows from the first one after, or else the state's row has never changed.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from tongbao.index.answers import Statement, StatementMovement
from tongbao.index.cursor import cursor_of, height_of, index_of, place_of, read_after
from tongbao.index.database import Session
from tongbao.index.entries import Entry, Moving, units_of
from tongbao.index.finding import (
    account_name,
    begin_in,
    entries_before,
    entries_from,
    first_place,
)
from tongbao.kernel import Amount
from tongbao.kernel.amount import text_of

STATEMENT_LIMIT: Final = 10_000
"""Movements of one page, at most."""


class IndexBehind(LookupError):
    """The index has not come to a height that an answer depends on; ask again in a while."""


class Held(NamedTuple):
    """What the state says that an account holds of an asset, nothing included, at a height."""

    height: int
    amount: Amount


class Asked(NamedTuple):
    """What a statement is asked for."""

    account: str
    asset: str
    first_time: int
    before_time: int
    held: Held
    after: str | None
    limit: int


class _Step(NamedTuple):
    """A movement of the two: where it is, what it did, what was left after its whole block."""

    at: int
    nth: int
    time: int
    entry: Entry
    moving: Moving
    effect: int
    left: int | None


def statement_of(session: Session, asked: Asked) -> Statement:
    """The statement, true at the height of the session. Raises CursorError, IndexBehind.

    Of times before the block that the index begins with it tells what was held just before that
    block: who asks compares (`tongbao.sdk.periods.known_begin`), for the index may not know the
    time of a block that moved nothing.
    """
    height, first = begin_in(session)
    begin = first_place(session, asked.first_time, height)
    end = max(begin, first_place(session, asked.before_time, height))
    after = max(read_after(asked.after), (begin, 0))
    opening = _balance_at(session, asked, begin, height)
    page = _Page(asked, opening)
    if after[0] >= end:
        page.balance = page.brought = _balance_at(session, asked, end, height)
    else:
        block = place_of(height_of(after[0]), 0)
        if block != begin:
            page.balance = page.brought = _balance_at(session, asked, block, height)
        page.fill(_steps_from(session, asked, block, end), after)
    is_last = page.after is None
    closing = page.balance if is_last else _balance_at(session, asked, end, height)
    text = page.text
    return Statement(
        height=height,
        account=asked.account,
        asset=asked.asset,
        first_time=asked.first_time,
        before_time=asked.before_time,
        opening=text(opening),
        closing=text(closing),
        brought=text(page.brought),
        carried=text(page.balance),
        total_in=text(page.total_in),
        total_out=text(page.total_out),
        movements=tuple(page.movements),
        after=page.after,
        from_block=first,
    )


class _Page:
    """The movements of one page, with the balance that runs along."""

    def __init__(self, asked: Asked, balance: int) -> None:
        self._asked = asked
        self._decimals = asked.held.amount.decimals
        self.balance = self.brought = balance
        self.total_in = self.total_out = 0
        self.movements: list[StatementMovement] = []
        self.after: str | None = None

    def fill(self, steps: Iterator[_Step], after: tuple[int, int]) -> None:
        """Take in movements until the page is full; those before `after` are only counted."""
        limit = self._asked.limit
        for step in steps:
            if (step.at, step.nth) < after:
                self.balance += step.effect
                self.brought = self.balance
                continue
            if len(self.movements) == limit:
                self.after = cursor_of(step.at, step.nth)
                return
            self._take(step)

    def _take(self, step: _Step) -> None:
        effect, moving, at = step.effect, step.moving, step.at
        self.balance += effect
        if effect > 0:
            self.total_in += effect
        else:
            self.total_out -= effect
        self.movements.append(
            StatementMovement(
                height_of(at),
                index_of(at),
                step.nth,
                step.time,
                step.entry.id.hex(),
                "in" if effect > 0 else "out",
                moving.amount,
                self.text(self.balance),
                moving.payer if effect > 0 else moving.payee,
                moving.reference,
            )
        )

    def text(self, units: int) -> str:
        """Units as an amount of the asset. A page's totals may be more than one holding can be."""
        return text_of(units, self._decimals)


def _balance_at(session: Session, asked: Asked, at: int, height: int) -> int:
    """What was held just before a block that begins at a place, or is still to come."""
    found = _left_before(session, asked, at)
    if found is None:
        found = _had_before(session, asked, at)
    if found is not None:
        return found
    if asked.held.height > height:
        raise IndexBehind(f"the index is at block {height}, before block {asked.held.height}")
    return asked.held.amount.units


def _left_before(session: Session, asked: Asked, at: int) -> int | None:
    """What the last block before a place left that moved any; None where none did."""
    name = account_name(asked.account, asked.asset)
    for found, time, entry in entries_before(session, name, at - 1, None):
        assert entry is not None
        for step in reversed(list(_steps_in(asked, found, time, entry))):
            if step.left is not None:
                return step.left
    return None


def _had_before(session: Session, asked: Asked, at: int) -> int | None:
    """What the first block from a place on that moved any had found; None where none did."""
    left, effects, block = None, 0, -1
    for step in _steps_from(session, asked, at, place_of(begin_in(session)[0] + 1, 0)):
        if left is not None and height_of(step.at) != block:
            break
        effects += step.effect
        if step.left is not None:
            left, block = step.left, height_of(step.at)
    return None if left is None else left - effects


def _steps_from(session: Session, asked: Asked, begin: int, end: int) -> Iterator[_Step]:
    """The movements of the two between two places where blocks begin, the oldest first."""
    for at, time, entry in entries_from(session, asked.account, asked.asset, begin, end):
        yield from _steps_in(asked, at, time, entry)


def _steps_in(asked: Asked, at: int, time: int, entry: Entry) -> Iterator[_Step]:
    account, asset = asked.account, asked.asset
    for nth, moving in enumerate(entry.moved):
        if moving.asset != asset:
            continue
        if moving.payer == account:
            yield _Step(at, nth, time, entry, moving, -units_of(moving.amount), moving.payer_held)
        elif moving.payee == account:
            yield _Step(at, nth, time, entry, moving, units_of(moving.amount), moving.payee_held)
