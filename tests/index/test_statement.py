"""Statements against an oracle that walks all receipts, and balances against the state's rows."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.fixed_chain import BEGIN, FixedChain
from tests.index.history_oracle import Oracle, random_blocks
from tongbao.index import CursorError, Movement, Statement
from tongbao.index.entries import units_of
from tongbao.index.history import Index
from tongbao.index.statement import Held, IndexBehind
from tongbao.kernel import Amount, Message
from tongbao.modules.asset import Transfer
from tongbao.modules.asset.tables import holdings
from tongbao.store.record import BlockRecord, line_of

ALWAYS = 2**53 - 1
LIMITS = (2, 7, 1_000)


class Played(NamedTuple):
    """A random history, what the oracle says of it, and all holdings after each block."""

    chain: str
    records: list[BlockRecord]
    oracle: Oracle
    rows: list[dict[tuple[str, str], Amount]]

    def held(self, account: str, asset: str, height: int) -> Held:
        """What the state says at a height, before the first block nothing."""
        amount = self.rows[height].get((account, asset)) if height >= 0 else None
        decimals = next(len(one.amount.partition(".")[2]) for one in self.of(account, asset))
        return Held(max(height, 0), amount or Amount.of(0, decimals))

    def of(self, account: str, asset: str) -> list[Movement]:
        """The movements of the two, the oldest first."""
        return self.oracle.movements_of(account, asset)[::-1]

    def pairs(self) -> Iterator[tuple[str, str]]:
        """Each account with each asset that it ever moved."""
        for account in self.oracle.accounts:
            for asset in sorted({one.asset for one in self.oracle.movements_of(account)}):
                yield account, asset


@pytest.fixture(scope="module")
def played() -> Played:
    """A random history with issues, redemptions, holds and due work."""
    chain, records = random_blocks("statements", 700)
    rows: list[dict[tuple[str, str], Amount]] = []
    state: dict[tuple[str, str], Amount] = {}
    for record in records:
        for key, value in record.rows:
            if key.startswith(holdings.prefix):
                state[holdings.key_of(key)] = (
                    Amount("0") if value is None else holdings.decode(value).amount
                )
        rows.append({pair: amount for pair, amount in state.items() if amount.units})
    return Played(chain, records, Oracle(records), rows)


@pytest.fixture(params=[0, 25])
def index(request: pytest.FixtureRequest, played: Played, place: Path | str) -> Iterator[Index]:
    """Its index, whole and begun after the first bodies were pruned."""
    with Index.open(place, played.chain) as found:
        if request.param:
            found.begin_after(line_of(played.records[request.param - 1]))
        for at in range(request.param, len(played.records), 7):
            found.add(played.records[at : at + 7])
        yield found


def pages(
    index: Index, account: str, asset: str, times: tuple[int, int], held: Held, limit: int
) -> list[Statement]:
    """All pages of a statement."""
    found = [index.statement(account, asset, *times, held, limit=limit)]
    while found[-1].after is not None:
        after = found[-1].after
        found.append(index.statement(account, asset, *times, held, after=after, limit=limit))
    return found


def test_every_statement_is_what_a_walk_through_all_receipts_finds(
    index: Index, played: Played
) -> None:
    """
    Given a random history with due work, and an index that knows all of it or only its end,
    when statements between the times of any blocks are read in pages of any size,
    then movements are the oracle's, balances are the rows', and pages join up to the cent.
    """
    last = len(played.records) - 1
    first = index.first
    cuts = sorted({first, first + 1, (first + last) // 2, last - 1, last})
    count = 0
    for (account, asset), limit in zip(played.pairs(), itertools.cycle(LIMITS), strict=False):
        now = played.held(account, asset, last)
        for low, high in itertools.combinations(cuts, 2):
            times = (played.records[low].time, played.records[high].time)
            found = pages(index, account, asset, times, now, limit)
            moved = [one for one in played.of(account, asset) if low <= one.height < high]
            told = [
                (one.height, one.index, one.place, one.id, one.amount, one.reference)
                for page in found
                for one in page.movements
            ]
            assert told == [
                (one.height, one.index, one.place, one.id, one.amount, one.reference)
                for one in moved
            ]
            opening = str(played.held(account, asset, low - 1).amount)
            closing = str(played.held(account, asset, high - 1).amount)
            assert {(page.opening, page.closing) for page in found} == {(opening, closing)}
            check_pages(found, account, moved)
            count += len(told)
    assert count > 200


def check_pages(found: list[Statement], account: str, moved: list[Movement]) -> None:
    """Whether pages follow from each other, and each movement from the one before."""
    assert found[0].brought == found[0].opening and found[-1].carried == found[-1].closing
    oracle = iter(moved)
    assert [one.carried for one in found[:-1]] == [one.brought for one in found[1:]]
    for page in found:
        balance = units_of(page.brought)
        total = {"in": 0, "out": 0}
        for line in page.movements:
            one = next(oracle)
            units = units_of(line.amount)
            total[line.way] += units
            balance += units if line.way == "in" else -units
            assert units_of(line.balance) == balance
            assert line.counterparty == (one.payer if line.way == "in" else one.payee)
            assert account == (one.payee if line.way == "in" else one.payer)
        assert balance == units_of(page.carried)
        assert total == {"in": units_of(page.total_in), "out": units_of(page.total_out)}


def test_where_the_index_knows_no_movement_the_state_decides() -> None:
    """
    Given an index that began after the only movement of an account,
    when its statement is asked for with what the state says,
    then that is opening and closing; of a state that is ahead of the index it is asked again later.
    """
    fixed = FixedChain()
    with Index.open(None, fixed.producer.machine.chain) as index:
        index.add([fixed.store.block(0)])

        def asked(height: int) -> Statement:
            held = Held(height, Amount("100.00"))
            return index.statement(fixed.shop, fixed.cny, 0, ALWAYS, held)

        found = asked(0)
        assert (found.opening, found.closing, found.movements) == ("100.00", "100.00", ())
        with pytest.raises(IndexBehind, match="the index is at block 0, before block 1"):
            asked(1)


def test_a_block_that_leaves_a_holding_as_it_was_is_seen_through() -> None:
    """
    Given a block in which alice pays and is paid the same,
    when statements begin and end before and after it,
    then the balances are as before and after, with both movements between.
    """
    fixed = FixedChain()
    fixed.make(fixed.pay("10.00"))
    back = fixed.signed("shop", *fixed_transfer(fixed, "4.00"))
    fixed.make(fixed.pay("4.00"), back)
    fixed.make(fixed.pay("1.00"))
    records = [fixed.store.block(height) for height in range(5)]
    times = [record.time for record in records]
    with Index.open(None, fixed.producer.machine.chain) as index:
        index.add(records)

        def balances(low: int, high: int) -> list[str]:
            held = Held(4, Amount("89.00"))
            begin, end = [*times, ALWAYS][low], [*times, ALWAYS][high]
            found = index.statement(fixed.alice, fixed.cny, begin, end, held)
            return [found.opening, *(one.balance for one in found.movements), found.closing]

        assert balances(3, 4) == ["90.00", "86.00", "90.00", "90.00"]
        assert balances(4, 5) == ["90.00", "89.00", "89.00"]
        assert balances(0, 1) == ["0.00", "0.00"]
        assert balances(5, 5) == ["89.00", "89.00"]
        assert balances(0, 3) == ["0.00", "100.00", "90.00", "90.00"]


def fixed_transfer(fixed: FixedChain, amount: str) -> tuple[Message, ...]:
    """The shop's payment to alice."""
    return (Transfer(asset=fixed.cny, amount=Amount(amount), payee=fixed.alice),)


def test_a_cursor_that_no_statement_gave_is_refused() -> None:
    """
    Given an index,
    when a statement is to go on with text that is no cursor,
    then the error says so.
    """
    held, money = Held(0, Amount("0")), f"CNY.{'a' * 40}"
    with Index.open(None, "fixed-01234567") as index, pytest.raises(CursorError, match="cursor"):
        index.statement("a" * 40, money, BEGIN, ALWAYS, held, after="1.2")
