"""Steps that tests of guardians share: dave's account of a phone and a paper key, and three others.

Both of dave's keys must sign what is sensitive. bob, carol and bank are his guardians; two of them
must agree.
"""

from __future__ import annotations

import json
from typing import Any

from tests.modules.account_steps import opening, shown, weighted
from tongbao.kernel import Address, Amount, Id, Message, PublicKey, Small
from tongbao.kernel.kernel_module import DAY_MS
from tongbao.modules import account, asset
from tongbao.modules.account import (
    ApproveRecovery,
    ProposeRecovery,
    Recovery,
    SetGuardians,
)
from tongbao.testing import CNY, Chain, bank, bob, carol, ledger_key, named_key

KEYS = ("phone", "paper")
WAIT_MS = account.WAIT_MS.default
MONTH_MS = 30 * DAY_MS


def guarded(chain: Chain) -> Address:
    """dave's account with 100.00 and his guardians."""
    opened = chain.apply("bank", opening(*KEYS, sensitive=2), also_sign=KEYS)
    assert opened is not None
    dave = chain.name("dave", opened, "phone")
    chain.apply("alice", asset.Transfer(asset=CNY, amount=Amount("100.00"), payee=dave))
    with_both_keys(chain, guardians(bob, carol, bank))
    return dave


def guardians(*named: Address, threshold: int = 2) -> SetGuardians:
    """The message that names guardians."""
    return SetGuardians(guardians=named, threshold=Small(threshold))


def with_both_keys(chain: Chain, *messages: Message, also: tuple[str, ...] = ()) -> None:
    """dave signs with his phone and with the key on paper."""
    chain.apply("dave", *messages, signed_by=KEYS, also_sign=also)


def public(name: str) -> PublicKey:
    """A key by name, as messages have it."""
    return ledger_key(named_key(name)).public


def asking(of: Address, *names: str) -> ProposeRecovery:
    """The message that asks for these keys, all of which must sign what is sensitive."""
    return ProposeRecovery(
        account=of,
        keys=tuple(map(weighted, names)),
        ordinary=Small(1),
        sensitive=Small(len(names)),
    )


def asked(chain: Chain, guardian: str, of: Address, *names: str) -> Id:
    """A guardian asks for these keys."""
    made = chain.apply(guardian, asking(of, *names), also_sign=names)
    assert made is not None
    return made


def agreed(chain: Chain, of: Address, *names: str) -> Id:
    """bob asks for these keys and carol agrees: the recovery waits from now on."""
    made = asked(chain, "bob", of, *names)
    chain.apply("carol", ApproveRecovery(recovery=made))
    return made


def recovered(chain: Chain, of: Address, *names: str) -> None:
    """bob and carol give an account these keys, and nobody objects."""
    agreed(chain, of, *names)
    pass_time(chain, WAIT_MS)
    assert key_names(chain, of, *names) == list(names)


def pass_time(chain: Chain, ms: int) -> None:
    """A block comes, so much later than the last one."""
    chain.advance_to(chain.machine.time + ms)
    chain.block()


def when_due(chain: Chain) -> None:
    """The block comes in which the next thing falls due."""
    due = chain.machine.next_due()
    assert due is not None
    chain.advance_to(due)
    chain.block()


def under_way(chain: Chain, name: Id) -> Recovery | None:
    """A recovery, unless it has ended."""
    return account.recovery(chain.view(account.module), name)


def told(chain: Chain) -> list[Any]:
    """The events of what fell due in the last block."""
    due = chain.decided.due
    return [] if due is None else json.loads(due).get("events", [])


def key_names(chain: Chain, of: Address, *names: str) -> list[str]:
    """Which of these keys an account has, in its order; `?` for any other."""
    known = {public(name): name for name in (*names, *KEYS)}
    return [known.get(entry.key.public, "?") for entry in shown(chain, of).keys]
