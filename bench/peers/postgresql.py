"""PostgreSQL: a server of its own in a folder, and double-entry transfers by pgbench."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.peers.contender import MissingError, Run
from bench.processes import TICKS_PER_S, descendants

HERE = Path(__file__).parent
DEBIAN = Path("/usr/lib/postgresql")
USER = "postgres"
"""Who runs the server where this program is root's: it refuses to be root itself."""
GET = "PostgreSQL is not installed: apt-get install postgresql (pgbench comes with it)"
SETTINGS = {
    "listen_addresses": "",
    "synchronous_commit": "on",
    "fsync": "on",
    "full_page_writes": "on",
    "shared_buffers": "512MB",
    "effective_cache_size": "2GB",
    "wal_buffers": "16MB",
    "max_wal_size": "8GB",
    "checkpoint_timeout": "30min",
    "checkpoint_completion_target": "0.9",
    "max_connections": "50",
    "jit": "off",
}
"""Durable as ours is; memory, log and checkpoints so that none of them is what it waits for."""
CLIENTS = (8, 16, 32)
THREADS = 2
TPS = re.compile(r"^tps = ([\d.]+)", re.MULTILINE)
DONE = re.compile(r"number of transactions actually processed: (\d+)")
MS = 1_000.0
US = 1e6
DATABASE = "bench"


def programs(debian: Path = DEBIAN, path: str | None = None) -> Path:
    """The folder of the newest server's programs. Raises MissingError.

    It is looked for where Debian has servers, then in `path`, or PATH without it.
    """
    found = sorted(debian.glob("*/bin/initdb"), key=lambda each: int(each.parts[-3]))
    beside = str(found[-1]) if found else shutil.which("initdb", path=path)
    if beside is None or shutil.which("pgbench", path=path) is None:
        raise MissingError(GET)
    return Path(beside).parent


class Server:
    """A running server that has the accounts."""

    def __init__(self, bin_: Path, home: Path, accounts: int) -> None:
        """Make a cluster in a folder, start it, and fill it."""
        self._bin, self._home = bin_, home
        self.accounts = accounts
        self._as_user("initdb", "-D", str(home / "data"), "-A", "trust", "-U", USER, "--no-sync")
        with (home / "data" / "postgresql.conf").open("a") as file:
            file.writelines(f"{name} = '{value}'\n" for name, value in SETTINGS.items())
            file.write(f"unix_socket_directories = '{home}'\n")
        self._as_user("pg_ctl", "-D", str(home / "data"), "-l", str(home / "log"), "-w", "start")

    def fill(self) -> None:
        """Make the accounts, and let everything come to rest."""
        self._as_user("createdb", "-h", str(self._home), "-U", USER, DATABASE)
        self.ask((HERE / "schema.sql").read_text())
        self.ask("VACUUM ANALYZE")
        self.ask("CHECKPOINT")

    def ask(self, text: str) -> str:
        """Run SQL; what it says."""
        connection = ("-h", str(self._home), "-U", USER, "-d", DATABASE)
        variables = ("-v", "ON_ERROR_STOP=1", "-v", f"accounts={self.accounts}")
        return self._as_user("psql", *connection, "-Atq", *variables, "-f", "-", text=text)

    def version(self) -> str:
        """Its version, as it tells it."""
        return self.ask("SHOW server_version").strip()

    def pgbench(
        self, script: str, clients: int, count: int, *more: str
    ) -> tuple[float, int, float]:
        """Transactions a second, how many there were, and pgbench's own CPU seconds."""
        command = [
            *("pgbench", "-h", str(self._home), "-U", USER, "-n", "-M", "prepared"),
            *("-c", str(clients), "-j", str(THREADS), "-f", str(HERE / script)),
            *("-D", f"accounts={self.accounts}", "-t", str(max(1, count // clients)), *more),
            DATABASE,
        ]
        before = os.times()
        ended = subprocess.run(command, capture_output=True, text=True, check=False)
        after = os.times()
        assert not ended.returncode, ended.stderr
        tps, done = TPS.search(ended.stdout), DONE.search(ended.stdout)
        assert tps and done, ended.stdout
        cpu = after.children_user + after.children_system
        cpu -= before.children_user + before.children_system
        return float(tps[1]), int(done[1]), cpu

    def cpu_s(self) -> float:
        """Seconds of CPU of the server's processes, those that have ended among them."""
        main = int((self._home / "data" / "postmaster.pid").read_text().split()[0])
        total = _ticks(main, with_ended=True)
        total += sum(_ticks(pid, with_ended=False) for pid in descendants(main))
        return total / TICKS_PER_S

    def stop(self) -> None:
        """End it at once: it is a throw-away."""
        self._as_user("pg_ctl", "-D", str(self._home / "data"), "-m", "immediate", "stop")

    def _as_user(self, program: str, *arguments: str, text: str = "") -> str:
        command = [str(self._bin / program), *arguments]
        if os.geteuid() == 0:
            command = ["runuser", "-u", USER, "--", *command]
        # Into a file: a server that stays would keep a pipe open.
        with tempfile.TemporaryFile("w+") as said:
            ended = subprocess.run(
                command,
                cwd=self._home,
                input=text,
                stdout=said,
                stderr=said,
                text=True,
                check=False,
            )
            said.seek(0)
            answer = said.read()
        assert not ended.returncode, f"{' '.join(command)}:\n{answer}"
        return answer


def _ticks(pid: int, *, with_ended: bool) -> int:
    """Of a process, perhaps with those of its children that have ended; 0 where it has ended."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0
    return sum(map(int, stat[11:15] if with_ended else stat[11:13]))


class Transfers:
    """Transfers by one script, by the number of clients that was fastest in a trial."""

    def __init__(self, server: Server, script: str, words: str, trial: int) -> None:
        """Try numbers of clients with a few transfers each."""
        self._server, self._script = server, script
        tried = {clients: server.pgbench(script, clients, trial)[0] for clients in CLIENTS}
        self._clients = max(tried, key=lambda clients: tried[clients])
        self.name = f"PostgreSQL {server.version().split()[0]}, {words}"
        self.conditions = (
            f"double-entry transfer, unsigned; synchronous commit; pgbench with {self._clients} "
            "clients over a unix socket, prepared statements"
        )

    def run(self, count: int) -> Run:
        """So many transfers, shared by the clients."""
        before = self._server.cpu_s()
        rate, done, cpu = self._server.pgbench(self._script, self._clients, count)
        used = self._server.cpu_s() - before
        return Run(rate, {"server": US * used / done, "pgbench": US * cpu / done})

    def latency(self, rate: float, count: int) -> list[float]:
        """Milliseconds from the moment at which each was due, at so many a second."""
        with tempfile.TemporaryDirectory() as place:
            prefix = f"--log-prefix={place}/log"
            more = ("-R", f"{rate:.1f}", "-l", prefix)
            self._server.pgbench(self._script, self._clients, count, *more)
            lines = [
                line.split()
                for path in Path(place).iterdir()
                for line in path.read_text().splitlines()
            ]
        # Client, number, microseconds from when it was due, and so on.
        return [int(fields[2]) / MS for fields in lines]


@contextmanager
def postgresql(accounts: int, trial: int) -> Iterator[list[Transfers]]:
    """A server, and both ways to transfer. Raises MissingError."""
    bin_ = programs()
    home = Path(tempfile.mkdtemp(prefix="peer-"))
    if os.geteuid() == 0:
        account = pwd.getpwnam(USER)
        os.chown(home, account.pw_uid, account.pw_gid)
    try:
        server = Server(bin_, home, accounts)
        try:
            server.fill()
            yield [
                Transfers(server, "five_statements.sql", "five statements", trial),
                Transfers(server, "one_call.sql", "one call", trial),
            ]
        finally:
            server.stop()
    finally:
        shutil.rmtree(home, ignore_errors=True)
