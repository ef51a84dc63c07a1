"""Stories about decisions that single random proposals would hardly tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tongbao.kernel import Count, Name, PublicKey, Small, Time, WeightedKey
from tongbao.kernel.kernel_module import NodeId, Power, SettingName
from tongbao.modules import account, governance, member
from tongbao.modules.governance import Action, Duration
from tongbao.modules.member import Lei, MemberName, PermissionName, Role
from tongbao.testing.drafts import Draft
from tongbao.testing.keys import ledger_key
from tongbao.testing.member_recipes import BASE_LENGTH, LETTERS
from tongbao.testing.world import NOBODY, World
from tongbao.testing.writer import Writer

MOST_AT_ONCE: Final = 12
MORE_THAN_FIT: Final = 5
"""Validators, or nodes: a history's limits are 1 to 4."""
FAR: Final = 50


def too_many_accounts(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """Many accounts are opened, and one more would act for a new member than may."""
    for _ in range(2):
        signers = [world.new_signer() for _ in range(MOST_AT_ONCE)]
        opened = tuple(
            account.Open(
                keys=(WeightedKey(key=ledger_key(signer), weight=Small(1)),),
                ordinary=Small(1),
                sensitive=Small(1),
                lanes=Small(1),
            )
            for signer in signers
        )
        yield [writer.address(world.somebody(), opened)]
    if world.council is None:
        return
    free = [address for address in world.people if address not in world.acting]
    lei = Lei("".join(world.one(LETTERS) for _ in range(BASE_LENGTH)))
    lei = Lei(lei + member.check_digits_of(lei))
    some = tuple(free[: member.ACCOUNTS_LIMIT])
    more = [
        governance.AddAccount(member=lei, account=one)
        for one in free[len(some) : member.ACCOUNTS_LIMIT + 1]
    ]
    admitted = governance.AdmitMember(member=lei, name=MemberName("Crowd"), accounts=some)
    operator = world.one(world.council.operators)
    if operator in world.people:
        closes_at = Time(world.time + 60_000)
        wanted = governance.Propose(actions=(admitted, *more), closes_at=closes_at)
        yield [writer.address(operator, (wanted,))]


def in_vain(world: World) -> list[tuple[Action, ...]]:
    """Proposals of which each contradicts itself or a limit, whatever was decided before."""
    nodes = [NodeId(f"{world.random.getrandbits(160):040x}") for _ in range(MORE_THAN_FIT)]
    keys = [PublicKey(world.new_signer().key_id) for _ in range(MORE_THAN_FIT)]
    begins = [Count(world.machine.height + FAR + later) for later in range(2)]
    feature = SettingName(f"later.vain{world.number(1, 999)}")
    halt = governance.Halt(module=Name("hold"), duration_ms=Duration(1))
    grant = governance.GrantPermission(
        permission=PermissionName("asset.issue"), role=Role(member.ISSUER)
    )
    base = "".join(world.one(LETTERS) for _ in range(BASE_LENGTH))
    nobody = governance.AdmitMember(
        member=Lei(base + member.check_digits_of(base)),
        name=MemberName("Nobody"),
        accounts=(NOBODY,),
    )
    return [
        tuple(governance.AdmitPeer(node=node) for node in nodes),
        tuple(governance.SetValidator(key=key, power=Power(1)) for key in keys),
        tuple(governance.ScheduleUpgrade(height=at, features=(feature,)) for at in begins),
        (governance.Halt(module=Name("governance"), duration_ms=Duration(1)),),
        (halt, halt),
        (grant, grant),
        (nobody,),
    ]


def proposals_in_vain(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """An operator proposes, block by block, what can't be done."""
    for actions in in_vain(world):
        if world.council is None:
            return
        operator = world.one(world.council.operators)
        if operator in world.people:
            closes_at = Time(world.time + 60_000)
            wanted = governance.Propose(actions=actions, closes_at=closes_at)
            yield [writer.address(operator, (wanted,))]
