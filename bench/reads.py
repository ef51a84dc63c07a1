"""What readers ask of a node beside its payments: a mix of questions at a steady rate.

Of a hundred: 40 balances, 15 lists of holdings, 15 outcomes of transactions, 15 proofs of a balance
and 15 statements of an account (its latest movements, where the node knows no statements yet).
"""

from __future__ import annotations

import random
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import msgspec

from bench.node import Node
from bench.requests import question, write_questions
from bench.sender import Sent
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.transaction import id_of

PER_S = 200
CONNECTIONS = 16
BALANCE = "/v1/asset/balance?account={account}&asset={asset}"
HOLDINGS = "/v1/accounts/{account}/holdings"
OUTCOME = "/v1/transactions/{id}"
PROOF = "/v1/rows/asset.holdings/proof?key={account}&key={asset}"
STATEMENT = "/v1/accounts/{account}/statement?asset={asset}"
MOVEMENTS = "/v1/accounts/{account}/movements?asset={asset}&limit=20"
STATEMENT_ROUTE = "/v1/accounts/{address}/statement"
MIX = (
    ("balance", 40, BALANCE),
    ("holdings", 15, HOLDINGS),
    ("outcome", 15, OUTCOME),
    ("proof", 15, PROOF),
    ("statement", 15, STATEMENT),
)
"""Names, shares in percent, and what is asked."""
TOLD = "40 balances, 15 holdings, 15 outcomes, 15 proofs, 15 statements of a hundred"
STOP_S = 60


class Readers:
    """Questions about the accounts of a chain."""

    def __init__(self, node: Node, accounts: Sequence[str], asset: str, ids: Sequence[str]) -> None:
        """Ask about these accounts, this asset, and these transactions."""
        self._node = node
        self._accounts, self._asset, self._ids = accounts, asset, ids
        self._random = random.Random(2)
        self.has_statements = STATEMENT_ROUTE in node.get("/openapi.json")

    def path(self, form: str) -> str:
        """A question of a form, about an account and a transaction drawn at random."""
        if form == STATEMENT and not self.has_statements:
            form = MOVEMENTS
        return form.format(
            account=self._random.choice(self._accounts),
            asset=self._asset,
            id=self._random.choice(self._ids),
        )

    def draw(self, count: int) -> Iterator[tuple[str, str]]:
        """So many questions, each with its name."""
        shares = [share for _, share, _ in MIX]
        for name, _, form in self._random.choices(MIX, weights=shares, k=count):
            yield name, self.path(form)

    @contextmanager
    def reading(self, seconds: float, rate: float = PER_S) -> Iterator[Reading]:
        """Ask in another process from now on, for so long; the end waits for the last answer."""
        drawn = list(self.draw(max(1, int(seconds * rate))))
        with tempfile.NamedTemporaryFile("wb", suffix=".requests") as file:
            write_questions(file, (question(path) for _, path in drawn))
            command = [sys.executable, "-m", "bench.sender", self._node.address, file.name]
            process = subprocess.Popen(
                [*command, str(CONNECTIONS), str(rate)], stdout=subprocess.PIPE
            )
            reading = Reading([name for name, _ in drawn])
            try:
                yield reading
                reading.end(process.communicate(timeout=seconds + STOP_S)[0])
            finally:
                process.kill()
                process.communicate()


class Reading:
    """Questions under way, and once they have ended how long each waited."""

    def __init__(self, names: list[str]) -> None:
        """The names of the questions, in their order."""
        self._names = names
        self._sent: Sent | None = None

    def end(self, said: bytes) -> None:
        """Take over what the sender saw."""
        assert said, "the process that reads has ended: see above"
        self._sent = msgspec.json.decode(said, type=Sent)

    @property
    def sent(self) -> Sent:
        """All of it."""
        assert self._sent is not None, "the reading has not ended"
        return self._sent

    @property
    def per_s(self) -> float:
        """Answers a second."""
        return len(self.sent.waited_ms) / self.sent.seconds

    def by_name(self) -> dict[str, list[float]]:
        """Milliseconds that each waited from its intended moment, by what was asked."""
        found: dict[str, list[float]] = {}
        for place, waited in zip(self.sent.places, self.sent.waited_ms, strict=True):
            found.setdefault(self._names[place], []).append(waited)
        return found


def ids_of(wires: Sequence[bytes]) -> list[str]:
    """The ids of transactions, as the node tells them."""
    return [id_of(decode_envelope(wire).payload).hex() for wire in wires]
