"""Who signs for an account: thresholds, sponsors, lanes, and those who are not asked."""

from __future__ import annotations

from tests.modules.account_steps import (
    NOBODY,
    PAYMENT,
    THREE,
    opening,
    shown,
    two_of_three,
    weighted,
)
from tongbao.kernel import (
    Amount,
    Invalid,
    Small,
)
from tongbao.modules import asset
from tongbao.modules.account import (
    Account,
    Close,
    RotateKey,
    SetLanes,
    SetThresholds,
)
from tongbao.testing import CNY, Chain, alice, bob, ledger_key, named_key


def test_a_new_account_needs_each_of_its_keys_to_sign(chain: Chain) -> None:
    """
    Given the bank,
    when it opens an account of two keys of which one has signed,
    then the transaction is invalid, so nobody puts another's key to use.
    """
    with chain.is_invalid(Invalid.NEW_KEY_HAS_NOT_SIGNED):
        chain.apply("bank", opening("red", "green"), also_sign=("red",))


def test_a_rotated_key_signs_no_more_and_the_id_stays(chain: Chain) -> None:
    """
    Given bob,
    when he rotates his key,
    then the new one signs for the same address, and the old one does not.
    """
    rotate = RotateKey(old=ledger_key(named_key("bob")).public, new=ledger_key(named_key("bob-2")))

    with chain.is_invalid(Invalid.NEW_KEY_HAS_NOT_SIGNED):
        chain.apply("bob", rotate)
    chain.apply("bob", rotate, also_sign=("bob-2",))
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("bob", PAYMENT)
    chain.apply("bob", PAYMENT, signed_by=("bob-2",))

    assert shown(chain, bob).keys == (weighted("bob-2"),)


def test_what_is_sensitive_needs_the_sensitive_threshold(chain: Chain) -> None:
    """
    Given dave with three keys, of which one signs a payment and two sign what is sensitive,
    when one key pays, one key sets thresholds, and any two keys do,
    then just the one key that sets thresholds is not enough.
    """
    dave = two_of_three(chain)
    change = SetThresholds(ordinary=Small(2), sensitive=Small(2))

    chain.apply("dave", PAYMENT)
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("dave", change)
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("dave", PAYMENT, change)
    chain.apply("dave", change, signed_by=("blue", "green"))
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("dave", PAYMENT)
    chain.apply("dave", PAYMENT, signed_by=("blue", "red"))
    chain.apply("dave", PAYMENT, signed_by=THREE)

    assert (shown(chain, dave).ordinary, shown(chain, dave).sensitive) == (2, 2)


def test_nobody_signs_who_is_not_asked_to(chain: Chain) -> None:
    """
    Given a payment of alice,
    when mallory signs it too,
    then it is invalid, and so it is with a stranger's signature alone.
    """
    payment = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=bob)

    with chain.is_invalid(Invalid.SIGNATURE_IS_NOT_ASKED_FOR):
        chain.apply("alice", payment, also_sign=("mallory",))
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("alice", payment, signed_by=("mallory",))


def test_a_sponsor_signs_what_it_sponsors(chain: Chain) -> None:
    """
    Given the bank as a sponsor of alice,
    when it has not signed, when it has, and when the sponsor is nobody,
    then only the second is applied; who may sign is asked of the sponsor's ordinary threshold.
    """
    payment = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=bob)
    two_of_three(chain)

    with chain.is_invalid(Invalid.SPONSOR_HAS_NOT_SIGNED):
        chain.apply("alice", payment, sponsor="bank")
    with chain.is_invalid(Invalid.SPONSOR_IS_UNKNOWN):
        chain.apply("alice", payment, sponsor=NOBODY, also_sign=("bank",))
    chain.apply("alice", payment, sponsor="bank", also_sign=("bank",))
    chain.apply("alice", payment, sponsor="dave", also_sign=("blue",))
    chain.apply("alice", payment, sponsor="alice")


def test_each_declared_lane_has_nonces_of_its_own(chain: Chain) -> None:
    """
    Given alice with one lane,
    when she declares three, and uses the first nonce of the second and the third,
    then both are applied, the fourth lane is not hers, and a used nonce is used in its lane.
    """
    payment = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=bob)

    with chain.is_invalid(Invalid.LANE_IS_NOT_DECLARED):
        chain.apply("alice", payment, lane=1)
    chain.apply("alice", SetLanes(lanes=Small(3)))
    chain.apply("alice", payment, lane=1, nonce=1)
    chain.apply("alice", payment, lane=2, nonce=1)
    with chain.is_invalid(Invalid.NONCE_WAS_USED):
        chain.apply("alice", payment, lane=2, nonce=1)
    with chain.is_invalid(Invalid.LANE_IS_NOT_DECLARED):
        chain.apply("alice", payment, lane=3)


def test_a_closed_account_keeps_its_heir_and_sends_nothing(chain: Chain) -> None:
    """
    Given bob,
    when he closes his account into alice's,
    then his row has no keys and names her, she has what he had, and he is unknown as a sender.
    """
    chain.apply("bob", Close(heir=alice))

    assert shown(chain, bob) == Account(closed_into=alice)
    assert asset.balance(chain.view(asset.module), alice, CNY) == asset.Holding(
        amount=Amount("2000.00")
    )
    with chain.is_invalid(Invalid.SENDER_IS_UNKNOWN):
        chain.apply("bob", PAYMENT)
    with chain.is_invalid(Invalid.SPONSOR_IS_UNKNOWN):
        chain.apply("alice", PAYMENT, sponsor="bob", also_sign=("bob",))


def test_closing_is_the_last_that_an_account_does(chain: Chain) -> None:
    """
    Given alice,
    when she closes her account and pays in one transaction, in this order and in the other,
    then the first is invalid and the second is applied.
    """
    payment = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=bob)

    with chain.is_invalid(Invalid.MESSAGE_IS_NOT_LAST):
        chain.apply("alice", Close(heir=bob), payment)
    chain.apply("alice", payment, Close(heir=bob))
