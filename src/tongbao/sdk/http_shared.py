"""What the two clients over HTTP share: what they know of a node, and how a request looks."""

from __future__ import annotations

import inspect
import time
from collections.abc import Iterable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, Final, TypeVar

import httpx2

from tongbao.kernel import Address, ChainId, Registry
from tongbao.sdk import steps, submitting
from tongbao.sdk.announced import registry_of_known, registry_with
from tongbao.sdk.answers import ChainAnswer, Happening, query_path
from tongbao.sdk.asking import PATIENCE_S, Answered, Ask, Pause, Steps, get
from tongbao.sdk.client import Applied, Head, Status
from tongbao.sdk.happenings import Stream
from tongbao.sdk.light import Light, TrustSource, trust_of
from tongbao.sdk.light_rows import Asked, unprovable
from tongbao.sdk.place import END_OF_BLOCK, Place, check_filters, place_of
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile

TIMEOUT_S: Final = 30.0
R = TypeVar("R")

NS_PER_MS: Final = 1_000_000
PARALLEL: Final = 8
"""Requests of one client that are under way at once, when it checks many answers."""


class HttpShared:
    """The state of a client, without a connection."""

    def __init__(
        self,
        registry: Registry | None,
        trust: TrustSource | None = None,
        patience_s: float = PATIENCE_S,
        witnesses: Sequence[str] = (),
    ) -> None:
        """Know nothing of the node yet; its chain says which modules it has, unless they are given.

        Of modules that are not installed here, messages can't be sent and queries not asked. Raises
        VerificationError for a trust file that is none.
        """
        self.patience_s = patience_s
        self._light = None if trust is None else Light(trust_of(trust), _wall_clock, witnesses)
        self.id = ChainId("")
        self._ahead = 0
        self._seen = 0
        self._given = registry
        self._know(registry or registry_with(()))

    def _know(self, registry: Registry) -> None:
        self.registry = registry
        if self._light is not None:
            self._light.know(registry)
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
        self._ahead = found.now - _wall_clock()
        if self._given is None:
            self._know(registry_of_known(found.modules))

    @property
    def equivocation(self) -> tuple[str, str] | None:
        """Two signed headers of one height that differ, once a client with trust has seen them.

        They prove to anybody that who signs them can't be trusted.
        """
        return None if self._light is None else self._light.equivocation

    def _allows(self, pause: Pause) -> bool:
        """Whether patience lasts for a pause."""
        return pause.spent_s + pause.seconds <= self.patience_s

    def now(self) -> int:
        """The time, in ms UTC, that a block made now would carry, by the node's clock."""
        return _wall_clock() + self._ahead

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
        values = [*args, *(kwargs.get(name) for name in names[len(args) :])]
        path = self._paths[function]
        if self._light is not None:
            return self._light.query(Asked(function, args, kwargs, path, names, values), self._seen)
        return steps.query(path, function, steps.parameters(names, values, self._seen))

    def _submit(self, transaction: bytes) -> Steps[Applied]:
        walk = submitting.submit(self.registry, transaction)
        return walk if self._light is None else self._light.submitted(transaction, walk)

    def _submit_many(self, transactions: list[bytes]) -> Steps[list[Applied | Exception]]:
        walk = submitting.submit_many(self.registry, transactions)
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

    def _recall(self, kind: type[R], path: str, **given: str | int | None) -> Steps[R]:
        """A page of history. No proof exists for it: refused with a trust file."""
        if self._light is not None:
            unprovable("history out of an index")
        asked = [(name, str(value)) for name, value in given.items() if value is not None]
        return get(path, kind, *asked, ("min_height", str(self._seen)))

    def _bundle(
        self, account: str, asset: str, first: int | str | None, before: int | str | None
    ) -> Steps[bytes]:
        """An audit bundle; its end is at least what this client has seen."""
        given = (("asset", asset), ("from", first), ("to", before), ("min_height", self._seen))
        asked = [(name, str(value)) for name, value in given if value is not None]
        return steps.bundle(account, *asked)

    def _prove_row(self, table: str, key: Any) -> Steps[RowProof]:
        if self._light is not None:
            return self._light.prove_row(table, key, self._seen)
        return steps.prove_row(table, key, self._seen)

    def _prove_transaction(self, identifier: str) -> Steps[TransactionProof]:
        if self._light is not None:
            return self._light.prove_transaction(identifier)
        return steps.prove_transaction(identifier)

    def _now_on(self) -> Steps[str]:
        """The cursor after the last block."""
        head = yield from self._head()
        return str(Place(head.height, END_OF_BLOCK))

    def _stream(self, after: str, filters: Mapping[str, str]) -> Stream:
        """A stream that begins after a cursor. Raises ValueError, TypeError."""
        check_filters(filters)
        return Stream(place_of(after), filters, self.patience_s)

    def _proven(self, happening: Happening) -> Steps[Happening]:
        """A happening that was checked. Raises VerificationError."""
        assert self._light is not None
        yield from self._light.happening(happening)
        return happening

    def _trust(self) -> Steps[TrustFile]:
        return steps.trust() if self._light is None else self._light.trust_file()


def _wall_clock() -> int:
    """Milliseconds UTC."""
    return time.time_ns() // NS_PER_MS


def request_of(ask: Ask) -> dict[str, Any]:
    """A request as httpx2 has it."""
    return {
        "method": ask.method,
        "url": ask.path,
        "params": list(ask.query),
        "content": ask.content or None,
        "headers": {"content-type": ask.media_type} if ask.media_type else {},
    }


def answer_of(found: httpx2.Response, began: float) -> Answered:
    """An answer as the steps have it, to a request that began at a monotonic time."""
    took = time.monotonic() - began
    later = found.headers.get("retry-after", "")
    since = found.headers.get("date", "")
    return Answered(found.status_code, found.content, retry_after_s(later, since), took)


def retry_after_s(later: str, date: str) -> float:
    """Seconds to wait for (RFC 9110 section 10.2.3): a number, or a date after that of the answer.

    0 when there is neither; without a date of its own the answer is taken to be of this moment.
    """
    if later.isascii() and later.isdigit():
        return float(later)
    try:
        until = parsedate_to_datetime(later).timestamp()
        now = parsedate_to_datetime(date).timestamp() if date else time.time()
    except (ValueError, TypeError, OverflowError):
        return 0.0
    return max(0.0, until - now)


def lost(error: Exception, began: float) -> Answered:
    """No answer came, and why."""
    why = f"{type(error).__name__}: {error}".encode()
    return Answered(0, why, took_s=time.monotonic() - began)
