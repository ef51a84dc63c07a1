"""A real CometBFT with one validator, and the application that it drives, on a folder."""

from __future__ import annotations

import asyncio
import base64
import http.client
import json
import os
import re
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

from tests.fixed_chain import FIRST_MODULES, fixed_genesis
from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.server import Server
from tongbao.kernel import ChainId, Machine
from tongbao.kernel.genesis import chain_id
from tongbao.store.store import Store
from tools.cometbft import TOOLS

PROGRAM = TOOLS / "bin" / "cometbft"
SECONDS = 60
READY = "Starting RPC HTTP server"


class RpcError(Exception):
    """CometBFT's RPC says no."""


class RpcConnection(http.client.HTTPConnection):
    """HTTP over the unix socket of CometBFT's RPC."""

    def __init__(self, path: Path) -> None:
        """Speak to the socket at a path."""
        super().__init__("cometbft", timeout=SECONDS)
        self._path = path

    def connect(self) -> None:
        """Open the socket."""
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(SECONDS)
        self.sock.connect(str(self._path))


class RealNode:
    """CometBFT's home, made by its own `init` and then configured."""

    def __init__(self, folder: Path, chain: str) -> None:
        """Make keys, genesis and configuration."""
        self.home = folder / "home"
        self.abci, self.rpc = folder / "abci.sock", folder / "rpc.sock"
        self.process: subprocess.Popen[str] | None = None
        self.log: list[str] = []
        subprocess.run(
            [PROGRAM, "init", "--home", self.home], check=True, capture_output=True, timeout=SECONDS
        )
        genesis_file = self.home / "config" / "genesis.json"
        genesis = json.loads(genesis_file.read_text())
        genesis_file.write_text(json.dumps(genesis | {"chain_id": chain}))
        self._configure()

    def _configure(self) -> None:
        file = self.home / "config" / "config.toml"
        text = file.read_text()
        for name, value in (
            ("proxy_app", f'"unix://{self.abci}"'),
            ("laddr", f'"unix://{self.rpc}"'),  # the first is the RPC's
            ("create_empty_blocks", "false"),
            ("timeout_commit", '"0s"'),
            ("pex", "false"),
            ("indexer", '"null"'),
        ):
            text, count = re.subn(rf"(?m)^{name} = .*$", f"{name} = {value}", text, count=1)
            assert count == 1, name
        file.write_text(text)

    def start(self, fail_at: int | None = None) -> None:
        """Start, and wait until it answers; it may be told to die at a point of its first block.

        It does not replace a socket that a kill has left.
        """
        self.rpc.unlink(missing_ok=True)
        command = [PROGRAM, "start", "--home", self.home, "--p2p.laddr", "tcp://127.0.0.1:0"]
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
        connection = RpcConnection(self.rpc)
        body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": parameters})
        connection.request("POST", "/", body, {"Content-Type": "application/json"})
        answer = json.loads(connection.getresponse().read())
        connection.close()
        if "error" in answer:
            raise RpcError(answer["error"])
        return answer["result"]

    def send(self, wire: bytes) -> int:
        """Put a transaction into the mempool; its check's code."""
        answer = self.call("broadcast_tx_sync", tx=base64.b64encode(wire).decode())
        return int(answer["code"])

    def offer(self, wire: bytes) -> None:
        """Send a transaction to a node that may die of it, or know it from before its death."""
        with suppress(OSError, http.client.HTTPException, RpcError):
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
