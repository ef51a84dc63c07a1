"""A chain is read beside the process that has it open, and answers as that one does."""

from __future__ import annotations

import gc
from pathlib import Path
from typing import Any

import pytest

from tests.fixed_chain import key
from tests.sdk.kept_chain import CNY, OWNER, Kept, keep, pay
from tests.sdk.pruned_chain import lay
from tongbao.engines.solo import EngineStopped
from tongbao.kernel import Address
from tongbao.modules import account, asset
from tongbao.sdk.beside import QUEUE, Queue, open_beside
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import open_chain
from tongbao.sdk.prover import NotProven
from tongbao.store.errors import Pruned
from tongbao.store.state import READERS


def answers(chain: Chain, shop: Address) -> dict[str, Any]:
    """Everything that a chain tells and that stays the same while nothing is written."""
    with chain.reading() as height:
        blocks = [chain.block(at) if at >= chain.first_block else None for at in range(height + 1)]
        ids = [name.hex() for each in blocks if each is not None for name, _ in each.outbox]
        return {
            "id": chain.id,
            "height": height,
            "head": chain.head(),
            "first": (chain.first_block, chain.begins),
            "modules": chain.modules,
            "blocks": blocks,
            "headers": chain.headers(0, height + 3),
            "statuses": [chain.status(each, expires=1) for each in [*ids, "00" * 32]],
            "holdings": chain.query(asset.held_by, OWNER, None),
            "shop": chain.query(account.show, shop),
            "balance": chain.query(asset.balance, shop, CNY),
            "row": chain.row("asset.holdings", (shop, CNY)),
            "nonce": chain.next_nonce(OWNER),
            "trust": chain.trust(),
            "reasons": chain.why(0),
        }


@pytest.fixture
def kept(tmp_path: Path) -> Kept:
    """A chain of six blocks, closed."""
    return keep(tmp_path / "chain")


def test_it_answers_as_the_open_chain_does(kept: Kept) -> None:
    """Given a chain, when it is read beside, then every answer is that of the chain itself."""
    with open_chain(kept.folder) as chain:
        wanted = answers(chain, kept.shop)
    with open_beside(kept.folder) as beside:
        assert answers(beside, kept.shop) == wanted


def test_a_pruned_chain_is_read_beside(tmp_path: Path) -> None:
    """Given a chain whose first bodies were pruned, when it is read beside, then headers and
    outcomes are those of the chain itself, and a body that is gone is told so.
    """
    pruned = lay(tmp_path / "chain")
    with open_chain(pruned.folder) as chain:
        wanted = answers(chain, pruned.shop)
        old = chain.status(pruned.old.id)
    with open_beside(pruned.folder) as beside:
        assert answers(beside, pruned.shop) == wanted
        assert beside.status(pruned.old.id) == old
        with pytest.raises(Pruned):
            beside.block(1)


def test_rows_are_counted_where_nobody_has_said_how_many(kept: Kept) -> None:
    """Given rows that were made anew from the log, when the head is asked for beside, then it says
    as many rows as the chain itself does.
    """
    (kept.folder / "state").rename(kept.folder / "old")
    with open_chain(kept.folder):
        pass
    with open_beside(kept.folder) as beside:
        assert beside.head() == kept.head


def test_what_only_the_process_that_decides_can_do_is_told(kept: Kept) -> None:
    """Given a chain that is read beside, when a proof, a dry run, an audit or a payment is asked of
    it, then it says who can do that.
    """
    with open_beside(kept.folder) as beside:
        for ask in (
            lambda: beside.prove_row("asset.holdings", (kept.shop, CNY)),
            lambda: beside.dry_run(b"{}"),
            beside.audit,
        ):
            with pytest.raises(NotProven, match="ask the one that decides"):
                ask()
        with pytest.raises(EngineStopped):
            beside.wallet(OWNER, key("shop")).send(pay(kept.shop, "1.00"))


def test_who_has_the_queue_says_that_a_transaction_waits(kept: Kept) -> None:
    """Given an unknown transaction, when whoever has the queue has said that it waits, then its
    status is pending.
    """
    with open_beside(kept.folder) as beside:
        assert beside.status("11" * 32).state == "unknown"
        token = QUEUE.set(Queue(waits=True))
        assert beside.status("11" * 32).state == "pending"
        QUEUE.reset(token)


def test_a_process_on_rows_of_before_is_told_to_begin_anew(kept: Kept) -> None:
    """Given a chain that is read beside, when its rows are made anew, then reading says so, and
    whoever shall end the process is called.
    """
    called: list[bool] = []
    with open_beside(kept.folder, stale=lambda: called.append(True)) as beside:
        (kept.folder / "state").rename(kept.folder / "old")
        with pytest.raises(NotProven, match="made anew"):
            beside.head()
    assert called == [True]


def test_more_is_asked_than_readers_fit_into_the_table(kept: Kept) -> None:
    """Given a chain that is read beside and a Python that collects no garbage, when far more is
    asked than LMDB's table of readers has places for, then all is answered.
    """
    gc.disable()
    try:
        with open_beside(kept.folder) as beside:
            for _ in range(2 * READERS):
                assert beside.query(asset.balance, kept.shop, CNY) is not None
                assert beside.query(asset.held_by, OWNER, None).rows
    finally:
        gc.enable()
