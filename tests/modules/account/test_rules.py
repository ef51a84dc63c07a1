"""Accounts: who signs, with which keys, and what they can and can't do to themselves."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modules.account_steps import NOBODY, THREE, opening, shown, two_of_three, weighted
from tests.modules.reasons_named import unnamed_reasons
from tongbao.kernel import (
    Address,
    Id,
    Key,
    Small,
    WeightedKey,
)
from tongbao.kernel.identifiers import derived_id
from tongbao.modules import account, asset
from tongbao.modules.account import (
    Account,
    AddKey,
    Close,
    Open,
    RemoveKey,
    RotateKey,
    SetLanes,
    SetThresholds,
    Why,
)
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.testing import Chain, MixedOrderKey, alice, bank, bob, ledger_key, named_key


def test_an_account_is_opened_under_a_derived_id(chain: Chain) -> None:
    """
    Given the bank,
    when it opens an account for a key that signs too,
    then its id is derived from sender, lane, nonce and place, and its row is what was asked.
    """
    nonce = 42
    opened = chain.apply("bank", opening("red", lanes=3), also_sign=("red",), nonce=nonce)

    assert opened == derived_id(
        b"id", bytes.fromhex(bank), bytes(2), nonce.to_bytes(8, "big"), bytes(2), bytes(4)
    )
    assert shown(chain, Address(opened)) == Account(
        keys=(weighted("red"),), ordinary=Small(1), sensitive=Small(1), lanes=Small(3)
    )


def test_accounts_of_genesis_have_ids_by_their_place(chain: Chain) -> None:
    """
    Given a chain whose genesis lists five accounts,
    when the sixth place is asked for,
    then there is none, and the first is the bank's.
    """
    assert shown(chain, genesis_address(0)).keys == (weighted("bank"),)
    assert account.show(chain.view(account.module), genesis_address(5)) is None
    assert bank == genesis_address(0)


def test_an_account_has_each_key_once(chain: Chain) -> None:
    """
    Given alice,
    when she opens an account with one key twice, and adds her own key to hers,
    then both are refused.
    """
    with chain.refuses(Why.KEY_IS_DOUBLED):
        chain.apply("alice", opening("red", "red"), also_sign=("red",))
    with chain.refuses(Why.KEY_IS_DOUBLED):
        chain.apply("alice", AddKey(added=weighted("alice")))


@pytest.mark.parametrize("algorithm", [0, 2, 3, 65_535])
def test_a_key_is_of_a_supported_algorithm(chain: Chain, algorithm: int) -> None:
    """
    Given alice,
    when she rotates to a key said to be of an algorithm that is only reserved,
    then she is refused.
    """
    new = Key(algorithm=Small(algorithm), public=ledger_key(named_key("red")).public)

    with chain.refuses(Why.ALGORITHM_IS_NOT_SUPPORTED):
        chain.apply(
            "alice",
            RotateKey(old=ledger_key(named_key("alice")).public, new=new),
            also_sign=("red",),
        )


def test_a_key_of_mixed_order_is_not_acceptable(chain: Chain) -> None:
    """
    Given a key with a part of small order, whose signature is right all the same,
    when alice adds it, and when an account is opened with it,
    then both are refused: what it signs would come and go with the message.
    """
    mixed = MixedOrderKey("mallory's")
    entry = WeightedKey(key=ledger_key(mixed), weight=Small(1))
    opened = Open(keys=(entry,), ordinary=Small(1), sensitive=Small(1), lanes=Small(1))

    with chain.refuses(Why.KEY_IS_NOT_ACCEPTABLE):
        chain.apply("alice", AddKey(added=entry), also_sign=(mixed,))
    with chain.refuses(Why.KEY_IS_NOT_ACCEPTABLE):
        chain.apply("alice", opened, also_sign=(mixed,))


@pytest.mark.parametrize(("weight", "good"), [(0, False), (1, True), (255, True), (256, False)])
def test_a_key_weighs_from_1_to_255(chain: Chain, weight: int, good: bool) -> None:
    """
    Given alice,
    when she adds a key of weight 0, 1, 255 and 256,
    then those outside of 1 to 255 are refused.
    """
    message = AddKey(added=weighted("red", weight))

    if good:
        chain.apply("alice", message, also_sign=("red",))
        assert shown(chain, alice).keys[1].weight == weight
    else:
        with chain.refuses(Why.WEIGHT_IS_ZERO):
            chain.apply("alice", message, also_sign=("red",))


@pytest.mark.parametrize(("ordinary", "sensitive"), [(0, 1), (0, 0), (2, 1), (1, 3), (3, 3)])
def test_thresholds_are_in_reach_and_in_order(chain: Chain, ordinary: int, sensitive: int) -> None:
    """
    Given two keys of weight 1,
    when thresholds are not 1 <= ordinary <= sensitive <= 2,
    then neither an account opens with them, nor does one change to them.
    """
    message = opening("red", "green", ordinary=ordinary, sensitive=sensitive)
    change = SetThresholds(ordinary=Small(ordinary), sensitive=Small(sensitive))
    chain.apply("alice", AddKey(added=weighted("green")), also_sign=("green",))

    with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
        chain.apply("alice", message, also_sign=("red", "green"))
    with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
        chain.apply("alice", change)


def test_an_account_has_at_most_sixteen_keys(chain: Chain) -> None:
    """
    Given an account opened with 15 keys, which with the sender's are all that may sign at once,
    when a sixteenth is added, and a seventeenth,
    then only the last is refused.
    """
    names = [f"key-{count}" for count in range(17)]
    opened = chain.apply("bank", opening(*names[:15]), also_sign=names[:15])
    assert opened is not None
    chain.name("many", opened, names[0])

    chain.apply("many", AddKey(added=weighted(names[15])), also_sign=(names[15],))
    with chain.refuses(Why.TOO_MANY_KEYS):
        chain.apply("many", AddKey(added=weighted(names[16])), also_sign=(names[16],))

    assert len(shown(chain, Address(opened)).keys) == 16


def test_a_rotated_key_keeps_its_weight(chain: Chain) -> None:
    """
    Given alice with a second key of weight 7,
    when she rotates that one,
    then the new one weighs 7, in the same place.
    """
    chain.apply("alice", AddKey(added=weighted("heavy", 7)), also_sign=("heavy",))
    old = ledger_key(named_key("heavy")).public
    chain.apply("alice", RotateKey(old=old, new=weighted("new").key), also_sign=("new",))

    assert shown(chain, alice).keys == (weighted("alice"), weighted("new", 7))


def test_only_a_key_that_is_there_goes(chain: Chain) -> None:
    """
    Given alice with one key,
    when she removes and rotates a key of bob's,
    then both are refused.
    """
    other = ledger_key(named_key("bob")).public

    with chain.refuses(Why.KEY_NOT_FOUND):
        chain.apply("alice", RemoveKey(removed=other))
    with chain.refuses(Why.KEY_NOT_FOUND):
        chain.apply("alice", RotateKey(old=other, new=weighted("red").key), also_sign=("red",))


def test_the_keys_left_still_reach_both_thresholds(chain: Chain) -> None:
    """
    Given alice with one key, and dave with three of which two must sign what is sensitive,
    when alice removes hers, and dave removes one and then another,
    then alice and dave's second are refused: nobody locks an account.
    """
    two_of_three(chain)
    removals = [RemoveKey(removed=ledger_key(named_key(name)).public) for name in THREE]

    with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
        chain.apply("alice", RemoveKey(removed=ledger_key(named_key("alice")).public))
    chain.apply("dave", removals[2], also_sign=("green",))
    with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
        chain.apply("dave", removals[1], also_sign=("green",))


@pytest.mark.parametrize("lanes", [0, 1, 17, 65_535])
def test_lanes_never_become_fewer_nor_more_than_sixteen(chain: Chain, lanes: int) -> None:
    """
    Given alice with two lanes,
    when she declares fewer, or more than 16, and when an account opens with none or 17,
    then it is refused.
    """
    chain.apply("alice", SetLanes(lanes=Small(2)))

    with chain.refuses(Why.LANES_OUT_OF_RANGE):
        chain.apply("alice", SetLanes(lanes=Small(lanes)))
    with chain.refuses(Why.LANES_OUT_OF_RANGE):
        chain.apply("alice", opening("red", lanes=lanes if lanes != 1 else 0), also_sign=("red",))


def test_an_heir_is_another_open_account(chain: Chain) -> None:
    """
    Given bob who has closed his account,
    when alice closes hers into her own, into bob's, into nobody's and into a vault,
    then all are refused.
    """
    chain.apply("bob", Close(heir=alice))

    for heir in (alice, bob, NOBODY, asset.module.vault):
        with chain.refuses(Why.HEIR_NOT_FOUND):
            chain.apply("alice", Close(heir=heir))


def test_a_refusal_takes_back_the_account_before_it(chain: Chain) -> None:
    """
    Given alice,
    when one transaction of hers opens an account and then removes a key that is not hers,
    then there is no such account, and only her nonce is used.
    """
    nonce = 7
    unknown = RemoveKey(removed=ledger_key(named_key("bob")).public)
    with chain.refuses(Why.KEY_NOT_FOUND):
        chain.apply("alice", opening("red"), unknown, also_sign=("red",), nonce=nonce)

    derived: Id = derived_id(
        b"id", bytes.fromhex(alice), bytes(2), nonce.to_bytes(8, "big"), bytes(2), bytes(4)
    )
    assert account.show(chain.view(account.module), Address(derived)) is None
    assert chain.receipt.message == 1


def test_every_reason_of_accounts_is_reached() -> None:
    """
    Given the reasons of the module,
    when they are looked for in the tests of this folder,
    then each of them is expected somewhere by its name.
    """
    assert unnamed_reasons(account.module, Path(__file__)) == []
