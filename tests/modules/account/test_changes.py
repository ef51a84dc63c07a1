"""Changes of an account with guardians wait: a thief's can be undone before they are made."""

from __future__ import annotations

from tests.modules.account_steps import opening, shown, weighted
from tests.modules.guardian_steps import (
    KEYS,
    MONTH_MS,
    WAIT_MS,
    agreed,
    asked,
    guarded,
    guardians,
    key_names,
    pass_time,
    public,
    recovered,
    told,
    under_way,
    with_both_keys,
)
from tongbao.kernel import Address, Amount, Invalid, Small, Time
from tongbao.modules import account, asset, hold
from tongbao.modules.account import (
    AddKey,
    CancelChange,
    Change,
    Close,
    Guard,
    RemoveKey,
    RotateKey,
    SetThresholds,
    SubAccount,
    VetoRecovery,
    Why,
)
from tongbao.testing import CNY, Chain, alice, bank, bob, carol

NEW = ("new-phone", "new-paper")
STOLEN = ("stolen-one", "stolen-two")


def waiting(chain: Chain, of: Address) -> Change | None:
    """What an account waits to become."""
    return account.change(chain.view(account.module), of)


def test_keys_of_a_guarded_account_change_after_the_wait(chain: Chain) -> None:
    """
    Given dave with guardians,
    when he adds a spare key, lets his phone go, and raises a threshold, in two transactions,
    then nothing has changed yet, all of it waits from the second one on, and then it is so.
    """
    dave = guarded(chain)
    add, remove = AddKey(added=weighted("spare")), RemoveKey(removed=public("phone"))
    with_both_keys(chain, add, also=("spare",))
    chain.advance(WAIT_MS // 2)
    with_both_keys(chain, remove, SetThresholds(ordinary=Small(2), sensitive=Small(2)))

    now = chain.machine.time
    assert key_names(chain, dave) == list(KEYS)
    assert waiting(chain, dave) == Change(
        keys=(weighted("paper"), weighted("spare")),
        ordinary=Small(2),
        sensitive=Small(2),
        guardians=(bob, carol, bank),
        threshold=Small(2),
        due_at=Time(now + WAIT_MS),
    )
    pass_time(chain, WAIT_MS)
    assert key_names(chain, dave, "spare") == ["paper", "spare"]
    assert shown(chain, dave).ordinary == 2
    assert waiting(chain, dave) is None
    assert told(chain) == [{"@type": "account.changed", "account": dave}]


def test_a_change_is_taken_back_by_both_keys_and_not_by_the_phone(chain: Chain) -> None:
    """
    Given dave, whose change waits,
    when a thief with his phone takes it back, and then dave with both keys does, twice,
    then the thief's is invalid, so nobody with the phone keeps it in the account; dave's is done
    once, and nothing waits.
    """
    dave = guarded(chain)
    with_both_keys(
        chain, RotateKey(old=public("phone"), new=weighted("spare").key), also=("spare",)
    )
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("dave", CancelChange())
    with_both_keys(chain, CancelChange())
    with chain.refuses(Why.CHANGE_NOT_FOUND):
        with_both_keys(chain, CancelChange())
    pass_time(chain, 2 * WAIT_MS)

    assert key_names(chain, dave) == list(KEYS)


def test_a_thief_with_both_keys_can_t_change_guardians_before_they_act(chain: Chain) -> None:
    """
    Given a thief with dave's phone and paper, who names a guardian of his own,
    when bob and carol give dave other keys while that waits,
    then the thief's change is gone, he can't ask for another, and his veto buys him nothing: the
    guardians are the same, and begin again.
    """
    dave = guarded(chain)
    with_both_keys(chain, guardians(alice, threshold=1))
    request = agreed(chain, dave, *NEW)
    assert waiting(chain, dave) is None
    with chain.refuses(Why.RECOVERY_WAITS):
        with_both_keys(chain, guardians(alice, threshold=1))
    with_both_keys(chain, VetoRecovery(recovery=request))
    with_both_keys(chain, guardians(alice, threshold=1))
    agreed(chain, dave, *NEW)
    pass_time(chain, WAIT_MS)

    assert key_names(chain, dave, *NEW) == list(NEW)
    assert account.guardians(chain.view(account.module), dave) == Guard(
        guardians=(bob, carol, bank), threshold=Small(2)
    )


def test_a_thief_s_recovery_does_not_unseat_guardians_for_30_days(chain: Chain) -> None:
    """
    Given a thief who fooled bob and carol and has dave's account,
    when he names other guardians, and closes the account into another one,
    then that waits for the end of the 30 days, and the guardians give dave his account before.
    """
    dave = guarded(chain)
    recovered(chain, dave, *STOLEN)
    since = chain.machine.time
    chain.apply("dave", guardians(alice, threshold=1), signed_by=STOLEN)
    row = waiting(chain, dave)
    assert row is not None and row.due_at == since + MONTH_MS
    chain.apply("dave", CancelChange(), signed_by=STOLEN)
    chain.apply("dave", Close(heir=alice), signed_by=STOLEN)
    row = waiting(chain, dave)
    assert row is not None and (row.heir, row.due_at) == (alice, since + MONTH_MS)
    pass_time(chain, MONTH_MS // 2)
    recovered(chain, dave, *NEW)
    pass_time(chain, MONTH_MS)

    assert account.is_open(chain.view(account.module), dave)
    assert waiting(chain, dave) is None


def test_other_guardians_end_what_those_before_have_asked_for(chain: Chain) -> None:
    """
    Given dave, who replaces his guardians, one of whom has asked for other keys,
    when the wait is over,
    then alice and carol are his guardians, and the request is gone.
    """
    dave = guarded(chain)
    with_both_keys(chain, guardians(alice, carol))
    pass_time(chain, WAIT_MS // 2)
    request = asked(chain, "bob", dave, *STOLEN)
    pass_time(chain, WAIT_MS // 2)

    found = account.guardians(chain.view(account.module), dave)
    assert found == Guard(guardians=(alice, carol), threshold=Small(2))
    assert under_way(chain, request) is None


def test_an_account_without_guardians_changes_at_once_again(chain: Chain) -> None:
    """
    Given dave, who does without guardians, and did the wait,
    when he lets one key suffice,
    then it is so at once.
    """
    dave = guarded(chain)
    with_both_keys(chain, guardians(threshold=0))
    pass_time(chain, WAIT_MS)
    with_both_keys(chain, SetThresholds(ordinary=Small(1), sensitive=Small(1)))

    assert account.guardians(chain.view(account.module), dave) is None
    assert shown(chain, dave).sensitive == 1


def test_a_change_that_comes_late_waits_once_more(chain: Chain) -> None:
    """
    Given a change that waits, and a chain that makes no block for a week, twice,
    when it goes on,
    then the guardians have another wait to act in, and then the change is made.
    """
    dave = guarded(chain)
    with_both_keys(chain, AddKey(added=weighted("spare")), also=("spare",))
    pass_time(chain, 2 * WAIT_MS)
    row = waiting(chain, dave)
    assert row is not None
    assert (row.due_at, row.postponed) == (chain.machine.time + WAIT_MS, True)
    pass_time(chain, 2 * WAIT_MS)

    assert key_names(chain, dave, "spare") == [*KEYS, "spare"]


def test_nobody_without_guardians_has_any_to_lose(chain: Chain) -> None:
    """
    Given alice, who has no guardians,
    when she says that she wants none,
    then nothing changes.
    """
    chain.apply("alice", guardians(threshold=0))

    assert account.guardians(chain.view(account.module), alice) is None


def test_with_guardians_no_key_becomes_enough_alone(chain: Chain) -> None:
    """
    Given dave with guardians,
    when he would let one key suffice for what is sensitive, or add one as heavy as both,
    then it is refused: whoever found that key could veto his recovery.
    """
    guarded(chain)

    with chain.refuses(Why.ONE_KEY_IS_ENOUGH):
        with_both_keys(chain, SetThresholds(ordinary=Small(1), sensitive=Small(1)))
    with chain.refuses(Why.ONE_KEY_IS_ENOUGH):
        with_both_keys(chain, AddKey(added=weighted("heavy", 2)), also=("heavy",))


def test_a_guarded_account_closes_after_the_wait(chain: Chain) -> None:
    """
    Given dave with guardians, one of whom has asked for keys,
    when he closes into alice's account,
    then he pays on meanwhile, what is left is hers at the end of the wait, and there is nobody to
    recover.
    """
    dave = guarded(chain)
    request = asked(chain, "bob", dave, *NEW)
    with_both_keys(chain, Close(heir=alice))
    chain.apply("dave", asset.Transfer(asset=CNY, amount=Amount("40.00"), payee=bob))
    pass_time(chain, WAIT_MS)

    view = chain.view(account.module)
    assert shown(chain, dave).closed_into == alice
    held = asset.balance(chain.view(asset.module), alice, CNY)
    assert held is not None and str(held.amount) == "960.00"
    assert (account.guardians(view, dave), under_way(chain, request)) == (None, None)


def test_closing_is_refused_at_once_where_it_could_not_be_done(chain: Chain) -> None:
    """
    Given dave with guardians and a hold for bob,
    when he closes,
    then it is refused as it would be without guardians, and nothing waits.
    """
    dave = guarded(chain)
    place = hold.Place(payee=bob, asset=CNY, amount=Amount("1.00"), expires_at=chain.in_days(9))
    chain.apply("dave", place)

    with chain.refuses(hold.Why.PAYER_CANNOT_CLOSE):
        with_both_keys(chain, Close(heir=alice))
    with chain.refuses(Why.HEIR_NOT_FOUND):
        with_both_keys(chain, Close(heir=dave))
    assert waiting(chain, dave) is None


def test_closing_that_can_t_be_done_after_the_wait_is_given_up(chain: Chain) -> None:
    """
    Given dave, who closes and then places a hold for nine days,
    when the wait is over,
    then he stays, the number of the refusal is told, and nothing is stuck.
    """
    dave = guarded(chain)
    with_both_keys(chain, Close(heir=alice))
    place = hold.Place(payee=bob, asset=CNY, amount=Amount("1.00"), expires_at=chain.in_days(9))
    chain.apply("dave", place)
    pass_time(chain, WAIT_MS)

    number = hold.Why.PAYER_CANNOT_CLOSE.number
    assert told(chain) == [{"@type": "account.changed", "account": dave, "number": number}]
    assert account.is_open(chain.view(account.module), dave)
    assert waiting(chain, dave) is None


def test_an_institution_sees_the_accounts_under_it(chain: Chain) -> None:
    """
    Given the bank, which opens two tills under its own account and one account for a customer,
    when its accounts are asked for,
    then the two tills are listed with the time at which they were opened.
    """
    tills = []
    for name in ("till-one", "till-two"):
        asked_for = opening(name)
        under = account.Open(
            keys=asked_for.keys,
            ordinary=asked_for.ordinary,
            sensitive=asked_for.sensitive,
            lanes=asked_for.lanes,
            under=True,
        )
        opened = chain.apply("bank", under, also_sign=(name,))
        assert opened is not None
        tills.append(((bank, Address(opened)), SubAccount(opened_at=Time(chain.machine.time))))
    chain.apply("bank", opening("customer"), also_sign=("customer",))

    rows = account.opened_under(chain.view(account.module), bank).rows
    assert sorted(rows, key=lambda row: row[0]) == sorted(tills, key=lambda row: row[0])
    assert account.opened_under(chain.view(account.module), alice).rows == ()
