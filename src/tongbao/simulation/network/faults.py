"""Faults of processes and of the network: kill, pause, cut, slow, skew. Each says what it did."""

from __future__ import annotations

from itertools import combinations
from pathlib import Path
from typing import Final

from tongbao.simulation.crash.points import Death, moments_of
from tongbao.simulation.network.cluster import Wrong
from tongbao.simulation.network.scene import Scene
from tongbao.store.sites import Site

FAIL_POINTS: Final = 10
"""CometBFT's own: places around the end of a block where FAIL_TEST_INDEX ends it."""
DIE_SECONDS: Final = 90.0
BLOCK_SITES: Final = {
    Site.FRAME: 5,
    Site.FRAME_SYNC: 5,
    Site.HEADERS_LINE: 5,
    Site.ROWS_FLUSH: 2,
    Site.SEGMENT_FILE: 1,
    Site.SEGMENT_HEAD: 1,
    Site.SEGMENT_SYNC: 1,
    Site.SEGMENT_NAME: 1,
    Site.LAST_SEGMENT: 1,
    Site.FOUND_BLOCKS: 1,
    Site.FOUND_SEGMENTS: 1,
    Site.FOUND_LOG: 1,
    Site.HEADERS_FILE: 1,
    Site.ROWS_READERS: 1,
}
"""The write sites that a start and blocks come by without other damage, and after how many times.

All others are the business of `make crash`."""
STORE_POINTS: Final = tuple(
    Death(site.name, moment, passage)
    for site, passage in BLOCK_SITES.items()
    for moment in moments_of(site.name)
)
KILLED_STARTS: Final = 3
SLOW_SECONDS: Final = (0.05, 0.5)
SKEW_MS: Final = (700, 30_000, 3_600_000)
SKEWED: Final = Path(".tools/bin/cometbft-skewed")


def kill_node(scene: Scene, seconds: float) -> str:
    """Signal 9 for a node's process, and so for its CometBFT; the others go on."""
    name, other = scene.some(2)
    scene.cluster.node(name).kill()
    scene.hold(seconds)
    scene.probe(other)
    scene.cluster.start(name)
    return name


def kill_engine(scene: Scene, seconds: float) -> str:
    """Signal 9 for a CometBFT alone, twice; its node starts it again."""
    name = scene.one()
    for _ in range(2):
        scene.cluster.node(name).kill_engine()
        scene.hold(seconds / 2)
    return name


def kill_two(scene: Scene, seconds: float) -> str:
    """Signal 9 for half of the nodes: nothing is decided until one is back."""
    names = scene.some(len(scene.cluster.names) // 2)
    for name in names:
        scene.cluster.node(name).kill()
    others = [each for each in scene.cluster.names if each not in names]
    scene.stands_still(others, seconds)
    return ", ".join(names)


def kill_all(scene: Scene, seconds: float) -> str:
    """Signal 9 for every process at once, under load."""
    for name in scene.cluster.names:
        scene.cluster.node(name).kill()
    return "every node"


def kill_start(scene: Scene, seconds: float) -> str:
    """Signal 9 for a node again and again while it starts and catches up."""
    name = scene.one()
    for _ in range(KILLED_STARTS):
        scene.cluster.restart(name, until_ready=False)
        scene.hold(scene.random.uniform(0.0, seconds))
    scene.cluster.node(name).kill()
    return name


def pause_node(scene: Scene, seconds: float) -> str:
    """SIGSTOP for our process alone."""
    return _pause(scene, seconds, is_engine=False)


def pause_engine(scene: Scene, seconds: float) -> str:
    """SIGSTOP for a CometBFT alone."""
    return _pause(scene, seconds, is_engine=True)


def _pause(scene: Scene, seconds: float, *, is_engine: bool) -> str:
    name, other = scene.some(2)
    with scene.cluster.node(name).paused(is_engine=is_engine):
        scene.hold(seconds)
        scene.probe(other)
    return name


def pause_both(scene: Scene, seconds: float) -> str:
    """SIGSTOP for both processes of a node."""
    name, other = scene.some(2)
    scene.cluster.node(name).pause()
    scene.hold(seconds)
    scene.probe(other)
    scene.cluster.node(name).resume()
    return name


def halves(scene: Scene, seconds: float) -> str:
    """Two halves that don't see each other: neither decides anything."""
    names = scene.cluster.names
    half = scene.some(len(names) // 2)
    others = [each for each in names if each not in half]
    scene.cluster.fabric.cut([(one, other) for one in half for other in others])
    scene.stands_still(names, seconds)
    return f"{'+'.join(half)} from {'+'.join(others)}"


def alone(scene: Scene, seconds: float) -> str:
    """One node that sees nobody; the others go on, and it does not."""
    name, other = scene.some(2)
    cuts = [(name, each) for each in scene.cluster.names if each != name]
    scene.cluster.fabric.cut(cuts)
    scene.stands_still([name], seconds)
    scene.probe(other)
    return name


def ring(scene: Scene, seconds: float) -> str:
    """Each node sees its two neighbours alone: all go on, by way of each other."""
    circle = scene.some(len(scene.cluster.names))
    near = {frozenset((one, circle[place - 1])) for place, one in enumerate(circle)}
    far = [pair for pair in combinations(circle, 2) if frozenset(pair) not in near]
    scene.cluster.fabric.cut(far)
    scene.hold(seconds)
    for name in circle:
        scene.probe(name)
    return "-".join(circle)


def absence(scene: Scene, seconds: float) -> str:
    """One node is gone for many blocks, then back: it catches up by block sync."""
    name, other = scene.some(2)
    scene.cluster.node(name).kill()
    before = scene.cluster.height(other)
    scene.hold(seconds)
    missed = scene.probe(other) - before
    scene.cluster.start(name)
    return f"{name} missed {missed} blocks"


def crash_point(scene: Scene, seconds: float) -> str:
    """A CometBFT ends at one of its ten own crash points."""
    index = scene.turn("crash_point", FAIL_POINTS)
    name = scene.one()
    sign = f"*** fail-test {index} ***"
    before = scene.lines(name, sign, of_engine=True)
    scene.cluster.restart(name, ("--fail-test-index", str(index)), until_ready=False)
    scene.cluster.wait_until(
        lambda: scene.lines(name, sign, of_engine=True) > before,
        f"CometBFT of {name} comes to its crash point {index}",
        DIE_SECONDS,
    )
    scene.counts[f"crash point {index}"] += 1
    return f"{name} at point {index}"


def store_site(scene: Scene, seconds: float) -> str:
    """A node dies before, within or after a write of its store; once more at the next start."""
    point = STORE_POINTS[scene.turn("store_site", len(STORE_POINTS))]
    name = scene.one()
    told = f"{point.place}/{point.moment.value}/{point.passage}"
    scene.cluster.restart(name, ("--die-at", told), until_ready=False)
    if not scene.cluster.node(name).ended(DIE_SECONDS):
        raise Wrong(f"{name} did not come to {point}")
    scene.counts[str(point)] += 1
    return f"{name} {point}"


def slow_node(scene: Scene, seconds: float) -> str:
    """Everything to and from a node takes longer."""
    name, other = scene.some(2)
    delay = scene.random.uniform(*SLOW_SECONDS)
    scene.cluster.fabric.slow(name, delay)
    scene.hold(seconds)
    scene.probe(other)
    return f"{name} by {delay * 1000:.0f} ms each way"


def clock_skew(scene: Scene, seconds: float) -> str:
    """The clocks of a node's two processes are wrong: CometBFT is one built for this."""
    if not SKEWED.exists():
        raise Wrong(f"{SKEWED} is not there: make it with `python -m tools.skewed_cometbft`")
    name, other = scene.some(2)
    shift = scene.random.choice(SKEW_MS) * scene.random.choice((1, -1))
    wrong = ("--clock-shift-ms", str(shift), "--cometbft", str(SKEWED.absolute()))
    scene.cluster.restart(name, wrong)
    scene.hold(seconds)
    scene.probe(other)
    return f"{name} by {shift:,} ms"
