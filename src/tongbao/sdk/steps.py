"""Steps of reading: what to ask, and how to read the answers. `asking.py` says what a step is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, get_args, get_origin, get_type_hints

from tongbao.kernel import Cursor, Page, jcs
from tongbao.kernel.nonces import Nonces
from tongbao.sdk.answers import (
    ChainAnswer,
    PageAnswer,
    Problem,
    QueryAnswer,
    RowAnswer,
    TransactionAnswer,
)
from tongbao.sdk.asking import Ask, Steps, answered, get, understood
from tongbao.sdk.client import Head, Status
from tongbao.sdk.errors import NodeError
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile

Parameters = tuple[tuple[str, str], ...]


def chain() -> Steps[ChainAnswer]:
    """The chain and its last block. Raises NodeError where something else answers."""
    try:
        return (yield from get("/v1", ChainAnswer))
    except LookupError as error:
        problem = Problem("about:blank", "no node of Tongbao answers here", 404, str(error))
        raise NodeError(problem) from error


def head() -> Steps[Head]:
    """The last block."""
    found = yield from chain()
    return Head(found.chain, found.height, found.time, found.state_root, found.rows)


def trust() -> Steps[TrustFile]:
    """The trust file as the node tells it."""
    kind: Any = TrustFile
    found: TrustFile = yield from get("/v1/trust", kind)
    return found


def status(transaction_id: str, expires: int | None) -> Steps[Status]:
    """What became of a transaction."""
    query = () if expires is None else (("expires", str(expires)),)
    found = yield from get(f"/v1/transactions/{transaction_id}", TransactionAnswer, *query)
    return Status(found.state, found.time, found.height, found.index, found.number, found.never)


# Reading


def query(path: str, function: Any, given: Parameters) -> Steps[tuple[int, Any]]:
    """Ask a module's query; the answer stands behind the height at which it is true."""
    kind = get_type_hints(function, include_extras=True)["return"]
    if get_origin(kind) is Page:
        listed = yield from get(path, PageAnswer, *given)
        return listed.height, page_of(function, listed)
    answer = yield from get(path, QueryAnswer, *given)
    with understood():
        value = None if answer.value is None else jcs.convert(answer.value, kind)
    return answer.height, value


def page_of(function: Any, listed: PageAnswer) -> Page[Any, Any]:
    """What a query that gives pages was answered, typed. Raises Unreadable."""
    kind = get_type_hints(function, include_extras=True)["return"]
    key_kind, row_kind = get_args(kind)
    with understood():
        rows = tuple(
            (jcs.convert(row.key, key_kind), jcs.convert(row.value, row_kind))
            for row in listed.rows
        )
    return Page(rows, None if listed.after is None else Cursor(listed.after))


def parameters(names: Sequence[str], values: Sequence[Any], least: int) -> Parameters:
    """A query's, to be answered at a height or later, as the caller's own last transaction's."""
    given = [
        (name, str(value)) for name, value in zip(names, values, strict=False) if value is not None
    ]
    return (*given, ("min_height", str(least)))


def row_query(key: Any) -> tuple[tuple[str, str], ...]:
    """The parts of a row's key as parameters."""
    parts = key if isinstance(key, tuple) else (key,)
    return tuple(("key", str(part)) for part in parts)


def next_nonce(sender: str, lane: int, least: int) -> Steps[int]:
    """One above the highest nonce that a lane has used."""
    query = (*row_query((sender, lane)), ("min_height", str(least)))
    found = yield from get("/v1/rows/kernel.nonces", RowAnswer, *query)
    if found.value is None:
        return 1
    with understood():
        return int(jcs.convert(found.value, Nonces).highest) + 1


def prove_row(table: str, key: Any, least: int) -> Steps[RowProof]:
    """The proof of a row, or of its absence."""
    query = (*row_query(key), ("min_height", str(least)))
    return (yield from get(f"/v1/rows/{table}/proof", RowProof, *query))


def prove_transaction(transaction_id: str) -> Steps[TransactionProof]:
    """The proof that a transaction stands in its block. Raises LookupError."""
    return (yield from get(f"/v1/transactions/{transaction_id}/proof", TransactionProof))


def bundle(account: str, *query: tuple[str, str]) -> Steps[bytes]:
    """An audit bundle as it comes: check it, since one that was cut short has no end.

    Raises LookupError for an asset that nobody defined, NodeError, Unreachable.
    """
    found = yield from answered(Ask("GET", f"/v1/accounts/{account}/bundle", query))
    return found.content
