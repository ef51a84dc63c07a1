"""Longer stories that single random transactions would hardly tell: each is a run of blocks.

A chapter yields the drafts of its next block and, when it goes on, finds the world as that left it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Message,
    Reference,
    Small,
    WeightedKey,
)
from tongbao.modules import account, asset
from tongbao.testing.council_chapters import too_much_at_once
from tongbao.testing.data_chapters import rows_are_sold
from tongbao.testing.data_mischief import (
    lies_are_proven,
    offers_end_together,
    orders_in_vain,
    too_much_of_a_month,
)
from tongbao.testing.drafts import Draft
from tongbao.testing.keys import ledger_key
from tongbao.testing.member_chapters import proposals_in_vain, too_many_accounts
from tongbao.testing.world import World
from tongbao.testing.writer import Writer

Chapter = Callable[[World, Writer], Iterator[list[Draft]]]

HOLDINGS: Final = 101
KEYS_AT_ONCE: Final = 15
GUARDIANS: Final = 2
RECOVERIES: Final = "account.recoveries"


def newest(world: World, known: set[Address]) -> Address | None:
    """An account that was not known before."""
    new = [address for address in world.people if address not in known]
    return new[0] if new else None


def fresh_keys(world: World, count: int) -> tuple[WeightedKey, ...]:
    """So many fresh keys that weigh 1."""
    signers = [world.new_signer() for _ in range(count)]
    return tuple(WeightedKey(key=ledger_key(signer), weight=Small(1)) for signer in signers)


def opening(world: World, count: int, sensitive: int = 1) -> account.Open:
    """An account of so many fresh keys that weigh 1; one of them is enough for what is ordinary."""
    return account.Open(
        keys=fresh_keys(world, count),
        ordinary=Small(1),
        sensitive=Small(sensitive),
        lanes=Small(1),
    )


def too_many_holdings(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """Somebody is given a little of each of 101 assets, and then can't close the account."""
    known = set(world.people)
    yield [writer.address(world.somebody(), (opening(world, 1),))]
    rich = newest(world, known)
    giver = world.somebody()
    if rich is None or giver == rich:
        return
    codes = [AssetCode(f"GIFT{count}") for count in range(HOLDINGS)]
    defines = [asset.Define(code=code, scale=Small(0)) for code in codes]
    yield [writer.address(giver, tuple(defines))]
    if giver not in world.people:
        return
    issues: list[Message] = [
        asset.Issue(
            asset=AssetId(f"{code}.{giver}"),
            amount=Amount("1"),
            payee=rich,
            reference=Reference("gift"),
        )
        for code in codes
    ]
    yield [writer.address(giver, tuple(issues))]
    if rich in world.people and giver in world.people:
        yield [writer.address(rich, (account.Close(heir=giver),))]


def too_many_keys(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """An account is opened with 15 keys, as signatures allow, and gets one, and one too many."""
    known = set(world.people)
    yield [writer.address(world.somebody(), (opening(world, KEYS_AT_ONCE),))]
    crowded = newest(world, known)
    for _ in range(2):
        if crowded is None or crowded not in world.people:
            return
        key = WeightedKey(key=ledger_key(world.new_signer()), weight=Small(1))
        yield [writer.address(crowded, (account.AddKey(added=key),))]


def many_nonces(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """Somebody uses nonces far apart, so that the first ones fall out of the window."""
    sender = world.somebody()
    for jump in (1, 200, 256, 256):
        if sender not in world.people:
            return
        draft = writer.address(sender, (account.SetLanes(lanes=Small(16)),))
        draft.lane = 0
        draft.nonce = world.highest(sender, 0) + jump
        yield [draft]


def everybody_at_once(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """One sender fills a block with nonces in any order."""
    sender = world.somebody()
    drafts = [
        writer.address(sender, (account.SetLanes(lanes=world.people[sender].lanes),))
        for _ in range(world.number(2, 20))
    ]
    highest = world.highest(sender, 0)
    for count, draft in enumerate(drafts, 1):
        draft.lane, draft.nonce = 0, highest + count
    world.random.shuffle(drafts)
    yield drafts


def lost_phone(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """Guardians recover an account twice; the keys that the first time brought have no veto."""
    known = set(world.people)
    yield [writer.address(world.somebody(), (opening(world, 2, sensitive=2),))]
    ward = newest(world, known)
    others = [address for address in world.people if address != ward]
    if ward is None or len(others) < GUARDIANS:
        return
    asker, other = world.random.sample(others, GUARDIANS)
    named = account.SetGuardians(guardians=(asker, other), threshold=Small(GUARDIANS))
    yield [writer.address(ward, (named,))]
    for turn in range(2):
        asked = account.ProposeRecovery(
            account=ward, keys=fresh_keys(world, 2), ordinary=Small(1), sensitive=Small(2)
        )
        yield from said(world, writer, asker, asked)
        names = [name for name, row in world.rows[RECOVERIES].items() if row.account == ward]
        if not names:
            return
        yield from said(world, writer, other, account.ApproveRecovery(recovery=names[0]))
        yield from said(world, writer, ward, account.SetGuardians(guardians=(), threshold=Small(0)))
        if turn:
            yield from said(world, writer, ward, account.VetoRecovery(recovery=names[0]))
        world.patience = world.machine.parameters[account.WAIT_MS.name] + 1
        yield []


def said(world: World, writer: Writer, sender: Address, message: Message) -> Iterator[list[Draft]]:
    """One transaction of somebody who is still there."""
    if sender in world.people:
        yield [writer.address(sender, (message,))]


CHAPTERS: Final[tuple[Chapter, ...]] = (
    too_many_holdings,
    too_many_keys,
    many_nonces,
    everybody_at_once,
    lost_phone,
    too_many_accounts,
    too_much_at_once,
    proposals_in_vain,
    rows_are_sold,
    rows_are_sold,
    orders_in_vain,
    offers_end_together,
    too_much_of_a_month,
    lies_are_proven,
)
