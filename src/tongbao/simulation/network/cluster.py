"""The nodes of a campaign: a local network on a fabric, with what a fault needs to do to them."""

from __future__ import annotations

import os
import select
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Final

import httpx2

from tongbao.localnet.laying import begin
from tongbao.localnet.member_process import PROGRAM, MemberProcess
from tongbao.localnet.network import SETTINGS, Network
from tongbao.localnet.plan import Member, Plan, write_plan
from tongbao.simulation.network.fabric import Fabric
from tongbao.simulation.network.member import PROGRAM as WRAPPED

LOCAL_SETTINGS: Final = (*SETTINGS, "--allowed-hosts", "*", "--grace-ms", "1000")
READY_SECONDS: Final = 120.0
AGREE_SECONDS: Final = 120.0
"""Without a further block for so long a member is stuck."""
CATCH_UP_SECONDS: Final = 900.0
ASK_SECONDS: Final = 10.0
LOOK_SECONDS: Final = 0.05
MS: Final = 1_000


class Wrong(Exception):
    """The network has done what it must never do, or not what it must; the text says what."""


class Node(MemberProcess):
    """One member. `options` are those of the program with something wrong in it, where wanted."""

    def begin(self, peers: Sequence[str], settings: Sequence[str], wrong: Sequence[str]) -> None:
        """Start it, as it is or with something wrong in it."""
        self.program = (*WRAPPED, *wrong) if wrong else PROGRAM
        self.start(peers, settings)

    @contextmanager
    def paused(self, *, is_engine: bool) -> Iterator[None]:
        """Let one of the two processes do nothing for as long as the statement takes."""
        pid = self.engine_pid if is_engine else self.pid
        _send(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            _send(pid, signal.SIGCONT)

    @property
    def has_fallen(self) -> bool:
        """Whether its process has ended by itself, killed by nobody."""
        code = None if self._process is None else self._process.poll()
        return code not in (None, -signal.SIGKILL)

    def ended(self, seconds: float) -> bool:
        """Whether its process ends within a time; True as soon as it does."""
        pid = self.pid
        if not pid:
            return True
        with suppress(ProcessLookupError):
            watched = os.pidfd_open(pid)
            try:
                poll = select.poll()
                poll.register(watched, select.POLLIN)
                return bool(poll.poll(seconds * MS))
            finally:
                os.close(watched)
        return True


def _send(pid: int, number: int) -> None:
    """Send a signal to a process that may be gone; none to no process."""
    if pid:
        with suppress(ProcessLookupError):
            os.kill(pid, number)


class Cluster(Network):
    """The network of a folder, on a fabric. Its processes are started by one thread alone."""

    def __init__(self, folder: Path, plan: Plan, fabric: Fabric) -> None:
        """Know the members, at their places; nothing is started yet."""
        super().__init__(folder, plan, LOCAL_SETTINGS)
        self.fabric = fabric
        self.members = {}
        self.wrong: dict[str, tuple[str, ...]] = {}
        """What is wrong in a member from its next start on."""
        self.take(plan)

    @classmethod
    def lay(cls, folder: Path, validators: int, fabric: Fabric) -> Cluster:
        """The folders of a new network."""
        return cls(folder, begin(folder, validators, "faults"), fabric)

    def take(self, plan: Plan) -> None:
        """Have these members from now on, each at its place."""
        self.plan = self.fabric.placed(plan)
        write_plan(self.folder, self.plan)
        for member in self.plan.members:
            if member.name not in self.members:
                prefix = self.fabric.prefix(member)
                self.members[member.name] = Node(self.folder, member, prefix)

    def node(self, name: str) -> Node:
        """A member's process."""
        found = self.members[name]
        assert isinstance(found, Node)
        return found

    @property
    def names(self) -> list[str]:
        """The members' names, in their order."""
        return list(self.members)

    def _start(self, process: MemberProcess, *further: str) -> None:
        assert isinstance(process, Node)
        others = [each for each in self.plan.members if each.name != process.member.name]
        peers = self.fabric.peers(process.member, others)
        settings = (*self._settings, *further)
        process.begin(peers, settings, self.wrong.get(process.member.name, ()))

    def start(self, name: str, *further: str, until_ready: bool = True) -> None:
        """Start a member, with further settings; wait until it answers. Raises LocalnetError."""
        self._start(self.node(name), *further)
        if until_ready:
            self.node(name).wait_until_ready(READY_SECONDS)

    def restart(self, name: str, wrong: Sequence[str] = (), *, until_ready: bool = True) -> None:
        """Kill a member, and start it with this wrong in it. Raises LocalnetError."""
        self.node(name).kill()
        self.wrong[name] = tuple(wrong)
        self.start(name, until_ready=until_ready)

    def ask(self, name: str, path: str, **asked: Any) -> Any:
        """What a member answers, as JSON; None where it does not, or not with 200."""
        return self._ask(name, path, asked, is_any=False)

    def ask_any(self, name: str, path: str) -> Any:
        """What a member answers, be it a problem document; None where it does not."""
        return self._ask(name, path, {}, is_any=True)

    def why(self, name: str) -> str:
        """Why a member is not ready, in its own words; empty where it is, or does not answer."""
        found = self.ask_any(name, "/readyz")
        return "" if found is None else "; ".join(found.get("reasons", ()))

    def _ask(self, name: str, path: str, asked: dict[str, Any], *, is_any: bool) -> Any:
        with suppress(httpx2.HTTPError, ValueError):
            address = self.node(name).member.address
            found = httpx2.get(f"{address}{path}", params=asked, timeout=ASK_SECONDS)
            if is_any or found.status_code == httpx2.codes.OK:
                return found.json()
        return None

    def height(self, name: str) -> int:
        """The height of a member; -1 where it does not answer."""
        found = self.ask(name, "/v1")
        return -1 if found is None else int(found["height"])

    def top(self) -> int:
        """The greatest height that a member has."""
        return max(self.height(name) for name in self.names)

    def wait_for(self, name: str, height: int) -> None:
        """Wait until a member has a block, as long as it comes nearer. Raises Wrong."""
        begun = moved = time.monotonic()
        best = -1
        while self.ask(name, "/v1", min_height=height) is None:
            now, found = time.monotonic(), self.height(name)
            if found > best:
                best, moved = found, now
            if now > moved + AGREE_SECONDS or now > begun + CATCH_UP_SECONDS:
                ready = self.ask_any(name, "/readyz")
                raise Wrong(
                    f"{name} is at block {found} after {now - begun:.0f} s, and must come "
                    f"to {height} (readyz: {ready}):\n{self.node(name).log_tail()}"
                )
            threading.Event().wait(LOOK_SECONDS)

    def wait_until(self, is_so: Callable[[], bool], what: str, seconds: float) -> None:
        """Look until it is so. Raises Wrong."""
        if not self.comes(is_so, seconds):
            raise Wrong(f"not within {seconds:.0f} s: {what}")

    def comes(self, is_so: Callable[[], bool], seconds: float) -> bool:
        """Look again and again until it is so; False when it is not within a time."""
        until = time.monotonic() + seconds
        while not is_so():
            if time.monotonic() > until:
                return False
            threading.Event().wait(LOOK_SECONDS)
        return True

    def agree(self, height: int) -> None:
        """All members come to a block and have the same header there. Raises Wrong.

        A header names the one before, and the root of the state: what is equal here was ever so.
        """
        for name in self.names:
            self.wait_for(name, height)
        headers = {name: self.header(name, height) for name in self.names}
        if len(set(headers.values())) != 1:
            raise Wrong(f"block {height} is not the same everywhere: {headers}")

    def header(self, name: str, height: int) -> str:
        """A member's header of a block it has. Raises Wrong."""
        found = self.ask(name, f"/v1/blocks/{height}")
        if found is None:
            raise Wrong(f"{name} does not show its block {height}")
        return str(found["header"])

    def member(self, name: str) -> Member:
        """A member."""
        return self.plan.member(name)
