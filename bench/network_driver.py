"""A process that holds one contender of `bench.network`, sends it transactions, and times them.

`python -m bench.network_driver KIND FOLDER...` says `ready` once it takes transactions; then each
line of standard input is an `Order`, and each line of standard output what came of it. It ends
with its standard input. The other nodes of a network are drivers too, which nobody orders
anything.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from threading import Event
from time import perf_counter
from typing import Final, Protocol

import msgspec
from msgspec import Struct

from bench.kvstore_client import KvstoreClient
from bench.network_layout import APPLICATION, OPTIONS, RPC
from bench.workload import AUTHORITY
from tongbao.engines.cometbft.program import find_program
from tongbao.engines.cometbft.supervisor import LAUNCHER, Supervisor
from tongbao.engines.solo import SoloEngine
from tongbao.sdk.client import Applied
from tongbao.sdk.folder import Folder
from tongbao.sdk.local import Chain
from tongbao.sdk.network import NetworkOptions, open_network
from tongbao.sdk.opening import open_producer

KVSTORE_PROGRAM: Final = Path(__file__).parents[1] / ".tools" / "bin" / "abci-cli"
SECONDS: Final = 120.0
READY: Final = "ready"
TICK_S: Final = 0.001


class Order(Struct):
    """Send the transactions of a file, one a line; `rate` a second, or at once with 0."""

    file: str
    rate: float = 0.0


class Outcome(Struct):
    """How long all took, in seconds, and how long each waited, in ms, where there was a rate."""

    seconds: float
    waited: list[float]


class Contender(Protocol):
    """Something that takes transactions and tells when they are final."""

    def flood(self, wires: list[bytes], /) -> None:
        """Hand over all, and return when the last one is final."""

    def pace(self, wires: list[bytes], rate: float, /) -> list[float]:
        """Hand over so many a second; ms from each one's intended moment until it is final."""


class Ours:
    """A chain of ours, be it of one authority or of a network, in this process."""

    def __init__(self, chain: Chain) -> None:
        """Send to this chain."""
        self._chain = chain

    def flood(self, wires: list[bytes]) -> None:
        """As `submit_many` does it; every one is applied."""
        answers = self._chain.submit_many(wires)
        wrong = [answer for answer in answers if not isinstance(answer, Applied)]
        assert not wrong, wrong[0]

    def pace(self, wires: list[bytes], rate: float) -> list[float]:
        """As an application does it that waits for nothing."""
        waited: list[float] = []

        def note(due: float, _: object) -> None:
            waited.append((perf_counter() - due) * 1_000)

        begun = perf_counter()
        futures = []
        for due, wire in paced(wires, rate, begun):
            future = self._chain.send(wire)
            future.add_done_callback(partial(note, due))
            futures.append(future)
        for future in futures:
            future.result(SECONDS)
        return waited


class Kvstore:
    """CometBFT's kvstore, behind its RPC."""

    def __init__(self, client: KvstoreClient) -> None:
        """Send by this client."""
        self._client = client

    def flood(self, wires: list[bytes]) -> None:
        """In batches, as many at once as our engine hands over."""
        for wire in wires:
            self._client.put(wire)
        self._client.wait(SECONDS)
        self._client.final.clear()

    def pace(self, wires: list[bytes], rate: float) -> list[float]:
        """One after the other; whatever waits goes in one batch."""
        begun = perf_counter()
        for _, wire in paced(wires, rate, begun):
            self._client.put(wire)
        self._client.wait(SECONDS)
        final, self._client.final = self._client.final, []
        return [(at - begun - place / rate) * 1_000 for place, at in enumerate(final)]


def paced(wires: list[bytes], rate: float, begun: float) -> Iterator[tuple[float, bytes]]:
    """Each transaction and its intended moment, when that has come."""
    never = Event()  # waiting for it leaves the processor to the others
    for place, wire in enumerate(wires):
        due = begun + place / rate
        ahead = due - perf_counter()
        if ahead > TICK_S:
            never.wait(ahead)
        yield due, wire


@contextmanager
def solo(folder: Path) -> Iterator[Contender]:
    """The engine with one authority."""
    place = Folder(folder)
    genesis = place.genesis()
    producer, store = open_producer(place, genesis, AUTHORITY)
    engine = SoloEngine(producer)
    engine.start()
    with Chain(engine, store, genesis) as chain:
        yield Ours(chain)


@contextmanager
def node(folder: Path) -> Iterator[Contender]:
    """A node of our network, with its CometBFT."""
    options = msgspec.json.decode((folder / OPTIONS).read_bytes(), type=NetworkOptions)
    with open_network(folder, options) as chain:
        yield Ours(chain)


@contextmanager
def kvstore_within(home: Path) -> Iterator[Contender]:
    """A node of the kvstore within CometBFT's process."""
    with _cometbft(home, {"CMT_PROXY_APP": "kvstore"}) as client:
        yield Kvstore(client)


@contextmanager
def kvstore_socket(home: Path) -> Iterator[Contender]:
    """A node of the kvstore whose application is behind a unix socket, as ours is."""
    address = f"unix://{home / APPLICATION}"
    command = [str(KVSTORE_PROGRAM), "kvstore", "--address", address]
    with (home / "application.log").open("wb") as log:
        application = subprocess.Popen(
            [sys.executable, "-I", "-S", str(LAUNCHER), str(os.getpid()), *command],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
        )
    try:
        with _cometbft(home, {}) as client:
            yield Kvstore(client)
    finally:
        application.terminate()
        application.wait(SECONDS)


@contextmanager
def _cometbft(home: Path, environment: dict[str, str]) -> Iterator[KvstoreClient]:
    rpc = home / RPC
    log = home / "cometbft.log"
    supervisor = Supervisor(find_program(), home, rpc, log, environment=environment)
    supervisor.start()
    try:
        assert supervisor.wait_until_up(SECONDS), supervisor.why
        with KvstoreClient(rpc) as client:
            yield client
    finally:
        supervisor.stop()


KINDS: Final = {
    "solo": solo,
    "node": node,
    "kvstore-within": kvstore_within,
    "kvstore-socket": kvstore_socket,
}


def carry_out(contender: Contender, order: Order) -> Outcome:
    """Send what an order names."""
    wires = Path(order.file).read_bytes().split(b"\n")
    begun = perf_counter()
    waited: list[float] = []
    if order.rate:
        waited = contender.pace(wires, order.rate)
    else:
        contender.flood(wires)
    return Outcome(perf_counter() - begun, waited)


def main() -> None:
    """Open the contender of a folder, and carry out orders."""
    kind, folder = sys.argv[1], Path(sys.argv[2])
    with KINDS[kind](folder) as contender:
        print(READY, flush=True)
        for line in sys.stdin:
            order = msgspec.json.decode(line, type=Order)
            print(msgspec.json.encode(carry_out(contender, order)).decode(), flush=True)


if __name__ == "__main__":
    main()
