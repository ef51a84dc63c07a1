"""Recovery: guardians together give an account other keys, slowly enough that its owner can object.

First the story of a lost phone and that of a theft by guardians; then each rule.
"""

from __future__ import annotations

import pytest

from tests.modules.account_steps import NOBODY, PAYMENT, opening, shown, weighted
from tests.modules.guardian_steps import (
    KEYS,
    MONTH_MS,
    WAIT_MS,
    agreed,
    asked,
    asking,
    guarded,
    guardians,
    key_names,
    pass_time,
    public,
    recovered,
    told,
    under_way,
    when_due,
    with_both_keys,
)
from tongbao.kernel import Amount, Id, Invalid, Small, Time
from tongbao.modules import account, asset
from tongbao.modules.account import (
    AddKey,
    ApproveRecovery,
    Before,
    Recovery,
    VetoRecovery,
    Why,
)
from tongbao.testing import CNY, Chain, alice, bob, carol

NOWHERE = Id("cd" * 20)
NEW = ("new-phone", "new-paper")
STOLEN = ("stolen-one", "stolen-two")


def test_recovery_after_a_lost_phone_works(chain: Chain) -> None:
    """
    Given dave, who has lost his phone, has a key on paper, and named bob, carol and the bank,
    when he shows bob a new phone, bob asks for its key and the one on paper, carol agrees, and a
    thief with the old phone tries to veto,
    then the thief can't, dave's account has the new keys when the wait is over, the old phone signs
    nothing any more, and the address and the money are the same.
    """
    dave = guarded(chain)
    request = asked(chain, "bob", dave, "new-phone", "paper")
    chain.apply("carol", ApproveRecovery(recovery=request))
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("dave", VetoRecovery(recovery=request), signed_by=("phone",))
    row = under_way(chain, request)
    assert row is not None
    pass_time(chain, row.due_at - chain.machine.time - 1)
    assert key_names(chain, dave, "new-phone") == list(KEYS)
    pass_time(chain, 1)

    assert key_names(chain, dave, "new-phone") == ["new-phone", "paper"]
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("dave", PAYMENT, signed_by=("alice",))
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("dave", PAYMENT, signed_by=("phone",))
    chain.apply("dave", PAYMENT, signed_by=("new-phone",))
    held = asset.balance(chain.view(asset.module), dave, CNY)
    assert held is not None and str(held.amount) == "99.00"


def test_theft_by_guardians_alone_does_not_work(chain: Chain) -> None:
    """
    Given dave with both his keys, and all his guardians against him,
    when they ask for keys of theirs and agree, he sees it and vetoes, and they do so again,
    then he vetoes that too, and has his keys and money when all waits are over.
    """
    dave = guarded(chain)
    for _ in range(2):
        request = agreed(chain, dave, *STOLEN)
        [(found, row)] = account.recoveries_under_way(chain.view(account.module), dave).rows
        assert (found, row.waits, row.due_at) == (request, True, chain.machine.time + WAIT_MS)
        with_both_keys(chain, VetoRecovery(recovery=request))
        assert under_way(chain, request) is None
    pass_time(chain, 2 * WAIT_MS)

    assert key_names(chain, dave) == list(KEYS)
    chain.apply("dave", PAYMENT)


def test_too_few_guardians_come_to_nothing(chain: Chain) -> None:
    """
    Given bob alone, who asks for keys of his,
    when nobody agrees until the wait is over,
    then the request lapses, and dave had nothing to do.
    """
    dave = guarded(chain)
    request = asked(chain, "bob", dave, *STOLEN)
    row = under_way(chain, request)
    now = chain.machine.time
    assert row == Recovery(
        account=dave,
        keys=tuple(map(weighted, STOLEN)),
        ordinary=Small(1),
        sensitive=Small(2),
        approvals=(bob,),
        asked_at=Time(now),
        due_at=Time(now + WAIT_MS),
    )
    pass_time(chain, WAIT_MS)

    assert under_way(chain, request) is None
    assert key_names(chain, dave) == list(KEYS)


def test_a_thief_who_fooled_guardians_loses_what_he_gained(chain: Chain) -> None:
    """
    Given a thief whom bob and carol took for dave, so that dave's account has the thief's keys,
    when dave comes to bob and carol, they ask for keys of his, and the thief vetoes within and
    after the 30 days,
    then the thief's keys are too young for that, and dave has his account back.
    """
    dave = guarded(chain)
    recovered(chain, dave, *STOLEN)
    pass_time(chain, MONTH_MS - 2)
    request = agreed(chain, dave, *NEW)
    with chain.refuses(Why.KEYS_ARE_TOO_YOUNG):
        chain.apply("dave", VetoRecovery(recovery=request), signed_by=STOLEN)
    chain.advance(WAIT_MS // 2)
    with chain.refuses(Why.KEYS_ARE_TOO_YOUNG):
        chain.apply("dave", VetoRecovery(recovery=request), signed_by=STOLEN)
    with chain.refuses(Why.KEYS_ARE_TOO_YOUNG):
        veto = VetoRecovery(recovery=request, older=tuple(map(public, STOLEN)))
        chain.apply("dave", veto, signed_by=STOLEN)
    when_due(chain)

    assert key_names(chain, dave, *NEW) == list(NEW)
    before = account.before_recovery(chain.view(account.module), dave)
    assert before is not None and before.recovered_at == chain.machine.time


def test_after_a_month_keys_are_old_enough(chain: Chain) -> None:
    """
    Given dave, whose keys came by a recovery 30 days ago,
    when guardians ask for others and he vetoes,
    then that is the end of it.
    """
    dave = guarded(chain)
    recovered(chain, dave, *NEW)
    pass_time(chain, MONTH_MS)
    request = agreed(chain, dave, *STOLEN)
    chain.apply("dave", VetoRecovery(recovery=request), signed_by=NEW)

    assert under_way(chain, request) is None


def test_older_keys_have_a_veto_at_once(chain: Chain) -> None:
    """
    Given dave, who lost his phone, found it after the recovery, and kept the key on paper,
    when guardians ask for other keys within 30 days,
    then one older key is too little, one that only says it signs is invalid, and both together
    with the keys of today are a veto.
    """
    dave = guarded(chain)
    recovered(chain, dave, "new-phone", "paper")
    request = agreed(chain, dave, *STOLEN)
    today = ("new-phone", "paper")
    half = VetoRecovery(recovery=request, older=(public("paper"),))
    whole = VetoRecovery(recovery=request, older=tuple(map(public, KEYS)))

    with chain.refuses(Why.KEYS_ARE_TOO_YOUNG):
        chain.apply("dave", half, signed_by=today)
    with chain.is_invalid(Invalid.NEW_KEY_HAS_NOT_SIGNED):
        chain.apply("dave", whole, signed_by=today)
    chain.apply("dave", whole, signed_by=today, also_sign=("phone",))

    assert under_way(chain, request) is None


def test_the_first_recovery_of_a_month_counts(chain: Chain) -> None:
    """
    Given dave's account, which a thief and then dave recovered within 30 days,
    when it is asked whose it was before,
    then it is dave as he was before the thief.
    """
    dave = guarded(chain)
    agreed(chain, dave, *STOLEN)
    pass_time(chain, WAIT_MS)
    first = chain.machine.time
    recovered(chain, dave, *NEW)

    assert account.before_recovery(chain.view(account.module), dave) == Before(
        recovered_at=Time(first), keys=tuple(map(weighted, KEYS)), sensitive=Small(2)
    )


def test_a_recovery_that_is_carried_out_is_told(chain: Chain) -> None:
    """
    Given a recovery of dave's account that waits,
    when its time comes,
    then the block says whose account it was, and lanes stay as they were.
    """
    dave = guarded(chain)
    chain.apply("dave", account.SetLanes(lanes=Small(3)))
    request = agreed(chain, dave, *NEW)
    pass_time(chain, WAIT_MS)

    assert told(chain) == [{"@type": "account.recovered", "account": dave, "recovery": request}]
    assert shown(chain, dave).lanes == 3


def test_a_wait_in_which_nobody_could_object_begins_once_more(chain: Chain) -> None:
    """
    Given a recovery that waits, and a chain that makes no block for a week,
    when it goes on,
    then the recovery waits once more instead of being carried out before anybody can say no, and
    dave says no; had he not, it would have been carried out then, however late.
    """
    dave = guarded(chain)
    request = agreed(chain, dave, *STOLEN)
    pass_time(chain, 2 * WAIT_MS)
    row = under_way(chain, request)
    assert row is not None
    assert (row.due_at, row.postponed) == (chain.machine.time + WAIT_MS, True)
    with_both_keys(chain, VetoRecovery(recovery=request))

    agreed(chain, dave, *NEW)
    for _ in range(2):
        pass_time(chain, 2 * WAIT_MS)
    assert key_names(chain, dave, *NEW) == list(NEW)


def test_only_guardians_ask_and_approve_and_each_once(chain: Chain) -> None:
    """
    Given dave and his guardians,
    when mallory and dave ask, mallory approves, bob approves his own request once more, and
    somebody approves what nobody has asked for,
    then all are refused.
    """
    dave = guarded(chain)
    request = asked(chain, "bob", dave, *NEW)

    with chain.refuses(Why.SENDER_IS_NOT_GUARDIAN):
        chain.apply("mallory", asking(dave, *STOLEN), also_sign=STOLEN)
    with chain.refuses(Why.SENDER_IS_NOT_GUARDIAN):
        chain.apply("bob", asking(alice, *STOLEN), also_sign=STOLEN)
    with chain.refuses(Why.SENDER_IS_NOT_GUARDIAN):
        chain.apply("mallory", ApproveRecovery(recovery=request))
    with chain.refuses(Why.SENDER_HAS_APPROVED):
        chain.apply("bob", ApproveRecovery(recovery=request))
    with chain.refuses(Why.RECOVERY_NOT_FOUND):
        chain.apply("bob", ApproveRecovery(recovery=NOWHERE))


def test_a_veto_is_the_owner_s(chain: Chain) -> None:
    """
    Given a recovery of dave's account,
    when mallory vetoes it, and dave one that is not there,
    then both are refused.
    """
    dave = guarded(chain)
    request = asked(chain, "bob", dave, *NEW)

    with chain.refuses(Why.RECOVERY_NOT_FOUND):
        chain.apply("mallory", VetoRecovery(recovery=request))
    with chain.refuses(Why.RECOVERY_NOT_FOUND):
        with_both_keys(chain, VetoRecovery(recovery=NOWHERE))


def test_asking_again_replaces_what_one_has_asked_for(chain: Chain) -> None:
    """
    Given bob, who mistyped a key, and the bank, which has asked for others,
    when bob asks again,
    then his first request is gone and the bank's is not: nobody fills the list.
    """
    dave = guarded(chain)
    mistyped = asked(chain, "bob", dave, *STOLEN)
    other = asked(chain, "bank", dave, *NEW)
    again = asked(chain, "bob", dave, *NEW)

    rows = account.recoveries_under_way(chain.view(account.module), dave).rows
    assert sorted(name for name, _ in rows) == sorted((other, again))
    assert under_way(chain, mistyped) is None


def test_one_recovery_waits_at_a_time(chain: Chain) -> None:
    """
    Given two requests, one of which enough guardians have agreed to,
    when the other is approved, and when a guardian asks for a third,
    then both are refused until the first has ended.
    """
    dave = guarded(chain)
    second = asked(chain, "bank", dave, *STOLEN)
    agreed(chain, dave, *NEW)

    with chain.refuses(Why.RECOVERY_WAITS):
        chain.apply("bob", ApproveRecovery(recovery=second))
    with chain.refuses(Why.RECOVERY_WAITS):
        chain.apply("bank", asking(dave, *STOLEN), also_sign=STOLEN)


def test_new_keys_must_sign_and_be_such_as_an_account_may_have(chain: Chain) -> None:
    """
    Given bob, who asks for keys of dave's,
    when one has not signed, when one of them would have a veto alone, and when the threshold is out
    of reach,
    then nothing is asked for.
    """
    dave = guarded(chain)
    alone = account.ProposeRecovery(
        account=dave, keys=(weighted("new-phone"),), ordinary=Small(1), sensitive=Small(1)
    )
    beyond = account.ProposeRecovery(
        account=dave, keys=(weighted("new-phone"),), ordinary=Small(1), sensitive=Small(2)
    )

    with chain.is_invalid(Invalid.NEW_KEY_HAS_NOT_SIGNED):
        chain.apply("bob", asking(dave, *NEW), also_sign=NEW[:1])
    with chain.refuses(Why.ONE_KEY_IS_ENOUGH):
        chain.apply("bob", alone, also_sign=("new-phone",))
    with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
        chain.apply("bob", beyond, also_sign=("new-phone",))


def test_guardians_are_other_open_accounts_that_can_agree(chain: Chain) -> None:
    """
    Given alice with one key, and dave's account,
    when guardians are doubled, herself, nobody, too few or too many for the threshold,
    then it is refused; and so it is for who has a key that suffices alone.
    """
    guarded(chain)
    dave = chain.address("dave")

    with chain.refuses(Why.GUARDIAN_IS_DOUBLED):
        with_both_keys(chain, guardians(bob, bob))
    for nobody in (dave, NOBODY, asset.module.vault):
        with chain.refuses(Why.GUARDIAN_NOT_FOUND):
            with_both_keys(chain, guardians(bob, nobody))
    for named, threshold in (((bob,), 2), ((bob, carol), 0), ((), 1)):
        with chain.refuses(Why.GUARDIANS_ARE_OUT_OF_REACH):
            with_both_keys(chain, guardians(*named, threshold=threshold))
    with chain.refuses(Why.ONE_KEY_IS_ENOUGH):
        chain.apply("alice", guardians(bob, carol))


def test_a_chain_may_choose_another_wait() -> None:
    """
    Given a chain whose genesis says one hour,
    when guardians agree,
    then the recovery waits an hour.
    """
    chain = Chain(parameters={account.WAIT_MS.name: account.WAIT_MS.low})
    dave = guarded(chain)
    agreed(chain, dave, *NEW)
    pass_time(chain, account.WAIT_MS.low)

    assert key_names(chain, dave, *NEW) == list(NEW)


@pytest.mark.parametrize("places", [1, 10])
def test_up_to_ten_guardians(chain: Chain, places: int) -> None:
    """
    Given dave, and one account or ten that he trusts,
    when one of one, or all of ten must agree, and do,
    then the recovery waits with the last approval and not before.
    """
    names = [f"friend-{count}" for count in range(places)]
    friends = [chain.open_account(name) for name in names]
    opened = chain.apply("bank", opening(*KEYS, sensitive=2), also_sign=KEYS)
    assert opened is not None
    dave = chain.name("dave", opened, "phone")
    with_both_keys(chain, guardians(*friends, threshold=places))
    request = asked(chain, names[0], dave, *NEW)
    for name in names[1:]:
        row = under_way(chain, request)
        assert row is not None and not row.waits
        chain.apply(name, ApproveRecovery(recovery=request))

    row = under_way(chain, request)
    assert row is not None and row.waits and row.approvals == tuple(friends)


def test_a_new_owner_can_add_keys_after_the_recovery(chain: Chain) -> None:
    """
    Given dave, who came back by a recovery,
    when he adds a third key with his new ones and waits,
    then he has three, and mallory, who knows nothing of all this, pays the same address.
    """
    dave = guarded(chain)
    recovered(chain, dave, *NEW)
    chain.apply("dave", AddKey(added=weighted("spare")), signed_by=NEW, also_sign=("spare",))
    pass_time(chain, WAIT_MS)
    chain.apply("mallory", asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=dave))

    assert key_names(chain, dave, *NEW, "spare") == [*NEW, "spare"]
