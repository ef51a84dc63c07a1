"""immudb: a server of its own in a folder, and its own Go client that sends batches of entries."""

from __future__ import annotations

import json
import socket
import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic

from bench.peers.contender import MissingError, Run
from tongbao.localnet.ports import free_ports
from tools.cometbft import TOOLS, InstallError, find_go, run

HERE = Path(__file__).parent / "immudb"
VERSION = "1.10.0"
PROGRAMS = TOOLS / "bin"
SERVER = "immudb"
CLIENT = "immudb-client"
SERVER_SOURCE = "github.com/codenotary/immudb/cmd/immudb"
GET = "immudb is not built: make bench-peers builds it, where there are Go 1.25 and a network"
WAYS = ((500, 16), (1, 28))
"""Entries in a transaction, and connections: it takes 30 transactions at once."""
START_S = 60.0
POLL_S = 0.05
LONGEST_S = 600
US = 1e6


def is_built(programs: Path = PROGRAMS) -> bool:
    """Whether both programs are there, and the client is not older than what it is made of."""
    made_of = max((HERE / name).stat().st_mtime for name in ("go.sum", "main.go"))
    server, client = programs / SERVER, programs / CLIENT
    return server.exists() and client.exists() and client.stat().st_mtime > made_of


def build() -> None:
    """Build server and client, of the versions in `go.sum`, unless they are there.

    Raises MissingError with what went wrong.
    """
    if is_built():
        return
    print(f"bench-peers: building immudb {VERSION} (some minutes on two cores)", flush=True)
    PROGRAMS.mkdir(parents=True, exist_ok=True)
    try:
        go = find_go(TOOLS)
        for program, source in ((SERVER, SERVER_SOURCE), (CLIENT, ".")):
            build_one = ("build", "-C", str(HERE), "-o", str(PROGRAMS / program), source)
            run(
                "nice", go, *build_one, GOTOOLCHAIN="local", GOFLAGS="-mod=readonly -buildvcs=false"
            )
    except InstallError as error:
        raise MissingError(f"immudb can't be built: {error}") from error


class Entries:
    """Payments as entries of its key-value store, so many in one of its transactions."""

    def __init__(self, port: int, server: int, payment_bytes: int, batch: int, many: int) -> None:
        """Send to a server, whose process is `server`, over `many` connections."""
        self._numbers = (batch, many, payment_bytes, server)
        self._port = port
        self.name = f"immudb {VERSION}, entries, {batch} in a transaction"
        self.conditions = (
            f"an entry of {payment_bytes} bytes under a new key, no balances, unsigned; {many} "
            "connections of its own Go client; answered when synced, its index is not waited for"
        )

    def run(self, count: int) -> Run:
        """So many entries."""
        ended = subprocess.run(
            [str(PROGRAMS / CLIENT), *map(str, (self._port, count, *self._numbers))],
            stdout=subprocess.PIPE,
            check=True,
            timeout=LONGEST_S,
        )
        found = json.loads(ended.stdout)
        done = found["count"]
        cpu = {role: US * found[f"{role}_s"] / done for role in ("server", "client")}
        return Run(done / found["seconds"], cpu)


@contextmanager
def immudb(payment_bytes: int, programs: Path = PROGRAMS) -> Iterator[list[Entries]]:
    """A server. Raises MissingError."""
    if not is_built(programs):
        raise MissingError(GET)
    with tempfile.TemporaryDirectory(prefix="peer-") as place:
        [port] = free_ports(1)
        command = [
            str(PROGRAMS / SERVER),
            "--dir",
            f"{place}/data",
            "--port",
            str(port),
            "--synced=true",
        ]
        off = [f"--{each}-server=false" for each in ("web", "pgsql", "metrics")]
        address = ["--address", "127.0.0.1", "--no-histograms"]
        with (Path(place) / "log").open("w+") as log:
            server = subprocess.Popen(
                [*command, *off, *address],
                cwd=place,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
            )
            try:
                _wait(port, server, Path(place) / "log")
                yield [Entries(port, server.pid, payment_bytes, *way) for way in WAYS]
            finally:
                server.kill()
                server.wait()


def _wait(port: int, server: subprocess.Popen[bytes], log: Path) -> None:
    """Wait until it takes connections."""
    never = threading.Event()
    until = monotonic() + START_S
    while True:
        with socket.socket() as attempt:
            if not attempt.connect_ex(("127.0.0.1", port)):
                return
        assert server.poll() is None and monotonic() < until, log.read_text()
        never.wait(POLL_S)
