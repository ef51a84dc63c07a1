"""Mandates: who may pay out of another's holding, within what was agreed and not a unit more."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modules.guardian_steps import WAIT_MS as RECOVERY_MS
from tests.modules.guardian_steps import agreed, guarded, pass_time, with_both_keys
from tests.modules.reasons_named import unnamed_reasons
from tongbao.kernel import Address, Amount, AssetId, Id, Invalid, Module, Reference, Registry, Time
from tongbao.kernel.kernel_module import DAY_MS
from tongbao.modules import account, asset, mandate
from tongbao.modules.mandate import Collect, Grant, Mandate, Revoke, Why
from tongbao.modules.mandate.messages import PeriodMs
from tongbao.modules.registry import MODULES
from tongbao.testing import CNY, Chain, alice, bob, carol

NOBODY = Address("ab" * 20)
NOWHERE = Id("cd" * 20)
UNKNOWN = AssetId(f"NONE.{NOBODY}")
NONE = PeriodMs(0)
WEEK = PeriodMs(7 * DAY_MS)


def granting(
    chain: Chain,
    total: str = "100.00",
    each: str | None = None,
    period: PeriodMs = NONE,
    *,
    holder: Address = bob,
    of: AssetId = CNY,
    expires_at: int | None = None,
) -> Grant:
    """The message that lets bob pay, for 60 days unless told."""
    return Grant(
        holder=holder,
        asset=of,
        total=Amount(total),
        expires_at=chain.in_days(60) if expires_at is None else Time(expires_at),
        each_period=None if each is None else Amount(each),
        period_ms=period,
    )


def granted(
    chain: Chain,
    total: str = "100.00",
    each: str | None = None,
    period: PeriodMs = NONE,
) -> Id:
    """A mandate of alice's for bob."""
    made = chain.apply("alice", granting(chain, total, each, period))
    assert made is not None
    return made


def collecting(name: Id, amount: str, payee: Address = carol) -> Collect:
    """The message by which bob pays carol."""
    return Collect(mandate=name, amount=Amount(amount), payee=payee)


def found(chain: Chain, name: Id) -> Mandate | None:
    """A mandate, unless it has ended."""
    return mandate.show(chain.view(mandate.module), name)


def holding(chain: Chain, owner: Address) -> str | None:
    """What somebody holds, as it is written."""
    row = asset.balance(chain.view(asset.module), owner, CNY)
    return None if row is None else str(row.amount)


def test_a_holder_pays_out_of_what_the_owner_holds(chain: Chain) -> None:
    """
    Given alice with 1000.00, who lets bob pay 100.00 of it,
    when he pays carol 30.00 and himself 20.00,
    then alice has 950.00, nothing was set aside before, and the mandate says what is spent.
    """
    name = granted(chain)
    assert holding(chain, alice) == "1000.00"
    row = found(chain, name)
    chain.apply("bob", collecting(name, "30.00"))
    moved = asset.Moved(asset=CNY, amount=Amount("30.00"), payer=alice, payee=carol)
    assert chain.receipt.events == (moved,)
    chain.apply("bob", collecting(name, "20.00", payee=bob))

    assert row is not None and row.spent == Amount("0.00")
    assert found(chain, name) == Mandate(
        owner=alice,
        holder=bob,
        asset=CNY,
        total=Amount("100.00"),
        spent=Amount("50.00"),
        expires_at=row.expires_at,
        period_began=row.period_began,
        spent_in_period=Amount("50.00"),
    )
    held = [holding(chain, owner) for owner in (alice, bob, carol)]
    assert held == ["950.00", "1020.00", "1030.00"]


def test_no_more_than_the_total_is_paid_and_then_the_mandate_is_gone(chain: Chain) -> None:
    """
    Given a mandate of 100.00 of which 60.00 are spent,
    when bob pays 40.01, then 40.00, then a cent,
    then the first is refused, the second ends the mandate, and the third finds none.
    """
    name = granted(chain)
    chain.apply("bob", collecting(name, "60.00"))

    with chain.refuses(Why.TOTAL_IS_EXCEEDED):
        chain.apply("bob", collecting(name, "40.01"))
    chain.apply("bob", collecting(name, "40.00"))
    assert found(chain, name) is None
    with chain.refuses(Why.MANDATE_NOT_FOUND):
        chain.apply("bob", collecting(name, "0.01"))


def test_each_period_has_its_own_limit(chain: Chain) -> None:
    """
    Given a mandate of 100.00 in all and 40.00 a week,
    when bob pays 40.00 and a cent in the first week, nothing in the second, and 40.00 in the third,
    then the cent is refused, what was left of the second week is not added to the third, and
    periods follow each other from the grant on.
    """
    name = granted(chain, each="40.00", period=WEEK)
    began = chain.machine.time
    chain.apply("bob", collecting(name, "40.00"))
    chain.advance_to(began + WEEK - 1)
    with chain.refuses(Why.PERIOD_IS_EXCEEDED):
        chain.apply("bob", collecting(name, "0.01"))
    pass_time(chain, WEEK)
    with chain.refuses(Why.PERIOD_IS_EXCEEDED):
        chain.apply("bob", collecting(name, "40.01"))
    chain.apply("bob", collecting(name, "40.00"))

    row = found(chain, name)
    assert row is not None
    assert (row.period_began, row.spent_in_period) == (began + 2 * WEEK, Amount("40.00"))
    chain.advance_to(began + 3 * WEEK)
    chain.apply("bob", collecting(name, "20.00"))
    assert found(chain, name) is None


def test_only_the_holder_pays_and_only_the_owner_revokes(chain: Chain) -> None:
    """
    Given a mandate of alice's for bob,
    when mallory and alice pay by it, and bob and mallory revoke it, or one that is not there,
    then all are refused.
    """
    name = granted(chain)

    for stranger in ("mallory", "alice"):
        with chain.refuses(Why.SENDER_IS_NOT_HOLDER):
            chain.apply(stranger, collecting(name, "1.00"))
    for stranger in ("mallory", "bob"):
        with chain.refuses(Why.SENDER_IS_NOT_OWNER):
            chain.apply(stranger, Revoke(mandate=name))
    with chain.refuses(Why.MANDATE_NOT_FOUND):
        chain.apply("alice", Revoke(mandate=NOWHERE))


def test_a_mandate_is_revoked_at_once(chain: Chain) -> None:
    """
    Given a mandate,
    when alice revokes it, and bob pays in the same block,
    then bob's payment is refused.
    """
    name = granted(chain)
    late = chain.sign("bob", collecting(name, "1.00"))
    decided = chain.block(chain.sign("alice", Revoke(mandate=name)), late)

    assert [result.number for result in decided.results] == [0, Why.MANDATE_NOT_FOUND.number]
    assert holding(chain, alice) == "1000.00"


def test_a_mandate_that_has_expired_is_not_used_and_goes_by_itself(chain: Chain) -> None:
    """
    Given three mandates for ten seconds, on a chain that tidies up one thing a block,
    when the time has come and bob pays by the one that is tidied up last,
    then it is refused although its row is still there, and a block later all are gone.
    """
    chain = Chain(parameters={"kernel.due_items": 1})
    ends = chain.time + 10_000
    names = [chain.apply("alice", granting(chain, expires_at=ends)) for _ in range(3)]
    last = max(name for name in names if name is not None)
    chain.advance_to(ends)
    chain.block()

    with chain.refuses(Why.MANDATE_HAS_EXPIRED):
        chain.apply("bob", collecting(last, "1.00"))
    chain.block()
    assert mandate.granted_by(chain.view(mandate.module), alice).rows == ()


def test_a_mandate_is_of_an_asset_that_there_is_in_its_decimals(chain: Chain) -> None:
    """
    Given alice,
    when she grants a mandate of an asset that nobody has defined, with other decimals than CNY has,
    or for nothing,
    then each is refused.
    """
    with chain.refuses(Why.ASSET_NOT_FOUND):
        chain.apply("alice", granting(chain, of=UNKNOWN))
    for total, each in (("100.0", None), ("100.0", "1.0"), ("100.00", "1.0")):
        with chain.refuses(Why.DECIMALS_DIFFER):
            chain.apply("alice", granting(chain, total, each, WEEK))
    for total, each in (("0.00", None), ("100.00", "0.00")):
        with chain.refuses(Why.AMOUNT_IS_ZERO):
            chain.apply("alice", granting(chain, total, each, WEEK))


def test_an_amount_each_period_has_a_period_and_is_no_more_than_all(chain: Chain) -> None:
    """
    Given alice,
    when she grants an amount without a period, a period without an amount, or more each week than
    in all,
    then each is refused.
    """
    for each, period in (("1.00", PeriodMs(0)), (None, WEEK), ("100.01", WEEK)):
        with chain.refuses(Why.PERIOD_IS_WRONG):
            chain.apply("alice", granting(chain, each=each, period=period))


def test_a_mandate_is_for_another_open_account_and_a_time_to_come(chain: Chain) -> None:
    """
    Given alice,
    when she grants a mandate to herself, to nobody, to a vault, or until now,
    then each is refused.
    """
    for holder in (alice, NOBODY, mandate.module.vault):
        with chain.refuses(Why.HOLDER_NOT_FOUND):
            chain.apply("alice", granting(chain, holder=holder))
    with chain.refuses(Why.EXPIRY_HAS_PASSED):
        chain.apply("alice", granting(chain, expires_at=chain.time))


def test_an_owner_has_a_limited_number_of_mandates() -> None:
    """
    Given a chain that lets each owner have two,
    when alice grants a third, and revokes one first,
    then it is refused, and then granted.
    """
    chain = Chain(parameters={mandate.MANDATES_LIMIT.name: 2})
    first = granted(chain)
    granted(chain)

    with chain.refuses(Why.TOO_MANY_MANDATES):
        chain.apply("alice", granting(chain))
    chain.apply("alice", Revoke(mandate=first))
    granted(chain)


def test_a_payment_by_mandate_is_refused_as_any_payment_is(chain: Chain) -> None:
    """
    Given a mandate of 2000.00, of which alice holds half,
    when bob pays with other decimals, nothing, more than she has, herself, a vault and nobody,
    then each is refused, and nothing of it counts as spent.
    """
    name = granted(chain, "2000.00")

    with chain.refuses(Why.DECIMALS_DIFFER):
        chain.apply("bob", collecting(name, "1.0"))
    with chain.refuses(asset.Why.AMOUNT_IS_ZERO):
        chain.apply("bob", collecting(name, "0.00"))
    with chain.refuses(asset.Why.BALANCE_IS_TOO_LOW):
        chain.apply("bob", collecting(name, "1000.01"))
    with chain.refuses(asset.Why.PAYEE_IS_PAYER):
        chain.apply("bob", collecting(name, "1.00", payee=alice))
    for vault in (mandate.module.vault, asset.module.vault):
        with chain.refuses(Why.PAYEE_IS_VAULT):
            chain.apply("bob", collecting(name, "1.00", payee=vault))
    with chain.refuses(asset.Why.PAYEE_NOT_FOUND):
        chain.apply("bob", collecting(name, "1.00", payee=NOBODY))

    row = found(chain, name)
    assert row is not None and row.spent == Amount("0.00")


def test_a_payee_may_ask_for_references(chain: Chain) -> None:
    """
    Given carol, who asks for a reference with every payment,
    when bob pays her by a mandate without one and with one,
    then the first is refused.
    """
    name = granted(chain)
    chain.apply("carol", account.SetIncoming(needs_reference=True))
    why = Reference("bill-7")

    with chain.refuses(Why.REFERENCE_IS_MISSING):
        chain.apply("bob", collecting(name, "1.00"))
    chain.apply("bob", Collect(mandate=name, amount=Amount("1.00"), payee=carol, reference=why))
    assert holding(chain, carol) == "1001.00"


def test_owner_and_holder_see_their_mandates(chain: Chain) -> None:
    """
    Given mandates of alice's for bob and for carol, and one of carol's for bob,
    when owners and holders ask,
    then each sees just theirs.
    """
    first = granted(chain)
    second = chain.apply("alice", granting(chain, holder=carol))
    third = chain.apply("carol", granting(chain))
    view = chain.view(mandate.module)

    assert {name for name, _ in mandate.granted_by(view, alice).rows} == {first, second}
    assert {name for name, _ in mandate.granted_by(view, carol).rows} == {third}
    assert {name for name, _ in mandate.granted_to(view, bob).rows} == {first, third}


def test_a_thief_drains_nothing_by_a_mandate_after_a_recovery(chain: Chain) -> None:
    """
    Given dave with guardians, and a thief who has his phone, and later both his keys,
    when the thief grants himself a mandate with the phone, then with both, and the guardians give
    dave other keys,
    then the first is invalid, and the second has ended with the recovery.
    """
    dave = guarded(chain)
    drain = granting(chain, "90.00", holder=chain.address("mallory"))
    with chain.is_invalid(Invalid.THRESHOLD_IS_NOT_MET):
        chain.apply("dave", drain)
    with_both_keys(chain, drain)
    [(name, _)] = mandate.granted_by(chain.view(mandate.module), dave).rows
    agreed(chain, dave, "new-phone", "new-paper")
    pass_time(chain, RECOVERY_MS)

    with chain.refuses(Why.MANDATE_NOT_FOUND):
        chain.apply("mallory", collecting(name, "90.00"))
    assert holding(chain, dave) == "100.00"


def test_an_owner_who_closes_leaves_no_mandate(chain: Chain) -> None:
    """
    Given a mandate of alice's for bob,
    when she closes her account into carol's,
    then bob can't pay out of it, nor out of what carol has now.
    """
    name = granted(chain)
    chain.apply("alice", account.Close(heir=carol))

    with chain.refuses(Why.MANDATE_NOT_FOUND):
        chain.apply("bob", collecting(name, "1.00", payee=bob))
    assert holding(chain, carol) == "2000.00"


def test_one_module_keeps_mandates() -> None:
    """
    Given the modules of this distribution, one of which may take value from any account,
    when a chain would have another one that may,
    then it can't be begun.
    """
    another = Module(1_000, "another", uses=(asset.module,), keeps_mandates=True)

    with pytest.raises(AssertionError, match="one module keeps mandates"):
        Registry((*MODULES, another))


def test_every_reason_of_mandates_is_reached() -> None:
    """
    Given the reasons of the module,
    when they are looked for in the tests of this folder,
    then each of them is expected somewhere by its name.
    """
    assert unnamed_reasons(mandate.module, Path(__file__)) == []
