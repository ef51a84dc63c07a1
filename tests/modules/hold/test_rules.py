"""Holds: value set aside is paid out by its payee, or comes back by itself; nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modules.reasons_named import unnamed_reasons
from tongbao.kernel import Address, Amount, AssetId, Id, Reference, Time
from tongbao.modules import account, asset, hold
from tongbao.modules.hold import Capture, Hold, Place, Why
from tongbao.testing import CNY, Chain, alice, bank, bob, carol

HOUR_MS = 3_600_000
SOON_MS = 10_000
NOBODY = Address("ab" * 20)
NOWHERE = Id("cd" * 20)


def holding(chain: Chain, owner: Address, held: AssetId = CNY) -> str | None:
    """What somebody holds, as it is written."""
    row = asset.balance(chain.view(asset.module), owner, held)
    return None if row is None else str(row.amount)


def place(chain: Chain, amount: str = "40.00", expires_at: int | None = None) -> Id:
    """A hold of alice for bob, of two days unless told."""
    at = chain.in_days(2) if expires_at is None else Time(expires_at)
    made = chain.apply("alice", Place(payee=bob, asset=CNY, amount=Amount(amount), expires_at=at))
    assert made is not None
    return made


def test_a_hold_sets_value_aside_and_its_payee_captures_it(chain: Chain) -> None:
    """
    Given alice with 1000.00,
    when she places a hold of 40.00 for bob, and he captures it,
    then the vault owns it in between, two movements are told, and bob has it in the end.
    """
    expires_at = chain.in_days(2)
    made = place(chain)
    into_vault = chain.receipt
    row = Hold(payer=alice, payee=bob, asset=CNY, amount=Amount("40.00"), expires_at=expires_at)

    assert hold.show(chain.view(hold.module), made) == row
    assert holding(chain, alice) == "960.00"
    assert holding(chain, hold.module.vault) == "40.00"

    chain.apply("bob", Capture(hold=made))

    assert hold.show(chain.view(hold.module), made) is None
    assert holding(chain, hold.module.vault) is None
    assert holding(chain, bob) == "1040.00"
    moved = asset.Moved(asset=CNY, amount=Amount("40.00"), payer=alice, payee=hold.module.vault)
    assert (into_vault.ids, into_vault.events) == ((made,), (moved,))
    assert chain.receipt.events == (
        asset.Moved(asset=CNY, amount=Amount("40.00"), payer=hold.module.vault, payee=bob),
    )


def test_capture_by_another_than_the_payee_changes_nothing(chain: Chain) -> None:
    """
    Given an open hold of alice for bob,
    when mallory captures it, or alice does,
    then the message is refused and no row of the module or of assets changes.
    """
    made = place(chain)

    with chain.refuses(Why.SENDER_IS_NOT_PAYEE):
        chain.apply("mallory", Capture(hold=made))
    with chain.refuses(Why.SENDER_IS_NOT_PAYEE):
        chain.apply("alice", Capture(hold=made))


def test_a_hold_of_nothing_is_refused_before_all_else(chain: Chain) -> None:
    """
    Given alice,
    when she places a hold of 0.00 that would also have expired,
    then the amount is what is told.
    """
    message = Place(payee=bob, asset=CNY, amount=Amount("0.00"), expires_at=chain.time)

    with chain.refuses(Why.AMOUNT_IS_ZERO):
        chain.apply("alice", message)


@pytest.mark.parametrize("before_ms", [0, 1, HOUR_MS])
def test_a_hold_that_has_expired_already_is_refused(chain: Chain, before_ms: int) -> None:
    """
    Given alice,
    when she places a hold that expires at the block's own time, or before,
    then it is refused.
    """
    past = Time(chain.time - before_ms)

    with chain.refuses(Why.EXPIRY_HAS_PASSED):
        chain.apply("alice", Place(payee=bob, asset=CNY, amount=Amount("1.00"), expires_at=past))


@pytest.mark.parametrize("payee", [NOBODY, hold.module.vault, asset.module.vault])
def test_a_hold_for_nobody_is_refused(chain: Chain, payee: Address) -> None:
    """
    Given alice,
    when she places a hold for an address that is no open account, a vault among them,
    then it is refused, since nobody could capture it.
    """
    at = chain.in_days(1)

    with chain.refuses(Why.PAYEE_NOT_FOUND):
        chain.apply("alice", Place(payee=payee, asset=CNY, amount=Amount("1.00"), expires_at=at))


def test_a_hold_of_more_than_there_is_is_refused_by_assets(chain: Chain) -> None:
    """
    Given alice with 1000.00,
    when she places holds of 1000.01, of three decimals, and of what is no asset,
    then assets refuse, and the hold that would come with them is not there.
    """
    at = chain.in_days(1)

    with chain.refuses(asset.Why.BALANCE_IS_TOO_LOW):
        chain.apply("alice", Place(payee=bob, asset=CNY, amount=Amount("1000.01"), expires_at=at))
    with chain.refuses(asset.Why.DECIMALS_DIFFER):
        chain.apply("alice", Place(payee=bob, asset=CNY, amount=Amount("1.000"), expires_at=at))
    with chain.refuses(asset.Why.ASSET_NOT_FOUND):
        other = AssetId(f"EUR.{bank}")
        chain.apply("alice", Place(payee=bob, asset=other, amount=Amount("1.00"), expires_at=at))


def test_what_is_not_an_open_hold_is_not_captured(chain: Chain) -> None:
    """
    Given a hold that was captured,
    when it is captured once more, and when an id of nothing is,
    then both are refused.
    """
    made = place(chain)
    chain.apply("bob", Capture(hold=made))

    for unknown in (made, NOWHERE):
        with chain.refuses(Why.HOLD_NOT_FOUND):
            chain.apply("bob", Capture(hold=unknown))


def test_a_hold_is_captured_until_the_last_moment(chain: Chain) -> None:
    """
    Given a hold that expires in ten seconds,
    when bob captures it one millisecond before,
    then he has it.
    """
    expires_at = chain.time + SOON_MS
    made = place(chain, expires_at=expires_at)
    chain.advance_to(expires_at - 1)

    chain.apply("bob", Capture(hold=made))

    assert holding(chain, bob) == "1040.00"


def test_a_hold_comes_back_at_the_moment_it_expires(chain: Chain) -> None:
    """
    Given a hold that expires in ten seconds, and the machine that says so,
    when a block is made at that very time,
    then alice has it back, the block tells the movement, and bob finds no hold.
    """
    expires_at = chain.time + SOON_MS
    made = place(chain, expires_at=expires_at)
    assert chain.machine.next_due() == expires_at
    chain.advance_to(expires_at)

    decided = chain.block()

    assert decided.due == (
        b'{"done":1,"events":[{"@type":"asset.moved","amount":"40.00","asset":"%b","payee":"%b",'
        b'"payer":"%b"}]}' % (CNY.encode(), alice.encode(), hold.module.vault.encode())
    )
    assert holding(chain, alice) == "1000.00"
    assert chain.machine.next_due() is None
    with chain.refuses(Why.HOLD_NOT_FOUND):
        chain.apply("bob", Capture(hold=made))


def test_holds_come_back_a_few_a_block_oldest_first() -> None:
    """
    Given a chain whose blocks do two due items, and five holds that expire one after the other,
    when three blocks are made after the last has expired,
    then two, two and one come back, and those still waiting can't be captured either.
    """
    chain = Chain(parameters={"kernel.due_items": 2})
    times = [chain.time + HOUR_MS + count for count in range(5)]
    made = [place(chain, f"{count + 1}.00", at) for count, at in enumerate(times)]
    chain.advance_to(times[-1])
    open_after = []

    with chain.refuses(Why.HOLD_HAS_EXPIRED):
        chain.apply("bob", Capture(hold=made[4]))
    for _ in range(3):
        page = hold.placed_by(chain.view(hold.module), alice)
        open_after.append({found for found, _ in page.rows})
        chain.block()

    assert open_after == [set(made[2:]), {made[4]}, set()]
    assert holding(chain, alice) == "1000.00"


def test_whoever_has_placed_a_hold_does_not_close(chain: Chain) -> None:
    """
    Given an open hold of alice for bob,
    when alice closes her account before it is over, and again afterwards,
    then she is refused first, since it may come back to her; later her heir has all of it.
    """
    expires_at = chain.time + SOON_MS
    place(chain, expires_at=expires_at)

    with chain.refuses(Why.PAYER_CANNOT_CLOSE):
        chain.apply("alice", account.Close(heir=carol))
    chain.advance_to(expires_at)
    chain.apply("alice", account.Close(heir=carol))

    assert holding(chain, carol) == "2000.00"


def test_a_hold_for_an_account_that_closes_comes_back(chain: Chain) -> None:
    """
    Given an open hold of alice for bob,
    when bob closes his account into carol's and the hold expires,
    then carol can't capture it, and alice has it back.
    """
    expires_at = chain.time + SOON_MS
    made = place(chain, expires_at=expires_at)
    chain.apply("bob", account.Close(heir=carol))

    with chain.refuses(Why.SENDER_IS_NOT_PAYEE):
        chain.apply("carol", Capture(hold=made))
    chain.advance_to(expires_at)
    chain.block()

    assert holding(chain, alice) == "1000.00"


def test_the_vault_takes_nothing_but_from_its_module(chain: Chain) -> None:
    """
    Given the vault of holds,
    when alice pays to its address,
    then she is refused, for its content is the sum of the open holds and nothing else.
    """
    message = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=hold.module.vault)

    with chain.refuses(asset.Why.VAULT_IS_CLOSED):
        chain.apply("alice", message)


def test_nothing_is_issued_into_a_vault(chain: Chain) -> None:
    """
    Given the bank,
    when it issues straight into the vault of holds,
    then it is refused, for its content is the sum of the open holds and nothing else.
    """
    issue = asset.Issue(
        asset=CNY,
        amount=Amount("1.00"),
        payee=hold.module.vault,
        reference=Reference("into-vault"),
    )

    with chain.refuses(asset.Why.VAULT_IS_CLOSED):
        chain.apply("bank", issue)


def test_holds_are_listed_for_payee_and_payer(chain: Chain) -> None:
    """
    Given holds of alice for bob, and one of carol for bob,
    when they are asked for by payee and by payer,
    then each list has just its own, in the order of ids.
    """
    first, second = place(chain, "1.00"), place(chain, "2.00")
    at = chain.in_days(2)
    third = chain.apply("carol", Place(payee=bob, asset=CNY, amount=Amount("3.00"), expires_at=at))
    view = chain.view(hold.module)

    assert [found for found, _ in hold.held_for(view, bob).rows] == sorted(
        (first, second, third), key=str
    )
    assert [found for found, _ in hold.placed_by(view, alice).rows] == sorted((first, second))
    assert hold.held_for(view, alice).rows == ()


def test_a_refusal_takes_back_the_hold_before_it(chain: Chain) -> None:
    """
    Given alice,
    when one transaction of hers places a hold and then captures one of nobody's,
    then the hold is not there, the receipt names the second message, and no value has moved.
    """
    at = chain.in_days(1)

    with chain.refuses(Why.HOLD_NOT_FOUND):
        chain.apply(
            "alice",
            Place(payee=bob, asset=CNY, amount=Amount("1.00"), expires_at=at),
            Capture(hold=NOWHERE),
        )

    assert chain.receipt.message == 1
    assert hold.placed_by(chain.view(hold.module), alice).rows == ()


def test_every_reason_of_holds_is_reached() -> None:
    """
    Given the reasons of the module,
    when they are looked for in the tests of this folder,
    then each of them is expected somewhere by its name.
    """
    assert unnamed_reasons(hold.module, Path(__file__)) == []
