"""A node of several processes, one of which is killed again and again while clients pay.

The node is `tongbao run` itself. Each kill takes a process of a role, at a random moment under load
or right after the last one has ended; the clients go on through it. Every few kills, and after each
kill of the supervisor, all of them hold still and everything is compared.
"""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any, Final

import httpx2
from msgspec import Struct, field

from tongbao.localnet.ports import free_ports
from tongbao.simulation.crash.book import Book, Wrong
from tongbao.simulation.crash.checking import Checker, check_folder
from tongbao.simulation.crash.clients import Clients, Gate
from tongbao.simulation.crash.ground import lay
from tongbao.simulation.crash.serving import PASSPHRASE

SUPERVISOR: Final = "supervisor"
ROLES: Final = (SUPERVISOR, "core", "front", "verifier", "reader", "indexer")
CORES: Final = 2
"""For how many cores the node is laid out, whatever this machine has."""
COMPARE_EVERY: Final = 5
AUDIT_EVERY: Final = 50
LATEST_S: Final = 0.4
AGAIN_S: Final = 0.01
PATIENCE_S: Final = 60.0
END_MS: Final = 30_000
SLOW_S: Final = 10.0
"""A node that is whole again later than this is told of in the report."""
MODULE: Final = re.compile(rb"tongbao\.node\.processes\.(\w+)")


class LayoutReport(Struct):
    """What a campaign over the layout has counted."""

    seed: int
    wanted: int
    kills: Counter[str] = field(default_factory=Counter)
    checks: int = 0
    audits: int = 0
    acknowledged: int = 0
    longest_s: dict[str, float] = field(default_factory=dict)
    failure: str = ""

    @property
    def untouched(self) -> list[str]:
        """The roles of which no process was killed."""
        return [role for role in ROLES if not self.kills[role]]

    @property
    def is_good(self) -> bool:
        """Nothing was lost or doubled, and every role was hit."""
        return not self.failure and not self.untouched

    def verdict(self) -> str:
        """The last line."""
        hits = ", ".join(f"{role} {self.kills[role]}" for role in ROLES)
        if self.failure:
            return f"layout: FAILED after {self.kills.total()} kills ({hits}): {self.failure}"
        if self.untouched:
            return f"layout: FAILED: no process was killed of: {', '.join(self.untouched)}"
        slowest = max(self.longest_s, key=lambda role: self.longest_s[role])
        return (
            f"layout: passed: {self.kills.total()} kills ({hits}), {self.checks} comparisons, "
            f"{self.audits} audits, {self.acknowledged} transactions acknowledged, none lost, none "
            f"doubled; whole again within {self.longest_s[slowest]:.1f} s (after a {slowest})"
        )


class _Node:
    """`tongbao run` of a folder, and the processes that it has."""

    def __init__(self, folder: Path, port: int, log: Path) -> None:
        command = (sys.executable, "-m", "tongbao.cli.main", "run", "--folder", str(folder))
        settings = ("--port", str(port), "--processes", str(CORES), "--log-level", "warning")
        with log.open("ab") as said:
            self.process = subprocess.Popen(
                [*command, *settings],
                env={**os.environ, "TONGBAO_PASSPHRASE": PASSPHRASE},
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
            )

    def roles(self) -> list[tuple[str, int]]:
        """Every process with its role; those that have just ended are left out."""
        found = [(SUPERVISOR, self.process.pid)]
        for task in Path(f"/proc/{self.process.pid}/task").iterdir():
            for child in (task / "children").read_text().split():
                try:
                    role = MODULE.search(Path(f"/proc/{child}/cmdline").read_bytes())
                except OSError:
                    continue
                if role is not None:
                    found.append((role[1].decode(), int(child)))
        return found

    def kill(self, role: str) -> bool:
        """Kill a process of a role; False when there is none now."""
        process = next((number for name, number in self.roles() if name == role), None)
        if process is None:
            return False
        try:
            descriptor = os.pidfd_open(process)
        except ProcessLookupError:
            return False
        try:
            signal.pidfd_send_signal(descriptor, signal.SIGKILL)
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            if not poll.poll(END_MS):
                raise Wrong(f"a {role} does not die")
        except ProcessLookupError:
            return False
        finally:
            os.close(descriptor)
        return True


class LayoutCampaign:
    """One chain and its clients, through the death of every process."""

    def __init__(self, report: LayoutReport, folder: Path) -> None:
        """Begin a chain in a new folder, and a node on it."""
        self.report = report
        self._folder = folder
        self._random = Random(f"layout/{report.seed}")
        self._log = folder.with_suffix(".log")
        [self._port] = free_ports(1)
        self._address = f"http://127.0.0.1:{self._port}"
        self._book = Book(lay(folder), Random(f"book/{report.seed}"))
        self._gate = Gate()
        self._checker = Checker(self._address, self._book)
        self._node = _Node(folder, self._port, self._log)
        self._serves("node")
        self._clients = Clients(self._address, self._book, self._gate)
        self._turn = 0

    def kill(self) -> None:
        """One kill of the role whose turn it is. Raises Wrong."""
        role = ROLES[self._turn % len(ROLES)]
        self._turn += 1
        self._wait(self._random.uniform(0, LATEST_S))
        if not self._node.kill(role):
            return  # the one before has not begun again: its turn comes again
        self.report.kills[role] += 1
        if role == SUPERVISOR:
            self._node.process.wait()
            self._node = _Node(self._folder, self._port, self._log)
        if role == SUPERVISOR or self._turn % COMPARE_EVERY == 0:
            self._serves(role)
            self._compare()
        self._clients.check()

    def _wait(self, seconds: float) -> None:
        """Let clients pay for a while; a node that ends meanwhile is an error."""
        try:
            code = self._node.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return
        raise Wrong(f"the node ended by itself with {code}: {self._log.read_text()[-2_000:]}")

    def _serves(self, role: str) -> None:
        """Wait until the node is whole: it takes transactions, and all processes are there."""
        begun = time.monotonic()
        while not self._is_whole():
            if time.monotonic() - begun > PATIENCE_S:
                raise Wrong(f"the node is not whole {PATIENCE_S:g} s after a {role} was killed")
            self._wait(AGAIN_S)
        took = time.monotonic() - begun
        self.report.longest_s[role] = max(took, self.report.longest_s.get(role, 0.0))

    def _is_whole(self) -> bool:
        try:
            ready = httpx2.get(f"{self._address}/readyz", timeout=PATIENCE_S)
        except httpx2.TransportError:
            return False
        return ready.status_code == httpx2.codes.OK

    def _compare(self) -> None:
        """Let everybody hold still, and compare all that was ever answered."""
        self._gate.close()
        try:
            self._settle()
            self._checker.check()
            self.report.checks += 1
        finally:
            self._gate.open()

    def _settle(self) -> None:
        """What was taken in without waiting for it is decided in a moment."""
        until = time.monotonic() + PATIENCE_S
        for sent in self._book.open():
            while self._checker.get(f"/v1/transactions/{sent.id}")["state"] == "pending":
                if time.monotonic() > until:
                    raise Wrong(f"{sent.id} is not decided in {PATIENCE_S:g} s")
                self._wait(AGAIN_S)

    def audit(self) -> None:
        """Stop the node in order, believe nothing of its folder, and start it again."""
        self._gate.close()
        self._end()
        check_folder(self._folder, self._book)
        self.report.audits += 1
        self._node = _Node(self._folder, self._port, self._log)
        self._serves("node")
        self._gate.open()

    def _end(self) -> None:
        self._node.process.send_signal(signal.SIGTERM)
        if (code := self._node.process.wait(PATIENCE_S)) != 0:
            raise Wrong(f"told to stop, the node ended with {code}")

    def end(self) -> None:
        """Let every client come to its end, and compare everything once more."""
        self._serves("node")
        self._clients.stop()
        self._compare()
        self._gate.close()
        self._end()
        check_folder(self._folder, self._book)
        self.report.audits += 1
        self.report.acknowledged = sum(one.is_decided for one in self._book.sent)

    def close(self) -> None:
        """Whatever happened: no process stays."""
        if self._node.process.poll() is None:
            self._node.process.kill()
            self._node.process.wait()
        self._checker.close()


def run_layout(
    seed: int, kills: int, progress: Callable[[int, int], Any] = lambda done, total: None
) -> LayoutReport:
    """So many kills of processes of one node. A failure ends it."""
    report = LayoutReport(seed=seed, wanted=kills)
    with tempfile.TemporaryDirectory(prefix="tongbao-crash-") as home:
        campaign = LayoutCampaign(report, Path(home) / "chain")
        try:
            while report.kills.total() < kills:
                campaign.kill()
                progress(report.kills.total(), kills)
                if report.kills.total() % AUDIT_EVERY == 0:
                    campaign.audit()
            campaign.end()
        except (Wrong, AssertionError, OSError, httpx2.TransportError) as error:
            report.failure = f"{type(error).__name__}: {error}"
        finally:
            campaign.close()
    return report
