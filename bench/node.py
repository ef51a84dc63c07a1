"""A node as operators run it, `tongbao run`, in processes of its own; watched out of `/proc`."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from http.client import HTTPConnection
from pathlib import Path
from time import monotonic

import msgspec
from msgspec import Struct

from bench.processes import TICKS_PER_S, descendants
from bench.workload import AUTHORITY_SEED
from tongbao.sdk.folder import Folder
from tongbao.sdk.keystore import Cost, Keystore
from tongbao.sdk.opening import AUTHORITY as AUTHORITY_NAME

PASSPHRASE = "nothing of value is here"
CHEAP = Cost(memory_kib=8, iterations=1)
ADDRESS = re.compile(r"served at (http://\S+)")
MODULE = re.compile(rb"-m\0([\w.]+)")
WORKER = re.compile(r"^(?:tongbao\.)?(?:node\.processes\.)?(?:engines\.)?")
ROOT_ROLE = "node"
NAMED = {"index.writer": "index"}
CORE = "core"
LMDB_FILE = "data.mdb"
RATE_PER_S = 1_000_000
POLL_S = 0.2
LOOK_S = 0.5
"""Between looks at a node under load: each takes some milliseconds of its CPU."""
START_S = 600
STOP_S = 120
INDEX_S = 300
KIB_PER_MB = 1_024
NOTHING_INDEXED = "/v1/references/bench-none?limit=1"
"""A question to the index that finds nothing; its answer has the height of the index."""
MAPPING = re.compile(r"^[0-9a-f]+-[0-9a-f]+ ")


def keep_authority(folder: Path) -> None:
    """Put the benchmark's authority where `tongbao run` looks for it."""
    keystore = Keystore(Folder(folder).keys, CHEAP)
    if AUTHORITY_NAME not in keystore.names():
        keystore.store(AUTHORITY_NAME, AUTHORITY_SEED, PASSPHRASE)


class Seen(Struct):
    """What a node had at a moment: its last block, and the last one in its index."""

    at: float
    height: int
    indexed: int


class Node:
    """A running node, and what it uses."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        """Watch a process that serves at an address."""
        self.pid = process.pid
        self.address = address

    def cpu_s(self) -> dict[str, float]:
        """Seconds of CPU that its processes have used so far, by role."""
        found: dict[str, float] = {}
        for role, pid in self.roles():
            with suppress(OSError):
                stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
                used = (int(stat[11]) + int(stat[12])) / TICKS_PER_S
                found[role] = found.get(role, 0.0) + used
        return found

    def roles(self) -> Iterator[tuple[str, int]]:
        """Its processes: what each does, and its number."""
        for pid in (self.pid, *descendants(self.pid)):
            with suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                yield ROOT_ROLE if pid == self.pid else role_of(command), pid

    def rss_mb(self) -> dict[str, float]:
        """Resident MB by role, without the map of LMDB's file; that of the largest of a role."""
        found: dict[str, float] = {}
        for role, pid in self.roles():
            with suppress(OSError):
                found[role] = max(found.get(role, 0.0), resident_mb(pid))
        return found

    def all_rss_mb(self) -> float:
        """Resident MB of all its processes together; what they share counts in each."""
        return sum(resident_mb(pid) for _, pid in self.roles())

    def look(self) -> Seen:
        """Its height and that of its index, as anybody learns them who asks."""
        height = json.loads(self.get("/v1"))["height"]
        answer = json.loads(self.get(NOTHING_INDEXED))
        return Seen(monotonic(), height, answer.get("index_height", answer["height"]))

    def get(self, path: str) -> str:
        """The body of an answer."""
        connection = HTTPConnection(self.address.removeprefix("http://"), timeout=60)
        try:
            connection.request("GET", path, headers={"Host": "localhost"})
            answer = connection.getresponse()
            body = answer.read().decode()
            assert answer.status == 200, (path, answer.status, body[:1_000])
            return body
        finally:
            connection.close()

    def wait_for_index(self) -> Seen:
        """Wait until the index has every block."""
        never = threading.Event()
        until = monotonic() + INDEX_S
        while (seen := self.look()).indexed < seen.height:
            assert monotonic() < until, "the index does not catch up"
            never.wait(POLL_S)
        return seen


def role_of(command: bytes) -> str:
    """What a process of a node does, by the module that it runs."""
    found = MODULE.search(command)
    if found is None:
        return "other"
    name = WORKER.sub("", found[1].decode())
    return NAMED.get(name, name)


def core_of(by_role: Mapping[str, float]) -> float:
    """The figure of the process that decides: `core`, or the node where it is one process."""
    return by_role.get(CORE, by_role[ROOT_ROLE])


def resident_mb(pid: int) -> float:
    """Resident MB of a process without the pages of LMDB's map."""
    total, counts = 0, True
    for line in Path(f"/proc/{pid}/smaps").read_text().splitlines():
        if MAPPING.match(line):
            counts = not line.endswith(LMDB_FILE)
        elif counts and line.startswith("Rss:"):
            total += int(line.split()[1])
    return total / KIB_PER_MB


@contextmanager
def running(
    folder: Path, *flags: str, variables: Mapping[str, str] | None = None
) -> Iterator[Node]:
    """`tongbao run` on a folder, at a free port, with no limit on the rate of one address."""
    keep_authority(folder)
    command = [sys.executable, "-m", "tongbao.cli.main", "run", "--folder", str(folder)]
    command += ["--port", "0", "--rate-per-s", str(RATE_PER_S), "--log-level", "warning", *flags]
    environment = {**os.environ, "TONGBAO_PASSPHRASE": PASSPHRASE, **(variables or {})}
    with (folder / "bench-node.log").open("w+") as said:
        process = subprocess.Popen(
            command,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=said,
            text=True,
            start_new_session=True,
        )
        try:
            yield Node(process, _address(process, folder / "bench-node.log"))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(STOP_S)
            finally:
                process.kill()
                process.wait()


def _address(process: subprocess.Popen[str], said: Path) -> str:
    """Where it serves, as soon as it says so."""
    never = threading.Event()
    until = monotonic() + START_S
    while True:
        text = said.read_text()
        if found := ADDRESS.search(text):
            return found[1]
        assert process.poll() is None, f"the node has ended:\n{text}"
        assert monotonic() < until, f"the node does not start:\n{text}"
        never.wait(POLL_S)


class Lag:
    """How far the index is behind while something goes on, in seconds and at its end."""

    def __init__(self, node: Node) -> None:
        """Look at a node."""
        self._node = node
        self._seen: list[Seen] = []
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Lag:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more, once the index has everything."""
        self._ended.set()
        self._thread.join()
        self._seen.append(self._node.wait_for_index())

    def _watch(self) -> None:
        while not self._ended.wait(LOOK_S):
            self._seen.append(self._node.look())

    @property
    def worst_s(self) -> float:
        """The longest that a block was durable and not in the index."""
        return worst_lag_s(self._seen)

    @property
    def caught_up(self) -> float:
        """The moment at which the index had everything."""
        last = self._seen[-1].height
        return next(seen.at for seen in self._seen if seen.indexed >= last)

    def text(self) -> str:
        """All that was seen, for whoever looks into a figure."""
        return msgspec.json.encode(self._seen).decode()


def worst_lag_s(seen: list[Seen]) -> float:
    """The longest time from when a block was first seen until it was seen in the index."""
    worst = 0.0
    for place, one in enumerate(seen):
        known = next(
            (other.at for other in seen[place:] if other.indexed >= one.height), seen[-1].at
        )
        worst = max(worst, known - one.at)
    return worst
