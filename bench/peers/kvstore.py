"""CometBFT's kvstore with one validator, with transactions of the size of a signed payment."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from bench.contestants import Contestant
from bench.network_driver import KVSTORE_PROGRAM
from bench.network_layout import lay_out_kvstore
from bench.peers.contender import MissingError, Run
from tongbao.engines.cometbft.program import ProgramError, find_program

WAYS = (("kvstore-socket", "behind a socket"), ("kvstore-within", "in its process"))
GET = "CometBFT's kvstore is not built: make bench-peers builds it, where there is a network"
US = 1e6


class Kvstore:
    """A node of it, driven as our engine drives its CometBFT."""

    def __init__(self, contestant: Contestant, words: str, size: int) -> None:
        """Take a contestant that has started."""
        self._contestant = contestant
        self.name = f"CometBFT kvstore, {words}"
        self.conditions = (
            f"a transaction of {size} bytes, unsigned, no balances; final when a header has it; "
            "one validator, whose votes are synced; state in memory"
        )

    def run(self, count: int) -> Run:
        """So many transactions."""
        seconds, cpu = self._contestant.flood(count)
        return Run(count / seconds, {role: US * each / count for role, each in cpu.items()})


class Fillers:
    """Transactions of one size, each another: `key=value`."""

    def __init__(self, size: int) -> None:
        """Begin with the first."""
        self._size, self._made = size, 0

    def make(self, count: int) -> list[bytes]:
        """The next ones."""
        first = self._made
        self._made += count
        rest = b"=" + b"v" * self._size
        return [(b"%016d" % number + rest)[: self._size] for number in range(first, first + count)]


@contextmanager
def kvstore(folder: Path, payment_bytes: int) -> Iterator[list[Kvstore]]:
    """Both ways to run it. Raises MissingError."""
    try:
        find_program()
    except ProgramError as error:
        raise MissingError(f"{error}: make setup-cometbft") from error
    if not KVSTORE_PROGRAM.exists():
        raise MissingError(GET)
    with ExitStack() as stack:
        found = []
        for kind, words in WAYS:
            homes = lay_out_kvstore(folder / kind, 1)
            make = Fillers(payment_bytes).make
            contestant = stack.enter_context(Contestant(kind, homes, make))
            contestant.wait_until_ready()
            found.append(Kvstore(contestant, words, payment_bytes))
        yield found
