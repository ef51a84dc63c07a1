"""A story about operators who ask for more than a chain has room for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from tongbao.kernel import Count, PublicKey, Time
from tongbao.kernel.kernel_module import NodeId, Power, SettingName
from tongbao.modules import governance
from tongbao.modules.governance import Action
from tongbao.testing.drafts import Draft
from tongbao.testing.world import World
from tongbao.testing.writer import Writer

MANY: Final = 6
FAR: Final = 1_000
VOTING_MS: Final = 60_000


def too_much_at_once(world: World, writer: Writer) -> Iterator[list[Draft]]:
    """An operator proposes many validators, many nodes, or the same feature for two heights."""
    keys = [PublicKey(world.new_signer().key_id) for _ in range(MANY)]
    nodes = [NodeId(f"{world.random.getrandbits(160):040x}") for _ in range(MANY)]
    feature = SettingName(f"later.ink{world.number(1, 10_000)}")
    heights = (Count(world.machine.height + FAR + place) for place in range(2))
    wishes: tuple[tuple[Action, ...], ...] = (
        tuple(governance.SetValidator(key=key, power=Power(1)) for key in keys),
        tuple(governance.AdmitPeer(node=node) for node in nodes),
        tuple(governance.ScheduleUpgrade(height=height, features=(feature,)) for height in heights),
    )
    for actions in wishes:
        operator = world.one(world.council.operators) if world.council is not None else None
        if operator is None or operator not in world.people:
            return
        closes_at = Time(world.time + VOTING_MS)
        yield [
            writer.address(operator, (governance.Propose(actions=actions, closes_at=closes_at),))
        ]
