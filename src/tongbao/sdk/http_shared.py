"""What the two clients over HTTP share: what they know of a node, and how a request looks."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable
from typing import Any, Final

import httpx2

from tongbao.kernel import ChainId, Registry
from tongbao.sdk import steps
from tongbao.sdk.announced import registry_of_known, registry_with
from tongbao.sdk.answers import ChainAnswer, query_path
from tongbao.sdk.client import Applied
from tongbao.sdk.steps import Answered, Ask, Steps

TIMEOUT_S: Final = 30.0
NS_PER_MS: Final = 1_000_000


class HttpShared:
    """The state of a client, without a connection."""

    def __init__(self, registry: Registry | None) -> None:
        """Know nothing of the node yet; its chain says which modules it has, unless they are given.

        Of modules that are not installed here, messages can't be sent and queries not asked.
        """
        self.id = ChainId("")
        self._ahead = 0
        self._seen = 0
        self._given = registry
        self._know(registry or registry_with(()))

    def _know(self, registry: Registry) -> None:
        self.registry = registry
        self._paths = {
            query: query_path(module.name, name)
            for module in registry.modules
            for name, query in module.queries.items()
        }

    def _meet(self, found: ChainAnswer) -> None:
        """Take in which chain it is, and how its clock differs."""
        self.id = found.chain
        self._ahead = found.now - time.time_ns() // NS_PER_MS
        if self._given is None:
            self._know(registry_of_known(found.modules))

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

    def _query(self, function: Any, args: Any, kwargs: Any) -> Steps[tuple[int, Any]]:
        """The steps of a module's query: the height, and what it finds."""
        names = list(inspect.signature(function).parameters)[1:]
        given = [*args, *(kwargs.get(name) for name in names[len(args) :])]
        return steps.query(self._paths[function], function, names, given, self._seen)


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
