"""Faults of members: who joins late, leaves, votes with another weight, or proposes with malice."""

from __future__ import annotations

from typing import Final

from tongbao.kernel.identifiers import PublicKey
from tongbao.kernel.kernel_module import Power
from tongbao.localnet import voting
from tongbao.localnet.laying import add_member
from tongbao.localnet.plan import Member
from tongbao.modules import governance
from tongbao.sdk.network_genesis import POWER
from tongbao.simulation.network import hostile
from tongbao.simulation.network.cluster import Cluster, Wrong
from tongbao.simulation.network.scene import Scene

HOSTILE_BLOCKS: Final = 8
HOSTILE_SECONDS: Final = 120.0
LATE: Final = "late"
POWERS: Final = (7, 14)


def _say_nothing(_: str) -> None:
    """Nobody looks on."""


def late_joiner(scene: Scene, seconds: float) -> str:
    """A new member is admitted by votes, joins by a snapshot if there is one, and validates."""
    cluster = scene.cluster
    name = f"{LATE}{scene.counts['late_joiner'] + 1}"
    plan = add_member(cluster.folder, cluster.plan, name)
    voting.decide(cluster, voting.admission(plan.member(name)), f"admit {name}", _say_nothing)
    cluster.take(plan)
    before = cluster.top()
    said: list[str] = []
    cluster.join(cluster.node(name), said.append)
    scene.probe(name)
    way = scene.came(is_by_snapshot=any("snapshot" in each for each in said))
    return f"{name} after {before} blocks, {way}"


def leaver(scene: Scene, seconds: float) -> str:
    """The member that came last is removed by votes; the others go on."""
    cluster = scene.cluster
    name = cluster.names[-1]
    if not name.startswith(LATE):
        raise Wrong("nobody has joined: a manifest with `leaver` has `late_joiner` before it")
    cluster.remove(cluster.member(name), _say_nothing)
    scene.gone.append(name)
    scene.probe(scene.one())
    return name


def churn(scene: Scene, seconds: float) -> str:
    """A validator loses its vote and gets it again, another one other weights, all by votes."""
    cluster = scene.cluster
    first, second = (cluster.member(name) for name in scene.some(2))
    key = PublicKey(first.validator)
    _decide(cluster, governance.RemoveValidator(key=key), f"take the vote of {first.name}")
    scene.probe(first.name)
    for power in POWERS:
        _weigh(cluster, second, power)
        scene.hold(seconds / len(POWERS))
    _weigh(cluster, first, int(POWER))
    _weigh(cluster, second, int(POWER))
    return f"{first.name} without a vote for a while, {second.name} with {POWERS[0]}, {POWERS[1]}"


def _weigh(cluster: Cluster, member: Member, power: int) -> None:
    action = governance.SetValidator(key=PublicKey(member.validator), power=Power(power))
    _decide(cluster, action, f"weigh {member.name} with {power}")


def _decide(cluster: Cluster, action: governance.Action, what: str) -> None:
    voting.decide(cluster, (action,), what, _say_nothing)


def hostile_proposer(scene: Scene, seconds: float) -> str:
    """A validator proposes blocks with invalid, doubled, old, huge and thousands of empty ones."""
    name = scene.one()
    sign = hostile.DONE.split("%")[0]
    before = scene.lines(name, sign)
    seed = scene.random.randrange(2**31)
    scene.cluster.restart(name, ("--hostile", str(seed)))
    scene.cluster.wait_until(
        lambda: scene.lines(name, sign) >= before + HOSTILE_BLOCKS,
        f"{name} proposes {HOSTILE_BLOCKS} blocks",
        HOSTILE_SECONDS,
    )
    for kind in hostile.KINDS:
        scene.counts[f"hostile: {kind}"] += scene.lines(name, f"{sign}{kind}")
    return f"{name}, {scene.lines(name, sign) - before} blocks"
