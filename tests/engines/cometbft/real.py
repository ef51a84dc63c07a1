"""A real CometBFT with one validator, and the application that it drives, on a folder."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from tests.fixed_chain import FIRST_MODULES, fixed_genesis
from tongbao.engines.cometbft import genesis_document
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.configuration import Configuration, write_configuration
from tongbao.engines.cometbft.keys import PUBLIC_TYPE, write_node_key, write_validator_key
from tongbao.engines.cometbft.rpc import Rpc, RpcError, RpcUnreachable
from tongbao.engines.cometbft.server import Server
from tongbao.kernel import ChainId, Machine
from tongbao.kernel.genesis import chain_id
from tongbao.store.store import Store
from tools.cometbft import TOOLS

PROGRAM = TOOLS / "bin" / "cometbft"
SECONDS = 60
READY = "Starting RPC HTTP server"


def write_home(home: Path, abci: Path, rpc: Path, chain: str) -> None:
    """The home of the one validator of a chain whose application names no validators."""
    settings = Configuration(application=abci, rpc=rpc, p2p_listen="tcp://127.0.0.1:0")
    write_configuration(home, settings)
    write_node_key(home)
    key = base64.b64encode(write_validator_key(home)).decode()
    genesis_document.write_genesis_document(home, fixed_genesis())
    file = home / genesis_document.FILE
    validator = {"pub_key": {"type": PUBLIC_TYPE, "value": key}, "power": "10"}
    document = json.loads(file.read_text())
    file.write_text(json.dumps(document | {"chain_id": chain, "validators": [validator]}))


class RealNode:
    """CometBFT's home, and the program on it, which nobody starts again."""

    def __init__(self, folder: Path, chain: str) -> None:
        """Make keys, genesis and configuration."""
        self.home = folder / "home"
        self.abci, self.rpc = folder / "abci.sock", folder / "rpc.sock"
        self.process: subprocess.Popen[str] | None = None
        self.log: list[str] = []
        write_home(self.home, self.abci, self.rpc, chain)

    def start(self, fail_at: int | None = None) -> None:
        """Start, and wait until it answers; it may be told to die at a point of its first block.

        It does not replace a socket that a kill has left.
        """
        self.rpc.unlink(missing_ok=True)
        command = [PROGRAM, "start", "--home", self.home]
        point = {} if fail_at is None else {"FAIL_TEST_INDEX": str(fail_at)}
        self.process = subprocess.Popen(
            list(map(str, command)),
            env={**os.environ, **point},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self.process.stdout is not None
        ready = threading.Event()
        reader = threading.Thread(target=self._read, args=(self.process.stdout, ready), daemon=True)
        reader.start()
        self._reader = reader
        up = ready.wait(SECONDS) and (fail_at is not None or self.process.poll() is None)
        if not up:
            raise AssertionError("CometBFT is not ready:\n" + "".join(self.log[-30:]))

    def wait_for_crash(self, point: int) -> None:
        """Wait until it has died where it was told to."""
        assert self.process is not None
        self.process.wait(SECONDS)
        self._reader.join(SECONDS)
        assert f"*** fail-test {point} ***\n" in self.log
        self.log.clear()
        self.process = None

    def _read(self, output: IO[str], ready: threading.Event) -> None:
        with output:
            for line in output:
                self.log.append(line)
                if READY in line:
                    ready.set()
        ready.set()

    def kill(self) -> None:
        """End it as a power cut does."""
        if self.process is not None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait(SECONDS)
            self.process = None

    def call(self, method: str, **parameters: Any) -> Any:
        """Ask the RPC."""
        with closing(Rpc(self.rpc)) as rpc:
            return rpc.call(method, **parameters)

    def send(self, wire: bytes) -> int:
        """Put a transaction into the mempool; its check's code."""
        answer = self.call("broadcast_tx_sync", tx=base64.b64encode(wire).decode())
        return int(answer["code"])

    def offer(self, wire: bytes) -> None:
        """Send a transaction to a node that may die of it, or know it from before its death."""
        with suppress(RpcUnreachable, RpcError):
            self.send(wire)

    def finish(self, wire: bytes) -> int:
        """Wait until a transaction is in a block; its code there."""
        answer = self.call("broadcast_tx_commit", tx=base64.b64encode(wire).decode())
        assert answer["check_tx"]["code"] == 0, answer
        return int(answer["tx_result"]["code"])

    def info(self) -> tuple[int, bytes]:
        """The height and hash of the application's last block."""
        found = self.call("abci_info")["response"]
        return int(found["last_block_height"]), base64.b64decode(found["last_block_app_hash"])


@contextmanager
def running(
    short: Path, folder: Path, node: RealNode | None = None
) -> Iterator[tuple[RealNode, Store, ChainId]]:
    """CometBFT with its home and sockets in a short path, the application on a folder, and the
    chain's name; CometBFT is a new one, or one that was killed, and is killed at the end.
    """
    folder.mkdir(exist_ok=True)
    genesis = fixed_genesis()
    chain = chain_id(genesis)
    node = node or RealNode(short, chain)
    with Store.open(folder, chain) as store:
        last = store.last
        height, at = (-1, 0) if last is None else (last.height, last.time)
        machine = Machine(FIRST_MODULES, genesis, store, height, at)
        application = MachineApplication(machine, store, lambda: time.time_ns() // 1_000_000)
        with serving(Server(application, node.abci)):
            try:
                node.start()
                yield node, store, chain
            finally:
                node.kill()
        application.close()


@contextmanager
def serving(server: Server) -> Iterator[None]:
    """A server in an event loop of its own, in a thread."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        asyncio.run_coroutine_threadsafe(server.start(), loop).result(SECONDS)
        yield
        asyncio.run_coroutine_threadsafe(server.close(), loop).result(SECONDS)
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join(SECONDS)
        loop.close()
