"""A story about members that single random decisions would hardly tell."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tongbao.kernel import Small, Time, WeightedKey
from tongbao.modules import account, governance, member
from tongbao.modules.member import Lei, MemberName
from tongbao.testing.drafts import Draft
from tongbao.testing.keys import ledger_key
from tongbao.testing.member_recipes import BASE_LENGTH, LETTERS
from tongbao.testing.world import World
from tongbao.testing.writer import Writer

MOST_AT_ONCE: Final = 12


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
