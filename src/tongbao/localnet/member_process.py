"""One member as a process: `tongbao run` on its folder, and the CometBFT that it starts."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import httpx2

from tongbao.localnet.errors import STOPPED, LocalnetError
from tongbao.localnet.plan import Member

READY_SECONDS: Final = 120.0
PART_SECONDS: Final = 30.0
STOP_SECONDS: Final = 30.0
POLL_SECONDS: Final = 0.1
ASK_SECONDS: Final = 2.0
LOG_TAIL_BYTES: Final = 2_000
GOOD: Final = 200
PROGRAM: Final = (sys.executable, "-m", "tongbao.cli.main", "run")


class MemberProcess:
    """Starts, stops, pauses and kills one member; whoever makes it closes it."""

    def __init__(self, folder: Path, member: Member, prefix: Sequence[str] = ()) -> None:
        """Name a member of a network's folder; `prefix` is put before its command."""
        self.member = member
        self.log = folder / f"{member.name}.log"
        self._folder = folder / member.name
        self._prefix = tuple(prefix)
        self._process: subprocess.Popen[bytes] | None = None
        self.program: tuple[str, ...] = PROGRAM
        """What runs; another one takes the same options."""
        self.is_paused = False

    def start(self, peers: Sequence[str], settings: Sequence[str] = ()) -> None:
        """Start it beside others, with further settings of `tongbao run`. It may run already."""
        if self.is_running:
            return
        member = self.member
        command = [
            *self._prefix,
            *self.program,
            *("--folder", str(self._folder)),
            *("--host", member.host, "--port", str(member.http_port)),
            *("--p2p-listen", f"tcp://{member.host}:{member.p2p_port}"),
            *("--rpc-listen", member.rpc),
            *("--persistent-peers", ",".join(peers)),
            *("--processes", "1"),  # the members share the cores of one machine
            *settings,
        ]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self.is_paused = False

    @property
    def is_running(self) -> bool:
        """Whether the process lives, be it paused."""
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        """The number of the node's process; 0 while there is none."""
        return self._process.pid if self._process is not None and self.is_running else 0

    @property
    def engine_pid(self) -> int:
        """The number of its CometBFT; 0 while there is none."""
        for pid in _descendants(self.pid):
            with suppress(OSError):
                if Path(f"/proc/{pid}/comm").read_text().strip() == "cometbft":
                    return pid
        return 0

    def wait_until_ready(self, seconds: float = READY_SECONDS) -> None:
        """Wait until it answers over HTTP. Raises LocalnetError with the end of its log."""
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.has_ended(POLL_SECONDS):
                raise LocalnetError(
                    f"{self.member.name} has ended:\n{self.log_tail()}",
                    f"see {self.log}",
                    STOPPED,
                )
            if self.answers():
                return
        raise LocalnetError(
            f"{self.member.name} has not answered within {seconds:.0f} s",
            f"see {self.log}",
            STOPPED,
        )

    def has_ended(self, within_s: float) -> bool:
        """Whether it has ended, or does within a time; True as soon as it does."""
        with suppress(subprocess.TimeoutExpired):
            if self._process is not None:
                self._process.wait(within_s)
            return True
        return False

    def answers(self) -> bool:
        """Whether it answers over HTTP now."""
        with suppress(httpx2.HTTPError):
            found = httpx2.get(f"{self.member.address}/v1", timeout=ASK_SECONDS)
            return bool(found.status_code == GOOD)
        return False

    def wait_until_part(self, seconds: float = PART_SECONDS) -> bool:
        """Wait until its CometBFT takes part, for so long at most; whether it does.

        One that still fetches blocks drops the transactions that others pass on to it, and they do
        not do so twice: then only the turn of a node that has one brings it into a block.
        """
        until = time.monotonic() + seconds
        while not (is_part := self._takes_part()) and time.monotonic() < until:
            if self.has_ended(POLL_SECONDS):
                return False
        return is_part

    def _takes_part(self) -> bool:
        """Whether it says that transactions are decided: then its CometBFT votes, and passes on."""
        with suppress(httpx2.HTTPError):
            found = httpx2.get(f"{self.member.address}/readyz", timeout=ASK_SECONDS)
            return bool(found.status_code == GOOD)
        return False

    def stop(self) -> None:
        """End it as its operator would: SIGTERM, and SIGKILL for what is left after a while."""
        if self._process is None:
            return
        self.resume()
        if self.is_running:
            self._process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """End it and its CometBFT as a power cut does."""
        if self._process is None:
            return
        pids = [*_descendants(self._process.pid), self._process.pid]
        _signal(pids, signal.SIGKILL)
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self._process = None
        self.is_paused = False

    def kill_engine(self) -> None:
        """End its CometBFT alone, as a power cut does; the node starts it again."""
        _signal([pid for pid in [self.engine_pid] if pid], signal.SIGKILL)

    def pause(self) -> None:
        """Let neither of the two processes do anything."""
        _signal([self.pid, self.engine_pid], signal.SIGSTOP)
        self.is_paused = self.is_running

    def resume(self) -> None:
        """Let both go on."""
        _signal([self.engine_pid, self.pid], signal.SIGCONT)
        self.is_paused = False

    def log_tail(self) -> str:
        """The end of its log."""
        if not self.log.exists():
            return ""
        with self.log.open("rb") as file:
            file.seek(max(0, self.log.stat().st_size - LOG_TAIL_BYTES))
            return file.read(LOG_TAIL_BYTES).decode(errors="replace")


def _signal(pids: Sequence[int], number: int) -> None:
    for pid in pids:
        if pid:
            with suppress(ProcessLookupError):
                os.kill(pid, number)


def _descendants(pid: int) -> list[int]:
    """All processes below one, the nearest first; none below 0."""
    found: list[int] = []
    wanted = [pid] if pid else []
    while wanted:
        parent = wanted.pop(0)
        children: list[int] = []
        with suppress(OSError):
            for task in Path(f"/proc/{parent}/task").iterdir():
                children += map(int, (task / "children").read_text().split())
        found += children
        wanted += children
    return found
