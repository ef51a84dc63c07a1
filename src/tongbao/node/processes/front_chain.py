"""A chain as a front has it: takes transactions and knows what refusals mean; the rest is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tongbao.engines.solo import Ticket
from tongbao.kernel import ChainId, Registry
from tongbao.kernel.envelope import normalise
from tongbao.node.processes.remote_engine import RemoteEngine
from tongbao.sdk.client import Head


class FrontChain:
    """The part of `sdk/local.Chain` that operations of a front use."""

    def __init__(self, engine: RemoteEngine, registry: Registry, chain: ChainId) -> None:
        """Stand on a front's engine."""
        self._engine = engine
        self.registry = registry
        self.id = chain

    def queue(self, transaction: bytes) -> Ticket:
        """Queue a signed transaction; the ticket has the durable answer."""
        return self._engine.submit(normalise(transaction))

    def why(self, number: int) -> str:
        """What a refusal number means."""
        reason = self.registry.reasons.get(number)
        return "applied" if number == 0 else str(reason or f"refused with {number}")

    def head(self) -> Head:
        """The last block that the core has told of; its root and rows are not known here."""
        return Head(self.id, self._engine.height, self._engine.now(), "", 0)

    def now(self) -> int:
        """The time, in ms UTC, that a block made now would carry."""
        return self._engine.now()

    def listen(self, function: Callable[[int], None]) -> None:
        """Call a quick function with the height of each block once it is durable."""
        self._engine.listen(function)

    @property
    def waiting(self) -> int:
        """How many transactions wait for a block."""
        return self._engine.waiting

    @property
    def why_stopped(self) -> str | None:
        """Why no transactions are taken any more; None while they are."""
        return self._engine.why_stopped

    @property
    def is_disk_full(self) -> bool:
        """Whether no transactions are taken for want of space; it ends by itself."""
        return self._engine.is_disk_full

    @property
    def misbehaviour(self) -> Mapping[str, int]:
        """Evidence against validators in blocks, by kind, since the core began."""
        return self._engine.misbehaviour
