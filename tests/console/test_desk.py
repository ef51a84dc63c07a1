"""What a desk and an account's page do with many acts, with pruned bodies, and with a role lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from html import unescape
from pathlib import Path

import pytest

from tests.console.conftest import read
from tests.console.governed import GovernedChain
from tests.fixed_chain import HOUR
from tests.modules.member_steps import SECOND
from tests.sdk.kept_chain import OWNER, PASSPHRASE, begin, fund
from tests.sdk.pruned_chain import lay_base, reopen_small
from tongbao.console import Console
from tongbao.console.acts import acts_by
from tongbao.console.site import Site
from tongbao.index.history import Index
from tongbao.kernel import Address, Amount, AssetCode, AssetId, Small, Time
from tongbao.modules import asset
from tongbao.modules.governance import SuspendMember
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import operator_wallet

DESK = f"/accounts/{GovernedChain.shop}/desk"
ALICE = f"/accounts/{GovernedChain.alice}"
LIMIT = 300
"""Transactions that a desk looks through for freezes in force."""


def freezing(gold: AssetId, holder: Address, until: int, as_supervisor: bool) -> asset.Freeze:
    """A freeze of a holding."""
    return asset.Freeze(
        asset=gold,
        account=holder,
        scope=asset.Scope("debits"),
        reason=Small(5),
        until=Time(until),
        as_supervisor=as_supervisor,
    )


def supervised(acts: int = 1) -> tuple[GovernedChain, AssetId]:
    """A chain on which the shop has frozen alice's gold so often, in one transaction."""
    fixed = GovernedChain(threshold=1)
    gold = AssetId(f"GOLD.{fixed.bank}")
    fixed.make(fixed.signed("bank", asset.Define(code=AssetCode("GOLD"), scale=Small(0))))
    until = fixed.producer.machine.time + 9 * HOUR
    order = freezing(gold, fixed.alice, until, as_supervisor=True)
    fixed.make(fixed.signed("shop", *[order] * acts))
    return fixed, gold


@contextmanager
def indexed(chain: Chain, first: int = 0) -> Iterator[Index]:
    """An index that knows every block of a chain."""
    with Index.open(None, chain.id) as index:
        index.add([chain.block(height) for height in range(first, chain.head().height + 1)])
        yield index


@pytest.mark.parametrize(("others", "is_found"), [(LIMIT - 1, True), (LIMIT, False)])
def test_a_desk_looks_through_a_bounded_number_of_transactions(others: int, is_found: bool) -> None:
    """
    Given a supervisor that froze a holding, and sent as many transactions since as a desk looks
    through, or one less,
    when its desk is read,
    then the freeze in force is there in the latter case; else the page says where it has stopped.
    The act itself is on the last page of acts, and on no other.
    """
    fixed, _ = supervised()
    for start in range(0, others, 100):
        sent = [
            fixed.signed("shop", asset.Define(code=AssetCode(f"A{place}"), scale=Small(0)))
            for place in range(start, min(start + 100, others))
        ]
        fixed.make(*sent)
    chain = fixed.reading()
    with indexed(chain) as index:
        console = Console(chain, index)
        pages = [read(console, DESK)]
        while found := re.search(r'<a href="([^"]*)" rel="next">', pages[-1]):
            pages.append(read(console, unescape(found[1])))

    assert ('data-key="frozen-' in pages[0]) == is_found
    assert (f"in the last {LIMIT} transactions" in pages[0]) != is_found
    assert [text.count('data-key="act-') for text in pages] == [0] * (len(pages) - 1) + [1]
    assert len(pages) == -(-(others + 1) // 100)


def test_many_acts_on_an_account_are_read_a_page_at_a_time() -> None:
    """
    Given a holding that was frozen 120 times over,
    when the page of its account is read, and the way on,
    then there are 100 acts on the first and 20 on the second, each with its ground, and a cursor
    that is none of this list is told as such.
    """
    fixed, _ = supervised(acts=120)
    console = Console(fixed.reading())
    first = read(console, ALICE)
    [way] = re.findall(r'<a href="([^"]*#acts)" rel="next">', first)
    second = read(console, unescape(way))

    assert [text.count('data-key="act-') for text in (first, second)] == [100, 20]
    assert second.count("A suspicion of money laundering") >= 20
    assert "Begin with its first page" in read(console, f"{ALICE}?acts=00ff", 400)
    assert "Begin with its first page" in read(console, f"{ALICE}?stands=zz", 400)


def test_a_freeze_that_has_ended_is_shown_as_ended() -> None:
    """
    Given a freeze whose end has passed by the time of the last block,
    when the account and the desk are read,
    then the account's page says that it has ended, and the desk has none in force.
    """
    fixed, _ = supervised()
    later = fixed.signed("alice", asset.Define(code=AssetCode("LATER"), scale=Small(0)))
    fixed.producer.make((later,), fixed.producer.machine.time + 10 * HOUR)
    chain = fixed.reading()
    with indexed(chain) as index:
        console = Console(chain, index)
        account, desk = read(console, ALICE), read(console, DESK)

    assert "has ended" in account and "Nothing leaves" in account
    assert "No freeze of this account is in force." in desk and 'data-key="act-' in desk


def test_a_supervisor_that_is_suspended_keeps_a_desk_that_says_so() -> None:
    """
    Given a supervisor that has acted, and was suspended since,
    when its desk, its account and its member's page are read,
    then the desk says that it is none now and has its tally still, and nothing else leads to it
    but the member's page.
    """
    fixed, _ = supervised()
    fixed.make(fixed.proposal(SuspendMember(member=SECOND)))
    fixed.make(fixed.proposal(SuspendMember(member=SECOND)))  # the block before carries it out
    console = Console(fixed.reading())
    desk, member = read(console, DESK), read(console, f"/members/{SECOND}")

    assert "This account is no supervisor now." in desk and "Suspended" in desk
    assert 'data-key="tally-supervisor"' in desk
    assert "The index is not running" in desk
    assert DESK in member and "until it is readmitted" in member
    assert DESK not in read(console, f"/accounts/{fixed.shop}")


def test_a_desk_offers_to_renew_freezes_while_its_account_is_a_supervisor() -> None:
    """
    Given a supervisor with freezes in force, and suspended later,
    when its desk is read before and after,
    then both list the freezes, and the first alone leads to the commands that renew and end them.
    """
    fixed, _ = supervised()
    with indexed(fixed.reading()) as index:
        before = read(Console(fixed.reading(), index), DESK)
    fixed.make(fixed.proposal(SuspendMember(member=SECOND)))
    fixed.make(fixed.proposal(SuspendMember(member=SECOND)))  # the block before carries it out
    with indexed(fixed.reading()) as index:
        after = read(Console(fixed.reading(), index), DESK)

    assert 'data-key="frozen-' in before and ">Renew</a>" in before and ">End it</a>" in before
    assert 'data-key="frozen-' in after and ">Renew</a>" not in after
    assert ">End it</a>" not in after


def test_acts_in_pruned_blocks_are_counted_and_said_to_be_missing(tmp_path: Path) -> None:
    """
    Given an issuer that froze a holding twice, and a node that gave up the body of the first block,
    when the acts are looked for by an index that knows them,
    then the second is there, and how many transactions could not be looked into is told.
    """
    folder = tmp_path / "chain"
    chain, _ = begin(folder, "pruned")
    chain.close()
    with reopen_small(folder) as chain, Index.open(tmp_path / "index", chain.id) as index:
        operator = operator_wallet(chain, folder, PASSPHRASE)
        shop, gold = fund(operator), AssetId(f"GOLD.{OWNER}")
        operator.send(
            asset.Define(code=AssetCode("GOLD"), scale=Small(0), cap=Amount("9")),
            asset.SetFlags(asset=gold, switch_on=(asset.Flag("freezing"),)),
        )
        for hours in (1, 2):
            until = chain.now() + hours * HOUR
            operator.send(freezing(gold, shop, until, as_supervisor=False))
        height = chain.head().height
        index.add([chain.block(one) for one in range(height + 1)])
    lay_base(folder, height)
    with reopen_small(folder) as chain, Index.open(tmp_path / "index", chain.id) as index:
        found = acts_by(Site(chain, index), OWNER, None, chain.now())

    [done] = found.done
    assert chain.first_block == height > 0
    assert (done.act.account, done.act.reason, done.in_force) == (shop, 5, True)
    assert found.pruned == height - 1 and found.before is None
