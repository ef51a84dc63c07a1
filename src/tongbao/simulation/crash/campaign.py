"""Kill after kill: start, compare, load, kill; and what all of them came to."""

from __future__ import annotations

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

from tongbao.simulation.crash.book import Book, Ground, Wrong
from tongbao.simulation.crash.checking import Checker, check_folder
from tongbao.simulation.crash.clients import Clients, Gate
from tongbao.simulation.crash.damaging import damage
from tongbao.simulation.crash.ground import lay
from tongbao.simulation.crash.node import Node, Nursery, free_port
from tongbao.simulation.crash.plan import STOPPED_S, Kind, Plan, at_point, plan
from tongbao.simulation.crash.points import Damage, Moment, Site, pairs

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
    mended: Counter[str] = field(default_factory=Counter)
    told: Counter[str] = field(default_factory=Counter)
    restarts_s: list[float] = field(default_factory=list)
    acknowledged: int = 0
    never: int = 0
    checks: int = 0
    audits: int = 0
    failure: str = ""

    @property
    def unreached(self) -> list[tuple[Site, Moment]]:
        """The points at which no node has died."""
        return [(site, moment) for site, moment in pairs() if not self.points[key(site, moment)]]

    @property
    def is_good(self) -> bool:
        """Nothing was lost or doubled, and no declared point is left out."""
        return not self.failure and not self.unreached

    def verdict(self) -> str:
        """The last line."""
        if self.failure:
            return f"crash: FAILED at kill {self.kills} of seed {self.seed}: {self.failure}"
        if self.unreached:
            names = ", ".join(key(site, moment) for site, moment in self.unreached)
            return f"crash: FAILED: no node has died {names}"
        return (
            f"crash: passed: {self.kills} kills at {len(pairs())} points and at random, "
            f"{self.acknowledged} transactions acknowledged, none lost, none doubled"
        )


def key(site: Site, moment: Moment) -> str:
    """A point in one text."""
    return f"{moment} {site.name}"


class Campaign:
    """A chain, its clients, and one node after the other."""

    def __init__(self, report: Report, nursery: Nursery, folder: Path) -> None:
        """Begin a chain in a new folder."""
        self.report = report
        self._nursery = nursery
        self._folder = folder
        self._log = folder.with_suffix(".log")
        self._port = free_port()
        self._address = f"http://127.0.0.1:{self._port}"
        ground: Ground = lay(folder)
        self._book = Book(ground, Random(f"{report.seed}/{report.kills}"))
        self._gate = Gate()
        self._gate.close()
        self._clients: Clients | None = None
        self._checker = Checker(self._address, self._book)

    def kill(self, planned: Plan) -> None:
        """One kill, or two in a row. Raises Wrong."""
        damage(self._folder, planned.damage)
        if planned.damage is not Damage.NONE:
            self.report.mended[planned.damage] += 1
        for _ in range(1 + planned.twice):
            self._one(planned)
        if self.report.kills % AUDIT_EVERY == 0:
            self.audit()

    def _one(self, planned: Plan) -> None:
        begun = time.monotonic()
        node = self._nursery.start(self._folder, self._port, self._log, planned.death)
        try:
            is_own = self._lives(node, planned, begun)
        finally:
            node.signal(signal.SIGKILL)
            code = self._nursery.reap(node)
            self._gate.close()
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
        node = self._nursery.start(self._folder, self._port, self._log, None)
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
        for site, moment in report.unreached:
            campaign.kill(at_point(site, moment, random))
