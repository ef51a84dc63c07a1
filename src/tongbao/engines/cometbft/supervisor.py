"""Starts CometBFT, watches it, and starts it again: it never gives up, and always says why."""

from __future__ import annotations

import logging
import os
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.engines.cometbft.log_file import LogFile
from tongbao.engines.cometbft.rpc import Rpc, RpcError, RpcUnreachable
from tongbao.store.errors import FolderInUse
from tongbao.store.lock import lock_folder

log = logging.getLogger("tongbao.engines.cometbft")

LAUNCHER: Final = Path(__file__).with_name("launcher.py")
INHERITED: Final = (
    *("PATH", "HOME", "TMPDIR", "TZ", "LANG"),
    *("GOMAXPROCS", "GOGC", "GOMEMLIMIT", "GODEBUG", "GOTRACEBACK"),
)
"""Variables that CometBFT is given. Others could change its configuration, or be secrets."""
UNTIL_UP_MS: Final = 50
"""How often a CometBFT that is being started is asked whether it answers."""
WATCH_MS: Final = 1_000
"""How often its log is looked at while it runs; its end is known at once."""
ASK_SECONDS: Final = 2.0

NOT_STARTED: Final = "CometBFT is not started"
STARTING: Final = "CometBFT is being started"
STOPPED: Final = "CometBFT is stopped"


class Pauses(Struct, frozen=True, kw_only=True):
    """How long is waited for what, in seconds."""

    first: float = 0.25
    """Before CometBFT is started again the first time; each further time twice as long."""
    longest: float = 30.0
    calm: float = 60.0
    """After so long a run the next pause is the first one again."""
    end: float = 10.0
    """How long CometBFT may take to end by itself."""
    lock: float = 5.0
    """How long another CometBFT may have the home: one that was killed may for a moment."""


Listener = Callable[[bool], None]
"""Told in the supervisor's thread that CometBFT answers, or that it does not any more.

It returns soon and raises nothing; it must not call `stop`."""


class Supervisor:
    """One CometBFT on one home, from `start` to `stop`. Belongs to no thread.

    It is up when its RPC answers, which is after it has given the application all blocks that this
    one lacked. It dies with this process, however that ends.
    """

    def __init__(
        self,
        program: Path,
        home: Path,
        rpc: Path,
        log_path: Path,
        *,
        listener: Listener = lambda _: None,
        environment: Mapping[str, str] | None = None,
        pauses: Pauses | None = None,
        signer: Path | None = None,
    ) -> None:
        """Prepare to run a program on a home whose configuration names the RPC's socket.

        `environment` adds variables, as FAIL_TEST_INDEX for tests; `signer` is the socket on which
        CometBFT waits for a remote signer, where that is one of this machine.
        """
        self._command = [str(program), "start", "--home", str(home)]
        self._home = home
        self._rpc_path = rpc
        self._sockets = (rpc,) if signer is None else (rpc, signer)
        self._log_path = log_path
        self._listener = listener
        self._pauses = pauses or Pauses()
        given = {name: os.environ[name] for name in INHERITED if name in os.environ}
        self._environment = {**given, **(environment or {})}
        self._process: subprocess.Popen[bytes] | None = None
        self._thread: threading.Thread | None = None
        self._waking = threading.Lock()
        self._stopping = threading.Lock()
        self._is_stopping = False
        self._held: str | None = None
        self._again: str | None = None
        self._up = threading.Event()
        self.why: str | None = NOT_STARTED
        """Why CometBFT does not answer, in words for an operator; None while it does."""
        self.starts = 0
        """How often it was started."""

    @property
    def is_up(self) -> bool:
        """Whether CometBFT answers."""
        return self._up.is_set()

    @property
    def pid(self) -> int | None:
        """The process that runs now, if one does."""
        process = self._process
        return None if process is None else process.pid

    def start(self) -> None:
        """Begin. Raises FolderInUse while another CometBFT has the home, FolderMissing, OSError."""
        assert self._thread is None
        self._lock = self._take_lock()
        try:
            self._log = LogFile(self._log_path)
        except OSError:
            os.close(self._lock)
            raise
        self._wake = os.eventfd(0, os.EFD_NONBLOCK | os.EFD_CLOEXEC)
        self._is_stopping = False
        self._thread = threading.Thread(target=self._run, name="cometbft", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End CometBFT, by force if it does not end by itself, and wait for that.

        May come again, and from several threads at once; not from the listener.
        """
        with self._stopping:
            if self._thread is None:
                return
            self._is_stopping = True
            self._wake_up()
            self._thread.join()
            with self._waking:
                self._thread = None
                os.close(self._wake)
            self._log.close()
            os.close(self._lock)

    def hold(self, why: str) -> None:
        """End CometBFT and do not start it until `release`. Returns at once; the end comes soon."""
        self._held = why
        self._wake_up()

    def release(self) -> None:
        """Let CometBFT be started again."""
        self._held = None
        self._wake_up()

    def restart(self, why: str) -> None:
        """End CometBFT and start it again after a pause. Returns at once."""
        self._again = why
        self._wake_up()

    def wait_until_up(self, seconds: float) -> bool:
        """Wait until CometBFT answers, but not for longer; whether it does."""
        return self._up.wait(seconds)

    def _wake_up(self) -> None:
        with self._waking:
            if self._thread is not None:
                os.eventfd_write(self._wake, 1)

    def _take_lock(self) -> int:
        until = time.monotonic() + self._pauses.lock
        waiting = threading.Event()
        while True:
            try:
                return lock_folder(self._home)
            except FolderInUse:
                if time.monotonic() > until:
                    raise
            waiting.wait(UNTIL_UP_MS / 1_000)

    def _run(self) -> None:
        pause = self._pauses.first
        while not self._is_stopping:
            if self._held is not None:
                self._down(self._held)
                self._wait(None)
                continue
            begun = time.monotonic()
            ended = self._one_life()
            if self._is_unwanted():
                continue
            if time.monotonic() - begun >= self._pauses.calm:
                pause = self._pauses.first
            self._down(f"{ended}; it is started again in {pause:g} s")
            log.warning("%s", self.why)
            self._wait(pause)
            pause = min(2 * pause, self._pauses.longest)
        self._down(STOPPED)

    def _is_unwanted(self) -> bool:
        return self._is_stopping or self._held is not None

    def _one_life(self) -> str:
        """Start CometBFT and be with it until its end; why that came."""
        self.why = STARTING
        try:
            process = self._begin()
        except OSError as error:
            return f"CometBFT can't be started: {error}"
        self._process = process
        watched, rpc = os.pidfd_open(process.pid), Rpc(self._rpc_path, ASK_SECONDS)
        try:
            return self._watch(process, watched, rpc)
        finally:
            rpc.close()
            os.close(watched)
            self._process = None

    def _begin(self) -> subprocess.Popen[bytes]:
        for path in self._sockets:  # CometBFT does not replace what its last end has left
            if path.is_socket():
                path.unlink()
        self._log.begin()
        self._again = None
        self.starts += 1
        return subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *self._command],
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=self._log.descriptor,
            stderr=self._log.descriptor,
            pass_fds=(self._lock,),  # so the home is free only when this one is gone as well
            start_new_session=True,  # a Ctrl-C in the terminal is ours to handle
        )

    def _watch(self, process: subprocess.Popen[bytes], watched: int, rpc: Rpc) -> str:
        """Wait for the end of a process, and bring it about where that is wanted."""
        while True:
            is_over = self._wait((WATCH_MS if self.is_up else UNTIL_UP_MS) / 1_000, watched)
            complaint = self._log.look()
            if is_over:
                status = process.wait()
                complaint = self._log.look()
                return f"CometBFT has ended ({complaint.text if complaint else _status(status)})"
            if complaint is not None and complaint.is_stuck:
                self._end(process, watched, is_forced=True)
                return f"CometBFT decides no more ({complaint.text})"
            if self._is_unwanted() or self._again is not None:
                why = self._held or self._again or STOPPED
                self._down(why)
                self._end(process, watched, is_forced=False)
                return why
            if not self.is_up and _answers(rpc):
                self.why = None
                self._up.set()
                self._listener(True)

    def _end(self, process: subprocess.Popen[bytes], watched: int, *, is_forced: bool) -> None:
        if not is_forced:
            process.send_signal(signal.SIGTERM)
            poll = select.poll()
            poll.register(watched, select.POLLIN)
            is_forced = not poll.poll(self._pauses.end * 1_000)
        if is_forced:
            process.kill()
        process.wait()

    def _down(self, why: str) -> None:
        was_up = self._up.is_set()
        self.why = why
        self._up.clear()
        if was_up:
            self._listener(False)

    def _wait(self, seconds: float | None, watched: int | None = None) -> bool:
        """Wait for a word of another thread, or the end of the process; whether it has ended."""
        poll = select.poll()
        poll.register(self._wake, select.POLLIN)
        if watched is not None:
            poll.register(watched, select.POLLIN)
        ready = dict(poll.poll(None if seconds is None else seconds * 1_000))
        if self._wake in ready:
            os.eventfd_read(self._wake)
        return watched in ready


def _answers(rpc: Rpc) -> bool:
    try:
        rpc.call("health")
    except (RpcUnreachable, RpcError):
        return False
    return True


def _status(code: int) -> str:
    if code >= 0:
        return f"it exited with {code}"
    return f"it was killed by {signal.Signals(-code).name}"
