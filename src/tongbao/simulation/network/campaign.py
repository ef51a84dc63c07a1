"""One campaign: nodes and clients, fault after fault, and at the end everything is compared."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from random import Random
from typing import Final

from tongbao.localnet.errors import LocalnetError
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.errors import NodeError, Unreachable
from tongbao.simulation.network import faults, faults_files, faults_members
from tongbao.simulation.network.checking import (
    Ledger,
    check_agreement,
    check_history,
    compare,
    final_state,
    overtaken,
    whole,
)
from tongbao.simulation.network.clients import Clients
from tongbao.simulation.network.cluster import Cluster, Wrong
from tongbao.simulation.network.fabric import Fabric, FabricError
from tongbao.simulation.network.ground import lay
from tongbao.simulation.network.history import Book
from tongbao.simulation.network.ledger import Found, read_folder
from tongbao.simulation.network.manifest import Fault, Manifest, Step
from tongbao.simulation.network.report import DOUBLED, OVERTAKEN, Line, Report
from tongbao.simulation.network.scene import Act, Scene
from tongbao.store.errors import StoreError

ACTS: Final[dict[Fault, Act]] = {
    Fault.KILL_NODE: faults.kill_node,
    Fault.KILL_ENGINE: faults.kill_engine,
    Fault.KILL_TWO: faults.kill_two,
    Fault.KILL_ALL: faults.kill_all,
    Fault.KILL_START: faults.kill_start,
    Fault.CRASH_POINT: faults.crash_point,
    Fault.STORE_SITE: faults.store_site,
    Fault.PAUSE_NODE: faults.pause_node,
    Fault.PAUSE_ENGINE: faults.pause_engine,
    Fault.PAUSE_BOTH: faults.pause_both,
    Fault.HALVES: faults.halves,
    Fault.ALONE: faults.alone,
    Fault.RING: faults.ring,
    Fault.ABSENCE: faults.absence,
    Fault.LATE_JOINER: faults_members.late_joiner,
    Fault.CHURN: faults_members.churn,
    Fault.LEAVER: faults_members.leaver,
    Fault.TRUNCATED_LOG: faults_files.truncated_log,
    Fault.TRUNCATED_WAL: faults_files.truncated_wal,
    Fault.TRUNCATED_STORE: faults_files.truncated_store,
    Fault.DISK_FULL: faults_files.disk_full,
    Fault.SLOW_NODE: faults.slow_node,
    Fault.HOSTILE_PROPOSER: faults_members.hostile_proposer,
    Fault.CLOCK_SKEW: faults.clock_skew,
}
"""What each fault does."""

EXPECTED: Final = (
    Wrong,
    LocalnetError,
    FabricError,
    NodeError,
    Unreachable,
    StoreError,
    OSError,
    AssertionError,
)
"""What a campaign ends with when a node does not do what it must."""
NEVER_TOLD: Final = (
    ("wrong Block.Header.AppHash", True),
    ("wrong Block.Header.LastResultsHash", True),
    ('"level": "critical"', False),
    ("Traceback (most recent call last)", False),
)
"""What must not stand in a node's log, or (True) in its CometBFT's."""
Progress = Callable[[str], None]


def steps_of(manifest: Manifest, seed: int) -> list[Step]:
    """The faults in the order of this seed, each once in the list for each time.

    A member must have joined before one leaves.
    """
    steps = [step for step in manifest.steps for _ in range(step.times)]
    if manifest.shuffle:
        Random(f"steps/{seed}").shuffle(steps)
    leaves = [step for step in steps if step.fault is Fault.LEAVER]
    return [step for step in steps if step.fault is not Fault.LEAVER] + leaves


def offset_of(manifest: Manifest, seed: int) -> int:
    """Where a seed begins among the write sites, so that seeds in a row go through all of them."""
    return seed * sum(step.times for step in manifest.steps if step.fault is Fault.STORE_SITE)


def run_campaign(
    manifest: Manifest, name: str, seed: int, folder: Path, fabric: Fabric, tell: Progress
) -> Report:
    """Play a manifest with a seed in a folder. What goes wrong is in the report's findings."""
    report = Report(manifest=name, seed=seed, fabric=fabric.name)
    begun = time.monotonic()
    random = Random(f"campaign/{seed}")
    with closing(fabric), Cluster.lay(folder, manifest.validators, fabric) as cluster:
        try:
            cluster.start_all(lambda _: None)
            ground, history = lay(cluster, seed, manifest.payers, manifest.registers)
            book = Book(ground, history)
            scene = Scene(cluster, book, random, offset_of(manifest, seed))
            report.counts = scene.counts
            try:
                _under_faults(manifest, seed, scene, report, tell)
            finally:
                scene.close()
            cluster.close()
            _compare(scene, report)
        except EXPECTED as error:
            report.findings.append(f"{type(error).__name__}: {error}")
    report.seconds = time.monotonic() - begun
    return report


def _under_faults(
    manifest: Manifest, seed: int, scene: Scene, report: Report, tell: Progress
) -> None:
    clients = Clients(scene.book, scene.members, seed)
    try:
        scene.settle()
        steps = steps_of(manifest, seed)
        for number, step in enumerate(steps):
            line = _one(step, scene)
            report.lines.append(line)
            tell(
                f"{number + 1} of {len(steps)}: {line.fault} ({line.what}): {line.seconds:.1f} s, "
                f"then {line.settled:.1f} s until all agreed at block {line.height}"
            )
    finally:
        clients.stop()
    scene.settle()


def _one(step: Step, scene: Scene) -> Line:
    """One fault, and the time until all is well. Raises what EXPECTED names, with the fault."""
    begun = time.monotonic()
    try:
        what = ACTS[step.fault](scene, step.seconds)
        done = time.monotonic()
        height = scene.settle()
    except EXPECTED as error:
        raise Wrong(f"{step.fault}: {type(error).__name__}: {error}") from error
    scene.counts[step.fault] += 1
    return Line(step.fault, what, done - begun, time.monotonic() - done, height)


def _compare(scene: Scene, report: Report) -> None:
    """Every node's folder against the history, while no node runs."""
    history = scene.book.history
    names = [*scene.cluster.names, *scene.gone]
    found = {
        name: read_folder(scene.cluster.folder / name, scene.book.ground, history) for name in names
    }
    findings = check_agreement({name: each.ledger for name, each in found.items()})
    ledger = whole([each.ledger for each in found.values()])
    findings += check_history(history, ledger)
    for name in scene.cluster.names:
        height = found[name].ledger[-1].height
        own = final_state(history, [each for each in ledger if each.height <= height])
        findings += [f"{name}: {each}" for each in _differences(found[name], own)]
        audited = audit_folder(scene.cluster.folder / name).findings
        findings += [f"{name}: audit: {each}" for each in audited[:1]]
    report.findings += findings + _told(scene, names)
    report.blocks = len(ledger)
    report.reads = len(history.reads)
    _count(scene, ledger, report)


def _told(scene: Scene, names: list[str]) -> list[str]:
    """What no log may say: that nodes disagree, or that one has stopped for a bug."""
    return [
        f"the log of {name} says {sign!r} {count} times"
        for name in names
        for sign, of_engine in NEVER_TOLD
        if (count := scene.lines(name, sign, of_engine=of_engine))
    ]


def _differences(found: Found, own: tuple[dict[str, int], dict[str, tuple[int, int]]]) -> list[str]:
    balances, registers = own
    return [
        *compare("the balance", balances, found.balances),
        *compare("the register", registers, found.registers),
        *found.wrong[:5],
    ]


def _count(scene: Scene, ledger: Ledger, report: Report) -> None:
    counts = report.transactions
    counts[OVERTAKEN] = overtaken(scene.book.history, ledger)
    for operation in scene.book.history.operations.values():
        counts["sent"] += 1
        counts["acknowledged"] += bool(operation.told)
        counts["refused"] += any(each.number for each in operation.told)
        counts["never known to their client"] += not operation.told
        counts[DOUBLED] += len(operation.sent_to) > 1
    scene.counts.update({name: counts[name] for name in (DOUBLED, OVERTAKEN)})
