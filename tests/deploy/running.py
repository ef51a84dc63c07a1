"""Real processes whose metrics are read: two CometBFT, and Prometheus."""

from __future__ import annotations

import json
import re
import subprocess
import threading
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tongbao.localnet.ports import free_ports

SECONDS: Final = 60
BLOCK: Final = re.compile(r"received complete proposal block.*height=([3-9]|\d\d)")
READY: Final = re.compile(r"Server is (ready) to receive web requests")
LISTENING: Final = re.compile(r'Listening on" address=(\S+)')


class Program:
    """A process that runs until it is closed, and what it has logged."""

    def __init__(self, *command: str | Path) -> None:
        """Start it."""
        self.log: list[str] = []
        self._said = threading.Condition()
        self._process = subprocess.Popen(
            list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self._process.stdout is not None
        self._reader = threading.Thread(target=self._read, args=(self._process.stdout,))
        self._reader.start()

    def _read(self, output: IO[str]) -> None:
        with output:
            for line in output:
                with self._said:
                    self.log.append(line)
                    self._said.notify_all()

    def until(self, words: re.Pattern[str]) -> str:
        """Wait until it says this; the last group of what was found."""
        with self._said:
            self._said.wait_for(lambda: any(map(words.search, self.log)), SECONDS)
            found = next(filter(None, map(words.search, self.log)), None)
        assert found is not None, "".join(self.log[-30:])
        return found[1]

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.wait(SECONDS)
        self._reader.join(SECONDS)


def free_addresses(count: int) -> list[str]:
    """Addresses that nobody listens on."""
    return [f"127.0.0.1:{port}" for port in free_ports(count)]


def configure(home: Path, p2p: str, metrics: str) -> None:
    """Switch a fresh node's metrics on, and let it listen on these addresses alone."""
    file = home / "config" / "config.toml"
    text = file.read_text()
    for old, new in (
        ("prometheus = false", "prometheus = true"),
        ('prometheus_listen_addr = ":26660"', f'prometheus_listen_addr = "{metrics}"'),
        ('laddr = "tcp://127.0.0.1:26657"', 'laddr = "tcp://127.0.0.1:0"'),
        ('laddr = "tcp://0.0.0.0:26656"', f'laddr = "tcp://{p2p}"'),
        ("addr_book_strict = true", "addr_book_strict = false"),
        ("allow_duplicate_ip = false", "allow_duplicate_ip = true"),
        ('timeout_commit = "1s"', 'timeout_commit = "100ms"'),
    ):
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text)


@contextmanager
def started(commands: Sequence[Sequence[str | Path]]) -> Iterator[list[Program]]:
    """Several programs, until the `with` statement ends."""
    with ExitStack() as stack:
        programs: list[Program] = []
        for command in commands:
            program = Program(*command)
            stack.callback(program.close)
            programs.append(program)
        yield programs


@contextmanager
def two_nodes(folder: Path) -> Iterator[tuple[str, ...]]:
    """A validator and a node that follows it, with CometBFT's own example application.

    Gives the addresses of their metrics, when both have made some blocks.
    """
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    p2p, *metrics = free_addresses(3)
    first, second = folder / "first", folder / "second"
    for home in (first, second):
        subprocess.run([PROGRAM, "init", "--home", home], check=True, capture_output=True)
    genesis = Path("config") / "genesis.json"
    (second / genesis).write_text((first / genesis).read_text())
    shown = subprocess.run(
        [PROGRAM, "show-node-id", "--home", first], check=True, capture_output=True, text=True
    )
    configure(first, p2p, metrics[0])
    configure(second, "127.0.0.1:0", metrics[1])
    start = (PROGRAM, "start", "--proxy_app", "kvstore", "--home")
    peer = f"{shown.stdout.strip()}@{p2p}"
    with started([(*start, first), (*start, second, "--p2p.persistent_peers", peer)]) as programs:
        for program in programs:
            program.until(BLOCK)
        yield tuple(metrics)


class Prometheus:
    """A Prometheus that scrapes, asked over its API."""

    def __init__(self, address: str) -> None:
        """Know where it listens."""
        self._address = address

    def ask(self, path: str, **parameters: str) -> Any:
        """The data of an answer."""
        query = urllib.parse.urlencode(parameters)
        address = f"http://{self._address}/api/v1/{path}?{query}"
        with urllib.request.urlopen(address, timeout=SECONDS) as answer:
            return json.load(answer)["data"]

    def wait_for(self, path: str, wanted: Callable[[Any], bool], **parameters: str) -> Any:
        """Ask until the data is as wanted; then it is given. It fails after a minute."""
        pause = threading.Event()
        for _ in range(SECONDS * 10):
            data = self.ask(path, **parameters)
            if wanted(data):
                return data
            pause.wait(0.1)
        raise AssertionError(f"{path} {parameters}: {data}")


@contextmanager
def prometheus(config: Path) -> Iterator[Prometheus]:
    """A real Prometheus with this configuration, on a free port of this machine."""
    command = (
        *("prometheus", f"--config.file={config}", "--web.listen-address=127.0.0.1:0"),
        f"--storage.tsdb.path={config.parent / 'data'}",
    )
    with started([command]) as (program,):
        program.until(READY)
        yield Prometheus(program.until(LISTENING))
