"""A real `tongbao run` in a process of its own, on a real folder."""

from __future__ import annotations

import os
import re
import signal
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
from msgspec import Struct

from tests.fixed_chain import key
from tests.sdk.kept_chain import CNY, PASSPHRASE, begin, fund
from tongbao.kernel import Address, Amount, ChainId, Reference, Time
from tongbao.modules import asset
from tongbao.sdk.builder import payload_bytes, sign

PAYERS: Final = 4
EACH: Final = Amount("200.00")
PAID: Final = Amount("0.01")
HOUR_MS: Final = 3_600_000
START_S: Final = 60
SERVED: Final = re.compile(r"is served at (https?://\S+)")


class Ground(Struct, frozen=True):
    """A folder with a chain on which some accounts can pay a shop."""

    folder: Path
    chain: ChainId
    shop: Address
    payers: tuple[Address, ...]

    def payment(self, payer: int, nonce: int, reference: str | None = None) -> bytes:
        """A payer's signed payment of a cent."""
        message = asset.Transfer(
            asset=CNY,
            amount=PAID,
            payee=self.shop,
            reference=None if reference is None else Reference(reference),
        )
        expires = Time(time.time_ns() // 1_000_000 + HOUR_MS)
        payload = payload_bytes(self.chain, self.payers[payer], nonce, expires, (message,))
        return sign(payload, [key(f"payer-{payer}")])


def lay(folder: Path) -> Ground:
    """Begin a chain in a folder, with funded payers, and close it."""
    chain, operator = begin(folder)
    with chain:
        shop = fund(operator)
        payers = [operator.open_account(key(f"payer-{place}")).address for place in range(PAYERS)]
        for payer in payers:
            operator.send(asset.Transfer(asset=CNY, amount=EACH, payee=Address(payer)))
        return Ground(folder, chain.id, shop, tuple(map(Address, payers)))


def command(folder: Path, *flags: str) -> list[str]:
    """`tongbao run` on a folder."""
    tongbao = str(Path(sys.executable).with_name("tongbao"))
    return [tongbao, "run", "--folder", str(folder), *flags]


ENVIRONMENT: Final = {
    "PATH": os.environ["PATH"],
    "TONGBAO_PASSPHRASE": PASSPHRASE,
    **{name: os.environ[name] for name in ("TONGBAO_NODE_PROCESSES",) if name in os.environ},
}
"""Of the environment of the tests only what a node needs, and how many processes it has."""


def run_to_end(folder: Path, *flags: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """`tongbao run` where it is expected to end by itself."""
    return subprocess.run(
        command(folder, *flags),
        env=ENVIRONMENT | environment,
        capture_output=True,
        text=True,
        timeout=START_S,
        check=False,
    )


class Node:
    """A node that runs, and what it says on standard error."""

    def __init__(self, folder: Path, *flags: str, trusted: ssl.SSLContext | None = None) -> None:
        """Start it, and wait until it serves; `trusted` is whom to believe that they are it."""
        self.process = subprocess.Popen(
            command(folder, *flags),
            env=ENVIRONMENT,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )
        self._lines: list[str] = []
        self._serves = threading.Event()
        self._reading = threading.Thread(target=self._read)
        self._reading.start()
        assert self._serves.wait(START_S), self.text()
        found = SERVED.search(self.text())
        assert found is not None, self.text()
        self.address = found[1]
        verify = True if trusted is None else trusted
        self.client = httpx2.Client(base_url=self.address, timeout=30, verify=verify)

    def _read(self) -> None:
        assert self.process.stderr is not None
        for line in self.process.stderr:
            self._lines.append(line)
            if SERVED.search(line):
                self._serves.set()
        self._serves.set()

    def text(self) -> str:
        """All that it has said."""
        return "".join(self._lines)

    def log(self) -> list[dict[str, Any]]:
        """Its log: every line but its notes to a person, which hold no brace."""
        lines = [line for line in self.text().splitlines() if line.startswith("{")]
        return [msgspec.json.decode(line) for line in lines]

    def send(self, wire: bytes, **query: str) -> httpx2.Response:
        """Submit one compact transaction."""
        headers = {"content-type": "application/jose"}
        return self.client.post("/v1/transactions", content=wire, headers=headers, params=query)

    def memory_kib(self) -> int:
        """Its resident memory."""
        status = Path(f"/proc/{self.process.pid}/status").read_text(encoding="ascii")
        found = re.search(r"^VmRSS:\s+(\d+) kB$", status, re.MULTILINE)
        assert found is not None
        return int(found[1])

    def kill(self) -> None:
        """End it as a power failure would."""
        self.client.close()
        self.process.kill()
        self._end()

    def stop(self) -> int:
        """Tell it to stop; its exit code."""
        self.client.close()
        self.process.send_signal(signal.SIGTERM)
        return self._end()

    def ended(self) -> int:
        """Wait until it ends by itself; its exit code."""
        self.client.close()
        return self._end()

    def _end(self) -> int:
        code = self.process.wait(timeout=START_S)
        self._reading.join()
        assert self.process.stderr is not None
        self.process.stderr.close()
        return code


@contextmanager
def running(folder: Path, *flags: str, trusted: ssl.SSLContext | None = None) -> Iterator[Node]:
    """A node until the `with` statement ends, which also ends it when it still runs."""
    given = flags if "--port" in flags else ("--port", "0", *flags)
    node = Node(folder, *given, trusted=trusted)
    try:
        yield node
    finally:
        if node.process.poll() is None:
            node.kill()


def owned(node: Node, account: Address) -> str:
    """How many CNY an account holds."""
    asked = {"account": account, "asset": CNY}
    value = node.client.get("/v1/asset/balance", params=asked).json()["value"]
    return "0.00" if value is None else str(value["amount"])
