"""What the two clients over HTTP share: what they know of a node, and how a request looks."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable
from typing import Any, Final

import httpx2

from tongbao.kernel import Address, ChainId, Registry
from tongbao.sdk import steps
from tongbao.sdk.answers import ChainAnswer, query_path
from tongbao.sdk.client import Applied, Head, Status
from tongbao.sdk.light import Light, TrustSource, trust_of
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.steps import Answered, Ask, Steps

TIMEOUT_S: Final = 30.0
NS_PER_MS: Final = 1_000_000


class HttpShared:
    """The state of a client, without a connection."""

    def __init__(self, registry: Registry, trust: TrustSource | None = None) -> None:
        """Know the modules; nothing of the node yet. Raises VerificationError."""
        self.registry = registry
        self._light = None if trust is None else Light(registry, trust_of(trust))
        self.id = ChainId("")
        self._ahead = 0
        self._seen = 0
        self._paths = {
            query: query_path(module.name, name)
            for module in registry.modules
            for name, query in module.queries.items()
        }

    def _meet(self, found: ChainAnswer) -> None:
        """Take in which chain it is, and how its clock differs."""
        if self._light is not None:
            self._light.check_chain(found.chain)
        self.id = found.chain
        self._ahead = found.now - time.time_ns() // NS_PER_MS

    def now(self) -> int:
        """The time, in ms UTC, that a block made now would carry, by the node's clock."""
        return time.time_ns() // NS_PER_MS + self._ahead

    def _saw(self, applied: Applied) -> Applied:
        """Later reads are at least of this height: everybody reads their own writes."""
        self._seen = max(self._seen, applied.height)
        return applied

    def _saw_all(self, found: Iterable[Applied | Exception]) -> None:
        for one in found:
            if isinstance(one, Applied):
                self._saw(one)

    def _query(self, function: Any, args: Any, kwargs: Any) -> Steps[Any]:
        """The steps of a module's query."""
        names = list(inspect.signature(function).parameters)[1:]
        if self._light is not None:
            return self._light.query(function, args, kwargs, self._seen)
        given = [*args, *(kwargs.get(name) for name in names[len(args) :])]
        return steps.query(self._paths[function], function, names, given, self._seen)

    def _submit(self, transaction: bytes) -> Steps[Applied]:
        walk = steps.submit(self.registry, transaction)
        return walk if self._light is None else self._light.submitted(transaction, walk)

    def _submit_many(self, transactions: list[bytes]) -> Steps[list[Applied | Exception]]:
        walk = steps.submit_many(self.registry, transactions)
        return walk if self._light is None else self._light.submitted_many(transactions, walk)

    def _head(self) -> Steps[Head]:
        return steps.head() if self._light is None else self._light.head()

    def _status(self, transaction_id: str, expires: int | None) -> Steps[Status]:
        walk = steps.status(transaction_id, expires)
        return walk if self._light is None else self._light.status(transaction_id, walk)

    def _next_nonce(self, sender: Address, lane: int) -> Steps[int]:
        if self._light is not None:
            return self._light.next_nonce(sender, lane, self._seen)
        return steps.next_nonce(sender, lane, self._seen)

    def _prove_row(self, table: str, key: Any) -> Steps[RowProof]:
        if self._light is not None:
            return self._light.prove_row(table, key, self._seen)
        return steps.prove_row(table, key, self._seen)

    def _prove_transaction(self, identifier: str) -> Steps[TransactionProof]:
        if self._light is not None:
            return self._light.prove_transaction(identifier)
        return steps.prove_transaction(identifier)

    def _trust(self) -> Steps[TrustFile]:
        return steps.trust() if self._light is None else self._light.trust_file()


def request_of(ask: Ask) -> dict[str, Any]:
    """A request as httpx2 has it."""
    return {
        "method": ask.method,
        "url": ask.path,
        "params": list(ask.query),
        "content": ask.content or None,
        "headers": {"content-type": ask.media_type} if ask.media_type else {},
    }


def answer_of(found: httpx2.Response) -> Answered:
    """An answer as the steps have it."""
    return Answered(found.status_code, found.content, found.headers.get("retry-after", ""))


def lost(error: httpx2.TransportError) -> Answered:
    """No answer came, and why."""
    return Answered(0, f"{type(error).__name__}: {error}".encode())
