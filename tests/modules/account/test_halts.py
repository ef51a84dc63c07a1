"""Operators who halt modules take no veto from an owner, and no recovery from guardians."""

from __future__ import annotations

from tests.modules.governance_steps import governed, proposed
from tests.modules.guardian_steps import (
    KEYS,
    agreed,
    guarded,
    key_names,
    pass_time,
    under_way,
    when_due,
    with_both_keys,
)
from tongbao.kernel import Address, Id, KernelWhy, Name
from tongbao.modules import account
from tongbao.modules.account import VetoRecovery
from tongbao.modules.governance import Duration, Halt
from tongbao.testing import Chain

HOUR_MS = 3_600_000
NEW = ("new-phone", "new-paper")


def halted(name: str) -> tuple[Chain, Address, Id]:
    """A chain on which a recovery of dave's waits an hour, and a module is halted for three."""
    limits = {"governance.halt_ms": 3 * HOUR_MS, account.WAIT_MS.name: HOUR_MS}
    chain = governed(parameters=limits)
    dave = guarded(chain)
    request = agreed(chain, dave, *NEW)
    proposed(chain, Halt(module=Name(name), duration_ms=Duration(3 * HOUR_MS)))
    chain.block()
    return chain, dave, request


def test_a_halt_takes_no_veto_from_the_owner() -> None:
    """
    Given guardians and an operator in league, who halts accounts until long after the wait,
    when dave's veto is refused for that, and the halt ends,
    then the recovery waits once more, and dave's veto ends it.
    """
    chain, dave, request = halted("account")
    with chain.refuses(KernelWhy.MODULE_IS_HALTED):
        with_both_keys(chain, VetoRecovery(recovery=request))
    pass_time(chain, 3 * HOUR_MS)
    row = under_way(chain, request)
    assert row is not None and row.postponed
    with_both_keys(chain, VetoRecovery(recovery=request))
    pass_time(chain, HOUR_MS)

    assert key_names(chain, dave) == list(KEYS)


def test_a_recovery_waits_for_the_module_that_must_end_mandates() -> None:
    """
    Given mandates, which are halted when a recovery has waited,
    when its time comes,
    then it is tried again each hour, and carried out after the halt, when mandates end with it.
    """
    chain, dave, request = halted("mandate")
    when_due(chain)
    row = under_way(chain, request)
    assert row is not None and row.due_at == chain.machine.time + HOUR_MS
    assert key_names(chain, dave) == list(KEYS)
    for _ in range(3):
        pass_time(chain, HOUR_MS)

    assert key_names(chain, dave, *NEW) == list(NEW)
