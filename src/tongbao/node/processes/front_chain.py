"""A chain as a front has it: takes transactions and knows what refusals mean; the rest is asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from tongbao.engines.solo import Ticket
from tongbao.kernel import ChainId, Registry
from tongbao.kernel.envelope import normalise
from tongbao.node.processes.remote_engine import RemoteEngine


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
