"""Halts in an emergency: who may stop what, for how long, and that blocks and votes go on."""

from __future__ import annotations

from tests.modules.governance_steps import (
    DELAY_MS,
    NODE,
    decide,
    done,
    governed,
    known,
    propose,
    proposed,
    vote,
    wait,
)
from tongbao.kernel import Amount, Id, Name, Small, Time
from tongbao.kernel.reasons import KernelWhy
from tongbao.modules import account, asset, governance, hold
from tongbao.modules.governance import AdmitPeer, Duration, Halt, Resume, Why
from tongbao.testing import CNY, Chain, alice, bob, carol

MINUTE_MS = 60_000
REST_MS = 5 * MINUTE_MS
PAYMENT = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=bob)
ADMIT = AdmitPeer(node=NODE)


def halting(name: str, duration_ms: int = MINUTE_MS) -> Halt:
    """The action that stops a module for a minute, unless told."""
    return Halt(module=Name(name), duration_ms=Duration(duration_ms))


def chain_of(*operators: str) -> Chain:
    """A chain with these operators, bank, alice and bob unless told, and a rest of five minutes."""
    parameters = {"governance.halt_rest_ms": REST_MS, "governance.halt_ms": 10 * MINUTE_MS}
    return governed(operators or ("bank", "alice", "bob"), parameters=parameters)


def halt(chain: Chain, name: str, by: str = "bank") -> Id:
    """One of three stops a module for a minute: the block after the proposal's does it."""
    made = proposed(chain, halting(name), by=by)
    chain.block()
    assert known(chain, made).phase == "carried_out"
    return made


def test_a_third_stops_a_module_and_it_goes_on_by_itself() -> None:
    """
    Given three operators of whom two must agree, after a delay,
    when one alone halts assets,
    then from the next block but one on nothing is paid or set aside, blocks are made and accounts
    are managed all the same, and after a minute payments go on by themselves.
    """
    chain = chain_of()
    halt(chain, "asset")
    ends = chain.machine.time + MINUTE_MS
    place = hold.Place(payee=bob, asset=CNY, amount=Amount("1.00"), expires_at=chain.in_days(1))
    for message in (PAYMENT, place):
        with chain.refuses(KernelWhy.MODULE_IS_HALTED):
            chain.apply("alice", message)
    chain.apply("alice", account.SetLanes(lanes=Small(2)))
    view = chain.view(governance.module)
    assert [(name, row.until) for name, row in governance.halts(view).rows] == [("asset", ends)]
    chain.advance_to(ends - 1)
    with chain.refuses(KernelWhy.MODULE_IS_HALTED):
        chain.apply("alice", PAYMENT)
    chain.advance_to(ends)
    chain.apply("alice", PAYMENT)


def test_less_than_a_third_stops_nothing() -> None:
    """
    Given four operators,
    when one would halt assets, and then another agrees,
    then nothing is halted by the first, and all at once by both.
    """
    chain = chain_of("bank", "alice", "bob", "carol")
    made = proposed(chain, halting("asset"))
    chain.block()
    chain.apply("alice", PAYMENT)
    vote(chain, "alice", made)
    chain.block()
    with chain.refuses(KernelWhy.MODULE_IS_HALTED):
        chain.apply("alice", PAYMENT)


def test_a_halt_beside_other_changes_needs_what_they_need() -> None:
    """
    Given a proposal that halts assets and admits a node,
    when one of three has made it,
    then it waits for the second, and for the delay.
    """
    chain = chain_of()
    made = proposed(chain, halting("asset"), ADMIT)
    assert (known(chain, made).threshold, known(chain, made).delay_ms) == (2, DELAY_MS)
    assert known(chain, made).phase == "open"


def test_operators_decide_while_all_else_stands_still() -> None:
    """
    Given a halt of accounts, on which all else is built,
    when operators admit a node, and end the halt before its time,
    then both are done, and payments go on; and a halt that has ended can't be ended.
    """
    chain = chain_of()
    halt(chain, "account")
    for message in (PAYMENT, account.SetLanes(lanes=Small(2))):
        with chain.refuses(KernelWhy.MODULE_IS_HALTED):
            chain.apply("alice", message)
    done(chain, ADMIT)
    resume = Resume(module=Name("account"))
    done(chain, resume)
    chain.apply("alice", PAYMENT)
    with chain.refuses(KernelWhy.MODULE_IS_NOT_HALTED):
        propose(chain, resume)
    with chain.refuses(KernelWhy.MODULE_IS_NOT_HALTED):
        propose(chain, Resume(module=Name("hold")))


def test_what_decides_is_never_halted() -> None:
    """
    Given operators,
    when one would halt governance, the kernel, or a module that there is not,
    then it is refused.
    """
    chain = chain_of()
    for name in ("governance", "kernel", "dreams"):
        with chain.refuses(KernelWhy.MODULE_CANNOT_BE_HALTED):
            propose(chain, halting(name))


def test_a_third_does_not_halt_without_end() -> None:
    """
    Given a halt of assets that has ended,
    when one operator would halt them again, at once and after the rest, or for too long,
    then only after the rest it is done.
    """
    chain = chain_of()
    with chain.refuses(Why.HALT_IS_TOO_LONG):
        propose(chain, halting("asset", 10 * MINUTE_MS + 1))
    halt(chain, "asset")
    ends = chain.machine.time + MINUTE_MS
    with chain.refuses(Why.HALT_IS_TOO_SOON):
        propose(chain, halting("asset"))
    chain.advance_to(ends + REST_MS - 1)
    with chain.refuses(Why.HALT_IS_TOO_SOON):
        propose(chain, halting("asset"))
    halt(chain, "asset")


def test_a_third_does_not_halt_without_end_by_turns() -> None:
    """
    Given assets, which stand still with accounts as well,
    when one operator halts accounts at the end of a halt of assets, and would halt assets at the
    end of that, in the rest, and after it,
    then accounts are halted at once, since they had not stood still, and assets after the rest.
    """
    chain = chain_of()
    halt(chain, "asset")
    chain.advance_to(chain.machine.time + MINUTE_MS - 1)
    halt(chain, "account")
    ends = chain.machine.time + MINUTE_MS
    chain.advance_to(ends - 1)
    with chain.refuses(Why.HALT_IS_TOO_SOON):
        propose(chain, halting("asset"))
    chain.advance_to(ends)
    chain.apply("alice", PAYMENT)
    for name in ("account", "asset", "hold"):
        with chain.refuses(Why.HALT_IS_TOO_SOON):
            propose(chain, halting(name))
    chain.advance_to(ends + REST_MS - 1)
    with chain.refuses(Why.HALT_IS_TOO_SOON):
        propose(chain, halting("asset"))
    halt(chain, "asset")


def test_two_that_halt_at_once_halt_once() -> None:
    """
    Given two proposals that halt assets, of one block,
    when both fall due,
    then the second fails, and the halt lasts no longer.
    """
    chain = chain_of()
    both = (halting("asset"),)
    closes_at = chain.in_days(1)
    wanted = governance.Propose(actions=both, closes_at=closes_at)
    chain.block(chain.sign("bank", wanted), chain.sign("alice", wanted))
    chain.block()
    view = chain.view(governance.module)
    ended = governance.ended(view).rows
    assert sorted((row.phase, row.number) for _, row in ended) == [
        ("carried_out", 0),
        ("failed", Why.HALT_IS_TOO_SOON.number),
    ]


def test_due_work_of_a_halted_module_waits() -> None:
    """
    Given a hold of alice's that expires while assets are halted,
    when its time has come, and then the end of the halt,
    then the chain wants its next block at that end, and only then is the value returned.
    """
    chain = chain_of()
    expires_at = chain.time + 10_000
    place = hold.Place(payee=bob, asset=CNY, amount=Amount("400.00"), expires_at=Time(expires_at))
    made = chain.apply("alice", place)
    assert made is not None
    halt(chain, "asset")
    ends = chain.machine.time + MINUTE_MS
    wait(chain, 20_000)
    assert chain.machine.next_due() == ends
    assert [name for name, _ in hold.held_for(chain.view(hold.module), bob).rows] == [made]
    chain.advance_to(ends)
    chain.block()
    assert hold.held_for(chain.view(hold.module), bob).rows == ()
    held = asset.balance(chain.view(asset.module), alice, CNY)
    assert held is not None and held.amount == Amount("1000.00")


def test_what_a_halted_module_should_hear_waits_too() -> None:
    """
    Given a halt of assets, which would hand over what a closing account holds,
    when carol closes hers, and again after the halt,
    then that is refused first, and done then.
    """
    chain = chain_of()
    halt(chain, "asset")
    close = account.Close(heir=bob)
    with chain.refuses(KernelWhy.MODULE_IS_HALTED):
        chain.apply("carol", close)
    wait(chain, MINUTE_MS)
    chain.apply("carol", close)
    assert asset.balance(chain.view(asset.module), carol, CNY) is None


def test_a_restarted_node_knows_what_is_halted() -> None:
    """
    Given a halt of assets,
    when a node begins again from its rows,
    then a payment comes to the same there.
    """
    chain = chain_of()
    halt(chain, "asset")
    chain.ledger.restart()
    again = chain.ledger.machine
    decided = again.apply(chain.ledger.block(chain.time, (chain.sign("alice", PAYMENT),)))
    again.discard()
    assert decided.results[0].number == KernelWhy.MODULE_IS_HALTED.number


def test_a_halt_by_vote_of_all_is_one_too() -> None:
    """
    Given a halt beside another change, on which two of three agree,
    when the delay is over,
    then both are done.
    """
    chain = chain_of()
    assert decide(chain, halting("hold"), ADMIT).phase == "carried_out"
    place = hold.Place(payee=bob, asset=CNY, amount=Amount("1.00"), expires_at=chain.in_days(1))
    with chain.refuses(KernelWhy.MODULE_IS_HALTED):
        chain.apply("alice", place)
    chain.apply("alice", PAYMENT)
