"""What operators decide: validators, nodes, parameters and upgrades, by the kernel's own rules."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modules.governance_steps import (
    NODE,
    decide,
    done,
    governed,
    known,
    propose,
    proposed,
    validator,
    vote,
)
from tongbao.kernel import Count, Hash, Invalid, KernelWhy, Name, PublicKey, Reason, Small, Time
from tongbao.kernel.kernel_module import ModuleLine, NodeId, Power, SettingName, Upgrade
from tongbao.modules import governance, upgrade
from tongbao.modules.governance import (
    Action,
    AdmitPeer,
    CancelUpgrade,
    Propose,
    RemovePeer,
    RemoveValidator,
    ScheduleUpgrade,
    SetParameter,
    SetValidator,
    Why,
)
from tongbao.testing import Chain
from tongbao.testing.keys import MixedOrderKey

INK = SettingName("asset.ink")
NEW = ModuleLine(number=Small(900), name=Name("loan"), version=Small(1), hash=Hash("cd" * 32))
OTHER = NodeId("cd" * 20)
EXPIRY = SettingName("kernel.expiry_ms")


def validators(chain: Chain) -> dict[str, int]:
    """Powers by key."""
    rows = governance.validators(chain.view(governance.module)).rows
    return {str(key): row.power for key, row in rows}


def set_validator(name: str, power: int = 10) -> SetValidator:
    """The action for a validator of a name."""
    return SetValidator(key=validator(name), power=Power(power))


def set_parameter(name: SettingName, value: int) -> SetParameter:
    """The action for a parameter."""
    return SetParameter(name=name, value=Count(value))


def test_validators_join_weigh_and_leave() -> None:
    """
    Given operators,
    when they decide on two validators, on another power for one, and that the other leaves,
    then the validators are those, with the powers told last.
    """
    chain = governed()
    first, second = validator("first"), validator("second")
    done(chain, set_validator("first"), set_validator("second", 1_000_000))
    assert validators(chain) == {first: 10, second: 1_000_000}
    done(chain, set_validator("first", 3), RemoveValidator(key=second))
    assert validators(chain) == {first: 3}


def test_nodes_are_admitted_and_removed() -> None:
    """
    Given operators,
    when they admit two nodes, one of them again, and remove the other,
    then the one is left.
    """
    chain = governed()
    done(chain, AdmitPeer(node=NODE), AdmitPeer(node=OTHER))
    done(chain, AdmitPeer(node=NODE), RemovePeer(node=OTHER))
    assert [node for node, _ in governance.peers(chain.view(governance.module)).rows] == [NODE]


def test_a_parameter_is_set_from_the_next_block_on() -> None:
    """
    Given operators and transactions that expire in an hour,
    when they decide that a minute is the most,
    then the block that sets it still takes an hour, the next takes a minute, and so after a start.
    """
    chain = governed()
    made = proposed(chain, set_parameter(EXPIRY, 60_000))
    vote(chain, "alice", made)
    chain.advance(10_000)
    chain.block(chain.sign("carol", idle()))
    assert known(chain, made).phase == "carried_out"
    assert chain.decided.results[0].number == Why.SENDER_IS_NOT_OPERATOR.number
    with chain.is_invalid(Invalid.EXPIRY_IS_TOO_FAR):
        chain.apply("carol", idle())
    chain.ledger.restart()
    assert chain.ledger.machine.parameters[EXPIRY] == 60_000


def idle() -> Propose:
    """A message that is refused where it is judged."""
    return Propose(actions=(AdmitPeer(node=NODE),), closes_at=Time(1))


def test_a_smaller_limit_of_bytes_holds_for_what_was_verified_before() -> None:
    """
    Given a long transaction that a machine has verified, and one that it has not seen,
    when operators lower the limit of bytes before both are in a block,
    then both are invalid for their size.
    """
    chain = governed()
    long = [chain.sign("carol", *[idle()] * 60, nonce=nonce) for nonce in (1, 2)]
    assert all(len(wire) > 4_096 for wire in long)
    chain.machine.decode(long[0])
    done(chain, set_parameter(SettingName("kernel.transaction_bytes"), 4_096))
    chain.block(*long)
    numbers = [result.number for result in chain.decided.results]
    assert numbers == [Invalid.TRANSACTION_IS_TOO_LARGE.number] * 2


REFUSED: tuple[tuple[Action, Reason], ...] = (
    (
        SetValidator(key=PublicKey(MixedOrderKey("first").key_id), power=Power(1)),
        KernelWhy.VALIDATOR_KEY_IS_NOT_ACCEPTABLE,
    ),
    (set_validator("third"), KernelWhy.TOO_MANY_VALIDATORS),
    (RemoveValidator(key=validator("third")), KernelWhy.VALIDATOR_NOT_FOUND),
    (AdmitPeer(node=OTHER), KernelWhy.TOO_MANY_PEERS),
    (RemovePeer(node=OTHER), KernelWhy.PEER_NOT_FOUND),
    (set_parameter(SettingName("kernel.whims"), 1), KernelWhy.PARAMETER_NOT_FOUND),
    (set_parameter(EXPIRY, 59_999), KernelWhy.PARAMETER_IS_OUT_OF_BOUNDS),
    (set_parameter(EXPIRY, 86_400_001), KernelWhy.PARAMETER_IS_OUT_OF_BOUNDS),
    (set_parameter(SettingName("kernel.json_depth"), 4), KernelWhy.PARAMETER_IS_OUT_OF_BOUNDS),
    (ScheduleUpgrade(height=Count(0), features=(INK,)), KernelWhy.UPGRADE_IS_TOO_SOON),
    (ScheduleUpgrade(height=Count(99)), KernelWhy.UPGRADE_IS_EMPTY),
    (CancelUpgrade(height=Count(99)), KernelWhy.UPGRADE_NOT_FOUND),
)


@pytest.fixture(scope="module")
def full() -> Chain:
    """A chain with as many validators and nodes as there may be."""
    limits = {"kernel.validators_limit": 2, "kernel.peers_limit": 1}
    chain = governed(parameters=limits)
    done(chain, set_validator("first"), set_validator("second"), AdmitPeer(node=NODE))
    return chain


@pytest.mark.parametrize(("action", "why"), REFUSED)
def test_what_the_kernel_does_not_allow_is_not_proposed(
    full: Chain, action: Action, why: Reason
) -> None:
    """
    Given two validators and a node, and no room for more,
    when it is proposed to do what can't be done,
    then it is refused with the kernel's reason.
    """
    with full.refuses(why):
        propose(full, action)


def test_what_there_is_can_be_set_where_there_is_no_room_for_more(full: Chain) -> None:
    """
    Given as many validators and nodes as there may be,
    when one of them gets another power, and the node is admitted once more,
    then both are done.
    """
    done(full, set_validator("second", 4), AdmitPeer(node=NODE))
    assert validators(full)[validator("second")] == 4


def test_the_last_validator_stays() -> None:
    """
    Given two validators,
    when it is proposed that both leave, and then that one leaves after another has come,
    then the first is refused, and the second done.
    """
    chain = governed()
    done(chain, set_validator("first"), set_validator("second"))
    both = tuple(RemoveValidator(key=validator(name)) for name in ("first", "second"))
    with chain.refuses(KernelWhy.LAST_VALIDATOR_STAYS):
        propose(chain, *both)
    done(chain, *both[:1], set_validator("third"), *both[1:])
    assert set(validators(chain)) == {validator("third")}


def test_a_power_is_one_to_a_million() -> None:
    """
    Given operators,
    when a validator of no power is proposed, or of more than a million,
    then it is invalid.
    """
    chain = governed()
    for power in (0, 1_000_001):
        with chain.is_invalid(Invalid.PAYLOAD_IS_MALFORMED):
            propose(chain, set_validator("first", power))


def test_operators_schedule_upgrades_and_one_authority_does_not() -> None:
    """
    Given a chain with operators,
    when the authority signs an upgrade or a cancellation alone, and the operators decide on both,
    then the authority is refused, and the operators' upgrade is known until they cancel it.
    """
    chain = governed()
    height = Count(chain.machine.height + 100)
    alone = upgrade.Schedule(authority=validator("authority"), height=height, modules=(NEW,))
    with chain.refuses(Why.OPERATORS_DECIDE):
        chain.apply("carol", alone, also_sign=("authority",))
    done(chain, ScheduleUpgrade(height=height, modules=(NEW,), features=(INK,)))
    row = Upgrade(modules=(NEW,), features=(INK,))
    assert upgrade.show(chain.view(upgrade.module), height) == row
    cancel = upgrade.Cancel(authority=validator("authority"), height=height)
    with chain.refuses(Why.OPERATORS_DECIDE):
        chain.apply("carol", cancel, also_sign=("authority",))
    done(chain, CancelUpgrade(height=height))
    assert upgrade.show(chain.view(upgrade.module), height) is None


def test_an_upgrade_whose_height_has_passed_meanwhile_fails() -> None:
    """
    Given a proposal of an upgrade two blocks ahead,
    when it is carried out after more blocks than that,
    then it has failed with the kernel's number.
    """
    chain = governed()
    height = Count(chain.machine.height + 2)
    found = decide(chain, ScheduleUpgrade(height=height, features=(INK,)))
    assert (found.phase, found.number) == ("failed", KernelWhy.UPGRADE_IS_TOO_SOON.number)


def test_the_kernels_reasons_are_reached_here() -> None:
    """
    Given the kernel's reasons about membership and parameters,
    when the names in this file are read,
    then none is missing.
    """
    text = Path(__file__).read_text()
    numbered = [reason for reason in KernelWhy if 112 <= reason.code <= 119]
    assert len(numbered) == 8
    assert [reason.name for reason in numbered if f"KernelWhy.{reason.name}" not in text] == []
