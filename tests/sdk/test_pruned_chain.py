"""A chain whose first bodies were pruned, in this process: it says what it has, and what not."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from itertools import islice
from pathlib import Path

import pytest

from tests.sdk.kept_chain import CNY, PASSPHRASE, pay, reopen
from tests.sdk.pruned_chain import BASE, FIRST, LAST, Pruned, lay, lay_bare
from tongbao.engines.solo import read_header
from tongbao.kernel import Amount
from tongbao.modules import asset
from tongbao.sdk.asynchronous import AsyncChain
from tongbao.sdk.client import AlreadyDecided, Refused
from tongbao.sdk.opening import operator_wallet
from tongbao.sdk.place import END_OF_BLOCK
from tongbao.sdk.proofs import to_json
from tongbao.sdk.verification import verify
from tongbao.store import errors


@pytest.fixture
def pruned(tmp_path: Path) -> Pruned:
    """A closed chain with bodies from block 5 on."""
    return lay(tmp_path / "chain")


def test_a_pruned_chain_goes_on_and_knows_its_state(pruned: Pruned) -> None:
    """
    Given a chain whose first bodies were pruned,
    when it is opened, asked and paid with,
    then the state, every header and every outcome are there, and the next block is made.
    """
    with reopen(pruned.folder) as chain:
        held = chain.query(asset.balance, pruned.shop, CNY)
        headers = chain.headers(0, LAST)
        old = chain.status(pruned.old.id)
        paid = operator_wallet(chain, pruned.folder, PASSPHRASE).send(pay(pruned.shop, "6.00"))

        assert held == asset.Holding(amount=Amount("15.00"))
        assert [read_header(line.header)[0].height for line in headers] == list(range(LAST + 1))
        assert (old.state, old.height, old.index) == ("applied", pruned.old.height, 0)
        assert (paid.height, chain.first_block) == (LAST + 1, FIRST)


def test_a_pruned_body_is_told_as_pruned_and_its_neighbours_are_there(pruned: Pruned) -> None:
    """
    Given a chain with bodies from block 5 on,
    when blocks and proofs on both sides are asked for,
    then those below say that they were pruned and where to ask, and the others are given.
    """
    with reopen(pruned.folder) as chain:
        for ask in (
            lambda: chain.block(FIRST - 1),
            lambda: chain.prove_transaction(pruned.old.id),
        ):
            with pytest.raises(errors.Pruned, match=f"begin with block {FIRST}") as caught:
                ask()
            assert caught.value.exit_code == 4
        proof = chain.prove_transaction(pruned.kept.id)
        row = chain.prove_row("asset.holdings", (pruned.shop, CNY))
        trust = to_json(chain.trust())

        assert chain.block(FIRST).height == FIRST
        for one in (proof, row):
            assert verify(to_json(one), trust).height in (FIRST + 2, LAST)


def test_what_was_applied_in_a_pruned_block_is_told_as_decided(pruned: Pruned) -> None:
    """
    Given a payment and a refusal whose blocks were pruned,
    when the payment is submitted again, alone, among many and through a wallet,
    then it is told as decided where it was, never as invalid, and nothing moves.
    """
    with reopen(pruned.folder) as chain:
        wallet = operator_wallet(chain, pruned.folder, PASSPHRASE)
        ways: list[Callable[[], object]] = [
            lambda: chain.submit(pruned.wire),
            lambda: asyncio.run(AsyncChain(chain).submit(pruned.wire)),
            lambda: wallet.settle(pruned.wire),
        ]
        for submit in ways:
            with pytest.raises(AlreadyDecided) as caught:
                submit()
            found = caught.value
            assert (found.transaction_id, found.height, found.index) == (
                pruned.old.id,
                pruned.old.height,
                pruned.old.index,
            )
        (many,) = chain.submit_many([pruned.wire])

        assert isinstance(many, AlreadyDecided)
        assert chain.head().height == LAST
        wallet.send(pay(pruned.shop, "1.00"))  # nothing is left unsettled


def test_what_was_refused_in_a_pruned_block_is_told_as_refused(pruned: Pruned) -> None:
    """
    Given a refusal whose block was pruned,
    when the same bytes are submitted again,
    then it is Refused with its number, as before.
    """
    with reopen(pruned.folder) as chain:
        found = chain.status(pruned.refused)
        with pytest.raises(Refused) as caught:
            chain.submit(pruned.refused_wire)

        assert (caught.value.number, caught.value.transaction_id) == (found.number, pruned.refused)


def test_a_walk_begins_where_bodies_do_and_says_so(pruned: Pruned) -> None:
    """
    Given a chain with bodies from block 5 on,
    when it is followed from a cursor before them, and from the one that the refusal names,
    then the first is Pruned, and the second tells everything from block 5 on.
    """
    begin = f"{FIRST - 1}.{END_OF_BLOCK}"
    with reopen(pruned.folder) as chain:
        for cursor in ("0.0", f"{FIRST - 1}.0"):
            with pytest.raises(errors.Pruned, match=begin):
                chain.happenings(cursor)
        told = list(islice(chain.happenings(begin), LAST - FIRST + 1))

        assert [one.height for one in told] == list(range(FIRST, LAST + 1))


def test_a_chain_without_any_body_yet_goes_on_from_its_base(tmp_path: Path) -> None:
    """
    Given a chain that stands on its base, without a block of its own in the log,
    when it is opened, followed from its head on and paid with,
    then its head is the base's, rows are proven under it, and the walk tells the new block.
    """
    bare = lay_bare(tmp_path / "chain")
    with reopen(bare.folder) as chain:
        head = chain.head()
        row = chain.prove_row("asset.holdings", (bare.shop, CNY))
        walk = chain.happenings(f"{head.height}.{END_OF_BLOCK}")
        told: list[int] = []
        reading = threading.Thread(target=lambda: told.append(next(walk).height))
        reading.start()
        paid = operator_wallet(chain, bare.folder, PASSPHRASE).send(pay(bare.shop, "1.00"))
        reading.join()

        assert (head.height, chain.first_block, paid.height) == (BASE, BASE + 1, BASE + 1)
        assert verify(to_json(row), to_json(chain.trust())).height == head.height
        assert told == [BASE + 1]
