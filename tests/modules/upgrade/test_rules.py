"""Upgrades: what the authority signs begins at its height; nothing else does."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

import pytest
from msgspec.structs import replace

from tests.kernel.chores import module as chores
from tests.kernel.chores.messages import Plan
from tests.kernel.chores.messages import Why as ChoreWhy
from tests.modules.reasons_named import unnamed_reasons
from tongbao.kernel import Count, Hash, Invalid, KernelWhy, Message, Name, PublicKey, Reason, Small
from tongbao.kernel.kernel_module import ModuleLine, SettingName, Upgrade
from tongbao.kernel.kernel_module import module as kernel
from tongbao.kernel.trie_proof import verify_absence, verify_inclusion
from tongbao.modules import upgrade
from tongbao.modules.upgrade import Cancel, Schedule, Why
from tongbao.testing import Chain, named_key

AUTHORITY = PublicKey(named_key("authority").key_id)
INK = SettingName("asset.ink")
NEW = ModuleLine(number=Small(900), name=Name("loan"), version=Small(1), hash=Hash("cd" * 32))


def line(chain: Chain, name: str) -> ModuleLine:
    """The line of a module with other code of its version."""
    lines = chain.machine.genesis_file.modules
    return replace(next(each for each in lines if each.name == name), hash=Hash("ab" * 32))


def ahead(chain: Chain, blocks: int) -> Count:
    """The height of a block after the next one."""
    return Count(chain.machine.height + 1 + blocks)


def known(chain: Chain) -> list[tuple[Count, Upgrade]]:
    """All upgrades, in order."""
    return list(upgrade.known(chain.view(upgrade.module)).rows)


def test_the_authority_schedules_an_upgrade_that_anybody_sends(chain: Chain) -> None:
    """
    Given an upgrade of a module and a feature, three blocks ahead, that the authority has signed,
    when alice sends it, and blocks are made until it begins,
    then it is known at once, and the feature is active from its height on and not before.
    """
    height = ahead(chain, 3)
    message = Schedule(
        authority=AUTHORITY, height=height, modules=(line(chain, "asset"),), features=(INK,)
    )
    chain.apply("alice", message, also_sign=("authority",))
    row = Upgrade(modules=message.modules, features=(INK,))

    assert upgrade.show(chain.view(upgrade.module), height) == row
    assert known(chain) == [(height, row)]
    assert chain.machine.features == {INK: height}
    chain.ledger.restart()
    assert chain.ledger.machine.features == {INK: height}


def test_a_feature_begins_with_the_block_of_its_height() -> None:
    """
    Given a module whose feature ends planning, and an upgrade that begins it,
    when something is planned in the block before its height, and in the block of it,
    then the first is applied, and the second refused.
    """
    chain = Chain(chores)
    feature = SettingName("chores.plans_end")
    height = ahead(chain, 2)
    send(chain, Schedule(authority=AUTHORITY, height=height, features=(feature,)))
    plan = Plan(due_at=chain.in_days(2), hows=Small(0), count=Small(1))
    chain.apply("alice", plan)
    assert chain.machine.height == height - 1
    with chain.refuses(ChoreWhy.PLANS_HAVE_ENDED):
        chain.apply("alice", plan)
    assert chain.machine.height == height


def test_upgrades_are_listed_in_the_order_of_their_heights(chain: Chain) -> None:
    """
    Given upgrades that were scheduled in another order than they begin,
    when they are listed,
    then they come in the order of their heights.
    """
    heights = [ahead(chain, blocks) for blocks in (9, 300, 70)]
    for height in heights:
        feature = SettingName(f"asset.f{height}")
        message = Schedule(authority=AUTHORITY, height=height, features=(feature,))
        chain.apply("bob", message, also_sign=("authority",))
    assert [height for height, _ in known(chain)] == sorted(heights)


def test_an_upgrade_that_was_cancelled_leaves_nothing(chain: Chain) -> None:
    """
    Given a scheduled upgrade,
    when the authority cancels it before its height, and schedules the same at another,
    then the first has left no row, and the second stands.
    """
    height, later = ahead(chain, 5), ahead(chain, 9)
    lines = (line(chain, "asset"),)
    first = Schedule(authority=AUTHORITY, height=height, modules=lines, features=(INK,))
    chain.apply("alice", first, also_sign=("authority",))
    chain.apply("bob", Cancel(authority=AUTHORITY, height=height), also_sign=("authority",))

    assert known(chain) == []
    assert chain.machine.features == {}
    chain.apply("alice", replace(first, height=later), also_sign=("authority",))
    assert known(chain) == [(later, Upgrade(modules=lines, features=(INK,)))]
    assert chain.machine.features == {INK: later}


def test_nobody_but_the_authority_has_a_say(chain: Chain) -> None:
    """
    Given an upgrade that names the authority, or another key,
    when it comes without the authority's signature, or with that of the other key,
    then it is invalid, or refused, and no upgrade is known.
    """
    own = PublicKey(named_key("mallory").key_id)
    for authority, also in ((AUTHORITY, ()), (own, ())):
        schedule = Schedule(authority=authority, height=ahead(chain, 5), features=(INK,))
        cancel = Cancel(authority=authority, height=ahead(chain, 5))
        for message in (schedule, cancel):
            if authority == own:
                with chain.refuses(Why.SIGNER_IS_NOT_AUTHORITY):
                    chain.apply("mallory", message, also_sign=also)
            else:
                with chain.is_invalid(Invalid.NEW_KEY_HAS_NOT_SIGNED):
                    chain.apply("mallory", message, also_sign=also)
    assert known(chain) == []


class Wrong(NamedTuple):
    """What an upgrade says, and why it is refused."""

    says: dict[str, object]
    why: Reason


WAITING = ModuleLine(number=Small(901), name=Name("lend"), version=Small(1), hash=Hash("cd" * 32))
TWIN = replace(NEW, number=Small(902))
WRONG = (
    Wrong({}, KernelWhy.UPGRADE_IS_EMPTY),
    Wrong({"features": (INK, INK)}, KernelWhy.UPGRADE_NAME_IS_DOUBLED),
    Wrong({"modules": (NEW, NEW)}, KernelWhy.UPGRADE_NAME_IS_DOUBLED),
    Wrong({"modules": (NEW, TWIN)}, KernelWhy.UPGRADE_NAME_IS_DOUBLED),
    Wrong({"modules": (replace(NEW, number=Small(2)),)}, KernelWhy.MODULE_IS_ANOTHER),
    Wrong({"modules": (replace(NEW, name=Name("asset")),)}, KernelWhy.MODULE_IS_ANOTHER),
    Wrong({"modules": (WAITING,)}, KernelWhy.MODULE_CHANGE_WAITS),
    Wrong({"modules": (replace(WAITING, number=Small(903)),)}, KernelWhy.MODULE_CHANGE_WAITS),
    Wrong({"features": (SettingName("asset.waits"),)}, KernelWhy.FEATURE_BEGINS_ONCE),
)


@pytest.mark.parametrize("wrong", WRONG, ids=lambda wrong: f"{wrong.why.name}")
def test_an_upgrade_that_does_not_fit_is_refused(chain: Chain, wrong: Wrong) -> None:
    """
    Given an upgrade to come of a module and a feature,
    when another says nothing, names twice, names what is known otherwise or what waits already,
    then it is refused, and the first stays alone.
    """
    first = Schedule(
        authority=AUTHORITY,
        height=ahead(chain, 50),
        modules=(WAITING,),
        features=(SettingName("asset.waits"),),
    )
    chain.apply("bank", first, also_sign=("authority",))
    before = known(chain)
    other = replace(Schedule(authority=AUTHORITY, height=ahead(chain, 20)), **wrong.says)
    with chain.refuses(wrong.why):
        chain.apply("bank", other, also_sign=("authority",))
    assert known(chain) == before


def test_a_version_never_goes_back(chain: Chain) -> None:
    """
    Given an upgrade to version 2 of a module far ahead,
    when another would bring version 1 back after it,
    then that is refused while the first waits, for the change that waits.
    """
    second = replace(line(chain, "asset"), version=Small(2))
    older = replace(second, version=Small(0))
    with chain.refuses(KernelWhy.MODULE_IS_ANOTHER):
        send(chain, Schedule(authority=AUTHORITY, height=ahead(chain, 5), modules=(older,)))
    send(chain, Schedule(authority=AUTHORITY, height=ahead(chain, 500), modules=(second,)))
    with chain.refuses(KernelWhy.MODULE_CHANGE_WAITS):
        send(chain, Schedule(authority=AUTHORITY, height=ahead(chain, 600), modules=(older,)))


def send(chain: Chain, message: Message) -> None:
    """Send what the authority has signed."""
    chain.apply("bank", message, also_sign=("authority",))


def test_an_upgrade_gives_notice(chain: Chain) -> None:
    """
    Given a chain that asks for a notice of ten blocks,
    when upgrades are scheduled nine and fifteen blocks ahead, and at a height that is taken,
    then only the second is taken.
    """
    strict = Chain(parameters={"kernel.upgrade_notice": 10})
    height = Count(strict.machine.height + 1 + 9)
    with strict.refuses(KernelWhy.UPGRADE_IS_TOO_SOON):
        send(strict, Schedule(authority=AUTHORITY, height=height, features=(INK,)))
    good = Schedule(authority=AUTHORITY, height=ahead(strict, 15), features=(INK,))
    send(strict, good)
    other = replace(good, features=(SettingName("asset.other"),))
    with strict.refuses(KernelWhy.UPGRADE_IS_SCHEDULED):
        send(strict, other)
    assert [height for height, _ in known(strict)] == [good.height]


def test_what_has_begun_can_neither_be_cancelled_nor_begin_again(chain: Chain) -> None:
    """
    Given a feature that began with the last block,
    when its upgrade would be cancelled, one of another height too, or the feature begun again,
    then each is refused.
    """
    height = ahead(chain, 1)
    send(chain, Schedule(authority=AUTHORITY, height=height, features=(INK,)))
    chain.block()
    assert chain.machine.height == height
    for wrong in (height, ahead(chain, 7)):
        with chain.refuses(KernelWhy.UPGRADE_NOT_FOUND):
            send(chain, Cancel(authority=AUTHORITY, height=wrong))
    with chain.refuses(KernelWhy.FEATURE_BEGINS_ONCE):
        send(chain, Schedule(authority=AUTHORITY, height=ahead(chain, 4), features=(INK,)))


def test_a_change_of_a_module_is_proven_like_any_row(chain: Chain) -> None:
    """
    Given a scheduled upgrade,
    when its row and that of another height are proven,
    then the proofs give the row and its absence under the state root.
    """
    height = ahead(chain, 5)
    send(chain, Schedule(authority=AUTHORITY, height=height, features=(INK,)))
    machine = chain.machine
    table = machine.registry.table("kernel.upgrades")
    assert table.module is kernel
    for key in (height, Count(height + 1)):
        raw = machine.row(table, key)
        found = machine.prove(table, key)
        assert (raw is None) == (key != height)
        path = sha256(table.full_key(key)).digest()
        if raw is None:
            assert verify_absence(machine.state_root, path, found)
        else:
            assert verify_inclusion(machine.state_root, path, sha256(raw).digest(), found)


def test_every_reason_of_this_module_is_reached_here() -> None:
    """
    Given the reasons of this module and the kernel's about upgrades,
    when the names in this file are read,
    then none is missing.
    """
    assert unnamed_reasons(upgrade.module, Path(__file__)) == []
    text = Path(__file__).read_text()
    numbered = [reason for reason in KernelWhy if 104 <= reason.code <= 111]
    assert [reason.name for reason in numbered if f"KernelWhy.{reason.name}" not in text] == []
