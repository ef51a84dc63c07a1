"""Kill after kill: start, compare, load, kill; and what all of them came to."""

from __future__ import annotations

import shutil
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx2
import msgspec
from msgspec import Struct, field

from tongbao.localnet.ports import free_ports
from tongbao.sdk.audit import audit_folder
from tongbao.simulation.crash.book import Book, Ground, Wrong
from tongbao.simulation.crash.checking import Checker, check_folder
from tongbao.simulation.crash.clients import Clients, Gate
from tongbao.simulation.crash.ground import lay
from tongbao.simulation.crash.node import Node, Nursery
from tongbao.simulation.crash.plan import STOPPED_S, Kind, Plan, at_point, plan
from tongbao.simulation.crash.points import ON_A_COPY, Point, Trouble, points
from tongbao.simulation.crash.troubling import trouble, trouble_with_base

PATIENCE_S: Final = 3.0
"""How long a point is waited for under load."""
START_PATIENCE_S: Final = 60.0
AUDIT_EVERY: Final = 25
CHAIN_KILLS: Final = 150
"""After so many kills a new chain begins, so that starts stay short."""
ATTEMPTS: Final = 4
"""How often a point that was not come by is tried again at the end."""


class Report(Struct):
    """What a campaign has counted. `points` are kills by place, then by moment."""

    seed: int
    wanted: int
    kills: int = 0
    points: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    troubles: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    restarts_s: list[float] = field(default_factory=list)
    acknowledged: int = 0
    never: int = 0
    checks: int = 0
    audits: int = 0
    failure: str = ""

    @property
    def unreached(self) -> list[Point]:
        """The points at which no node has died."""
        return [point for point in points() if not self.points[str(point)]]

    @property
    def is_good(self) -> bool:
        """Nothing was lost or doubled, and no declared point is left out."""
        return not self.failure and not self.unreached

    def verdict(self) -> str:
        """The last line."""
        if self.failure:
            return f"crash: FAILED at kill {self.kills} of seed {self.seed}: {self.failure}"
        if self.unreached:
            names = ", ".join(map(str, self.unreached))
            return f"crash: FAILED: no node has died {names}"
        return (
            f"crash: passed: {self.kills} kills at {len(points())} points and at random, "
            f"{self.acknowledged} transactions acknowledged, none lost, none doubled"
        )


class Campaign:
    """A chain, its clients, and one node after the other."""

    def __init__(self, report: Report, nursery: Nursery, folder: Path) -> None:
        """Begin a chain in a new folder."""
        self.report = report
        self._nursery = nursery
        self._folder = folder
        self._log = folder.with_suffix(".log")
        [self._port] = free_ports(1)
        self._address = f"http://127.0.0.1:{self._port}"
        ground: Ground = lay(folder)
        self._book = Book(ground, Random(f"{report.seed}/{report.kills}"))
        self._gate = Gate()
        self._gate.close()
        self._clients: Clients | None = None
        self._checker = Checker(self._address, self._book)

    def kill(self, planned: Plan) -> None:
        """One kill, or two in a row. Raises Wrong."""
        if planned.trouble in ON_A_COPY:
            self._on_a_copy(planned)
            return
        trouble(self._folder, planned.trouble)
        if planned.trouble is not Trouble.NONE:
            self.report.troubles[planned.trouble] += 1
        for _ in range(1 + planned.twice):
            self._one(planned)
        if self.report.kills % AUDIT_EVERY == 0:
            self.audit()

    def _one(self, planned: Plan) -> None:
        begun = time.monotonic()
        node = self._nursery.start(
            self._folder, self._port, self._log, planned.death, planned.trouble
        )
        try:
            is_own = self._lives(node, planned, begun)
        finally:
            node.signal(signal.SIGKILL)
            code = self._nursery.reap(node)
            self._gate.close()
        self._count(planned, code, is_own=is_own)

    def _on_a_copy(self, planned: Plan) -> None:
        """Kill a node in its start on a copy of the chain, and let the next one start there."""
        folder = self._folder.with_name(f"{self._folder.name}-copy-{self.report.kills}")
        shutil.copytree(self._folder, folder)
        (trouble if planned.trouble is Trouble.NO_BLOCK else trouble_with_base)(
            folder, planned.trouble
        )
        self.report.troubles[planned.trouble] += 1
        node = self._nursery.start(folder, self._port, self._log, planned.death)
        is_own = not self._serves(node)
        node.signal(signal.SIGKILL)
        self._count(planned, self._nursery.reap(node), is_own=is_own)
        node = self._nursery.start(folder, self._port, self._log)
        is_there = self._serves(node) and self._is_right(planned)
        node.signal(signal.SIGTERM)
        if self._nursery.reap(node) != 0 or not is_there or audit_folder(folder).findings:
            raise Wrong(f"a chain with {planned.trouble} that was killed does not start again")
        shutil.rmtree(folder)

    def _is_right(self, planned: Plan) -> bool:
        """Whether a copy has what it must: block 0 alone, or all that was acknowledged."""
        if planned.trouble is Trouble.NO_BLOCK:
            return bool(self._checker.get("/v1")["height"] == 0)
        checker = Checker(self._address, self._book)
        checker.check()
        checker.close()
        return True

    def _count(self, planned: Plan, code: int, *, is_own: bool) -> None:
        """Count a kill. Raises Wrong when the node has ended in another way."""
        if code != -signal.SIGKILL:
            raise Wrong(f"the node ended by itself with {code}: {self._log.read_text()[-2_000:]}")
        self.report.kills += 1
        if is_own and planned.death is not None:
            self.report.points[str(planned.death)] += 1
        else:
            kind = Kind.LOAD if planned.kind is Kind.POINT else planned.kind
            self.report.kinds[kind] += 1

    def _lives(self, node: Node, planned: Plan, begun: float) -> bool:
        """A node's life until its end is due; True when it has ended at its point."""
        if planned.kind is Kind.START:
            return node.has_ended(planned.after_s)
        if not self._serves(node):
            return True
        self.report.restarts_s.append(time.monotonic() - begun)
        try:
            self._checker.check()
        except httpx2.TransportError:
            return node.has_ended(START_PATIENCE_S)
        self.report.checks += 1
        self._load()
        if planned.kind is Kind.POINT:
            return node.has_ended(PATIENCE_S)
        if planned.kind is Kind.STOPPED:
            node.has_ended(planned.after_s)
            node.signal(signal.SIGSTOP)
            node.has_ended(STOPPED_S)
            node.signal(signal.SIGCONT)
        return node.has_ended(planned.after_s)

    def _serves(self, node: Node) -> bool:
        """Wait until a node answers; False when it has ended before."""
        until = time.monotonic() + START_PATIENCE_S
        while time.monotonic() < until:
            try:
                self._checker.get("/v1")
                return True
            except httpx2.TransportError:
                if node.has_ended(0.005):
                    return False
        raise Wrong(f"the node does not serve after {START_PATIENCE_S:g} s")

    def _load(self) -> None:
        """Let the clients go on; the first time, let them begin."""
        self._gate.open()
        if self._clients is None:
            self._clients = Clients(self._address, self._book, self._gate)
        self._clients.check()

    def audit(self) -> None:
        """Believe nothing of the folder. Raises Wrong."""
        check_folder(self._folder, self._book)
        self.report.audits += 1

    def end(self) -> None:
        """A last node lets every client come to its end; then everything is compared."""
        node = self._nursery.start(self._folder, self._port, self._log)
        try:
            if not self._serves(node):
                raise Wrong("the last node does not serve")
            self._checker.check()
            self._load()
            if self._clients is not None:
                self._clients.stop()
            self._checker.check()
        finally:
            node.signal(signal.SIGTERM)
            code = self._nursery.reap(node)
        if code != 0:
            raise Wrong(f"told to stop, the node ended with {code}")
        self.audit()
        self.report.acknowledged += sum(one.is_decided for one in self._book.sent)
        self.report.never += sum(one.never for one in self._book.sent)
        self._checker.close()
        self._count_log()

    def _count_log(self) -> None:
        """What the nodes have told of their recoveries."""
        for line in self._log.read_text().splitlines():
            if line.startswith("{"):
                event = str(msgspec.json.decode(line)["event"])
                for sign in ("cut at byte", "rebuilt", "of another history", "made anew"):
                    self.report.told[sign] += sign in event


def run_campaign(
    seed: int, kills: int, progress: Callable[[int, int], Any] = lambda done, total: None
) -> Report:
    """So many kills, and then those points that no node came by. A failure ends it."""
    report = Report(seed=seed, wanted=kills)
    with Nursery() as nursery, tempfile.TemporaryDirectory(prefix="tongbao-crash-") as home:
        try:
            for first in range(0, kills, CHAIN_KILLS):
                campaign = Campaign(report, nursery, Path(home) / f"chain-{first}")
                for number in range(first, min(first + CHAIN_KILLS, kills)):
                    campaign.kill(plan(seed, number))
                    progress(number + 1, kills)
                if first + CHAIN_KILLS >= kills:
                    _reach(campaign, report)
                campaign.end()
        except (Wrong, AssertionError, OSError) as error:
            report.failure = f"{type(error).__name__}: {error}"
    return report


def _reach(campaign: Campaign, report: Report) -> None:
    """Go for the points that no node has died at."""
    random = Random(f"{report.seed}/reach")
    for _ in range(ATTEMPTS):
        for point in report.unreached:
            campaign.kill(at_point(point, random))
