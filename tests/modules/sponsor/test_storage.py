"""How many rows may be owned by those for whom one pays, and who is refused then."""

from __future__ import annotations

from tests.modules.governance_steps import done, seats
from tests.modules.sponsor_steps import first, grant, paid, pay
from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Count,
    KernelWhy,
    Reference,
    Small,
    Time,
)
from tongbao.kernel.kernel_module import (
    COMMON,
    COMMON_CAPACITY,
    COMMON_PER_MINUTE,
    COMMON_ROWS,
    QUOTAS,
    SettingName,
    stored,
    stored_by_payer,
)
from tongbao.modules import asset, sponsor
from tongbao.modules.governance import SetParameter
from tongbao.modules.hold import Place, Release
from tongbao.modules.sponsor import Leave, Revoke, SetTerms, Storage
from tongbao.sdk.builder import payload_bytes
from tongbao.testing import Chain
from tongbao.testing.genesis import ADDRESSES, CNY, alice, bank, bob

FUNDED = 9
"""Rows of the bank before a test begins: its asset, four holdings, and what was settled."""
FULL = KernelWhy.STORAGE_IS_FULL
PLENTY = {COMMON_CAPACITY.name: 10_000, COMMON_PER_MINUTE.name: 10_000}


def storing(rows: int = 3, common: int = 2, stands_for: tuple[str, ...] = ()) -> Chain:
    """A chain whose bank has room for so many more rows, and where all others have so few."""
    return paid(
        first(capacity=1_000, rows=FUNDED + rows, stands_for=stands_for),
        parameters={**PLENTY, COMMON_ROWS.name: common},
    )


def storage(chain: Chain, name: str) -> Storage:
    """Who pays for an account's rows, and how many there are."""
    return sponsor.storage(chain.view(sponsor.module), chain.address(name))


def counts(chain: Chain, name: str) -> tuple[Address, int, int]:
    """Who pays for an account's rows, how many it has, how many there are together."""
    found = storage(chain, name)
    return found.payer, found.rows, found.together


def defining(code: str) -> asset.Define:
    """The message that makes a row of its sender's."""
    return asset.Define(code=AssetCode(code), scale=Small(2))


def dust(payee: str) -> asset.Issue:
    """Next to nothing of an asset of alice's, for somebody who has not asked."""
    dusty = AssetId(f"AAA.{alice}")
    return asset.Issue(
        asset=dusty, payee=ADDRESSES[payee], amount=Amount("0.01"), reference=Reference(payee)
    )


def placing(chain: Chain, expires_at: Time | None = None) -> Place:
    """The message by which somebody sets next to nothing aside for bob."""
    return Place(
        payee=bob,
        asset=CNY,
        amount=Amount("0.01"),
        expires_at=chain.in_days(1) if expires_at is None else expires_at,
    )


def test_a_payment_counts_nothing_where_it_only_overwrites() -> None:
    """
    Given a chain with quotas from its first block on,
    when alice pays bob, who both have money,
    then what is counted is what was before.
    """
    chain = storing()
    before = counts(chain, "bank")
    assert before == (bank, FUNDED, FUNDED)
    chain.apply("alice", pay(payee="bob"))
    assert counts(chain, "bank") == before
    assert counts(chain, "alice") == (COMMON, 0, 0)
    counted = (stored.prefix, stored_by_payer.prefix)
    assert not [key for key, _ in chain.decided.rows if key[:4] in counted]


def test_accounts_for_whom_nobody_pays_share_one_limit() -> None:
    """
    Given two rows for all in common, and two accounts of one evader,
    when one makes two rows and then the other a third,
    then the third is refused, and nothing is counted of it.
    """
    chain = storing()
    chain.apply("alice", defining("AAA"), defining("BBB"))
    with chain.refuses(FULL):
        chain.apply("mallory", defining("AAA"))
    assert counts(chain, "mallory") == (COMMON, 0, 2)
    assert counts(chain, "alice") == (COMMON, 2, 2)


def test_many_accounts_of_one_sponsor_share_its_limit() -> None:
    """
    Given a sponsor with room for two rows more, which stands for the accounts that it opens,
    when it opens more than that, and one of them makes a row,
    then that is refused, and so is another account, whatever name it has.
    """
    chain = storing(rows=2)
    chain.apply("bank", SetTerms())
    chain.open_account("one")
    chain.open_account("two")
    assert counts(chain, "two") == (bank, 1, FUNDED + 2)
    with chain.refuses(FULL):
        chain.apply("one", defining("AAA"))
    with chain.refuses(FULL):
        chain.apply("bank", defining("AAA"))
    assert counts(chain, "bank") == (bank, FUNDED, FUNDED + 2)


def test_rows_that_go_make_room_also_above_the_limit() -> None:
    """
    Given alice, who has placed two holds, and operators' limit of one since,
    when she places another before bob releases each of both, and once more after that,
    then she is refused twice, and afterwards has room for one.
    """
    chain = paid(
        first(capacity=1_000, rows=100),
        parameters={**PLENTY, COMMON_ROWS.name: 2},
        sections=(seats(("bank", "alice")),),
    )
    made = [chain.apply("alice", placing(chain)) for _ in range(2)]
    done(chain, SetParameter(name=SettingName(COMMON_ROWS.name), value=Count(1)))
    for one in made:
        with chain.refuses(FULL):
            chain.apply("alice", placing(chain))
        assert one is not None
        chain.apply("bob", Release(hold=one))
    chain.apply("alice", placing(chain))
    assert counts(chain, "alice") == (COMMON, 1, 1)


def test_a_refused_transaction_counts_nothing() -> None:
    """
    Given room for one row in common,
    when alice sends two messages of which the last one makes a row too many,
    then neither has happened.
    """
    chain = storing(common=1)
    with chain.refuses(FULL):
        chain.apply("alice", defining("AAA"), defining("BBB"))
    assert counts(chain, "alice") == (COMMON, 0, 0)
    chain.apply("alice", defining("AAA"))


def test_holds_that_expire_give_their_rows_back() -> None:
    """
    Given alice, whose hold is the last row that there may be,
    when it expires,
    then the room is there again.
    """
    chain = storing(common=1)
    chain.apply("alice", placing(chain, Time(chain.time + 60_000)))
    with chain.refuses(FULL):
        chain.apply("alice", placing(chain))
    chain.advance_to(Time(chain.time + 61_000))
    chain.block()
    assert counts(chain, "alice") == (COMMON, 0, 0)
    chain.apply("alice", placing(chain))


def test_a_sponsor_takes_an_accounts_rows_over_where_it_has_room() -> None:
    """
    Given alice with two rows, and a bank that has room for two,
    when the bank stands for her, then for bob with one row, and then for her no more,
    then her rows are the bank's, bob is refused it, and at the end they are in common again.
    """
    chain = storing(rows=2, common=3)
    chain.apply("alice", defining("AAA"), defining("BBB"))
    chain.apply("bob", defining("AAA"))
    chain.apply("bank", grant(chain, "alice"))
    assert counts(chain, "alice") == (bank, 2, FUNDED + 2)
    assert counts(chain, "bob") == (COMMON, 1, 1)
    with chain.refuses(FULL):
        chain.apply("bank", grant(chain, "bob"))
    chain.apply("bank", Revoke(account=alice))
    assert counts(chain, "alice") == (COMMON, 2, 3)
    assert counts(chain, "bank") == (bank, FUNDED, FUNDED)


def test_rows_go_back_into_the_common_room_only_where_it_has_some() -> None:
    """
    Given alice, who has made three rows that the bank pays for, and room for two in common,
    when the bank revokes, or she leaves,
    then it is refused: a sponsor's rows are not left to all others.
    """
    chain = storing(stands_for=("alice",))
    chain.apply("alice", *[defining(code) for code in ("AAA", "BBB", "CCC")])
    with chain.refuses(FULL):
        chain.apply("bank", Revoke(account=alice))
    with chain.refuses(FULL):
        chain.apply("alice", Leave())
    assert counts(chain, "alice") == (bank, 3, FUNDED + 3)


def test_holdings_are_rows_of_the_issuer_so_dust_fills_nobody_elses_quota() -> None:
    """
    Given an asset of alice's, and room for one holding of it and for what was settled,
    when she sends dust of it to bob and to carol, for whom the bank stands,
    then the first is counted as hers, the second is refused, and carol's sponsor has no more rows.
    """
    chain = storing(common=3, stands_for=("carol",))
    chain.apply("alice", defining("AAA"))
    chain.apply("alice", dust("bob"))
    with chain.refuses(FULL):
        chain.apply("alice", dust("carol"))
    assert counts(chain, "alice") == (COMMON, 3, 3)
    assert counts(chain, "carol") == (bank, 0, FUNDED)


def test_quotas_that_begin_late_count_from_then_on() -> None:
    """
    Given alice, who has made a hold before there were quotas,
    when they begin, bob releases it, and she makes others,
    then the first was never counted, nor taken off, and the others are.
    """
    chain = paid(parameters={**PLENTY, QUOTAS.name: 0}, sections=(seats(("bank", "alice")),))
    made = chain.apply("alice", placing(chain))
    assert made is not None
    done(chain, SetParameter(name=SettingName(QUOTAS.name), value=Count(1)))
    assert counts(chain, "alice") == (COMMON, 0, 0)
    chain.apply("bob", Release(hold=made))
    assert counts(chain, "alice") == (COMMON, 0, 0)
    chain.apply("alice", placing(chain))
    assert counts(chain, "alice") == (COMMON, 1, 1)


def test_counts_are_taken_back_with_a_block_and_are_there_after_a_restart() -> None:
    """
    Given a candidate in which alice makes the last row that there may be,
    when it is discarded, decided again, committed, and the machine starts anew from its rows,
    then the roots are the same, and she has no room more.
    """
    chain = storing(common=1)
    machine, before = chain.machine, chain.machine.state_root
    block = chain.ledger.block(chain.time, (chain.sign("alice", defining("AAA")),))
    root = machine.apply(block).state_root
    machine.discard()
    assert machine.state_root == before
    chain.ledger.commit(machine.apply(block))
    assert machine.state_root == root

    chain.ledger.restart()

    assert chain.ledger.machine.state_root == root
    again = sponsor.storage(chain.ledger.machine.view(sponsor.module), alice)
    assert (again.rows, again.together, again.most) == (1, 1, 1)


def test_a_replay_on_a_machine_that_restarts_comes_to_the_same_counts() -> None:
    """
    Given two chains of one genesis, of which one starts anew between any two blocks,
    when the same transactions come, of which some have no room,
    then all roots are the same, and so is the count in common.
    """
    chain, other = storing(), storing()
    for sender, code in (("alice", "AAA"), ("bob", "BBB"), ("mallory", "CCC")):
        wire, time = chain.sign(sender, defining(code)), chain.time
        chain.block(wire)
        other.ledger.restart()
        decided = other.ledger.machine.apply(other.ledger.block(time, (wire,)))
        other.ledger.commit(decided)
        assert decided.state_root == chain.machine.state_root
    assert chain.decided.results[0].number == FULL.number
    row = other.ledger.machine.row(stored_by_payer, COMMON)
    assert row is not None and stored_by_payer.decode(row).rows == 2


def test_a_dry_run_tells_that_there_is_no_room() -> None:
    """
    Given all rows in common taken,
    when bob asks what another one would do,
    then he is told, and nothing has changed.
    """
    chain = storing(common=1)
    chain.apply("alice", defining("AAA"))
    root = chain.machine.state_root
    asked = payload_bytes(chain.machine.chain, bob, 1, chain.in_days(1), (defining("BBB"),))
    assert chain.machine.dry_run(asked, chain.time).number == FULL.number
    assert chain.machine.state_root == root
