"""Proofs for a process that has no trie: asked from the core, which makes them between blocks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any, Final, TypeVar

import msgspec
from msgspec import Struct
from starlette.requests import Request

from tongbao.node.problems import ProblemError
from tongbao.node.processes.relay import Relay
from tongbao.sdk.answers import LightBlockAnswer, Problem
from tongbao.sdk.proofs import RowProof, TransactionProof, TrustFile
from tongbao.sdk.prover import NotProven

T = TypeVar("T")

WAIT_S: Final = 60.0
"""The longest that a thread waits for the core; the relay has given up before."""
JSON: Final = ((b"content-type", b"application/json"),)


class _Rows(Struct, frozen=True):
    height: int
    proofs: list[RowProof]


class CoreProver:
    """A `Prover` for the threads of a process in whose event loop a relay to the core runs."""

    def __init__(self, core: Relay, loop: asyncio.AbstractEventLoop) -> None:
        """Ask the core."""
        self._core = core
        self._loop = loop

    def prove_row(self, table_name: str, key: Any, /) -> RowProof:
        """The proof of a row, or of its absence. Raises LookupError, NotProven."""
        return self.prove_rows([(table_name, key)])[1][0]

    def prove_rows(self, rows: Sequence[tuple[str, Any]], /) -> tuple[int, list[RowProof]]:
        """The height of one state, and proofs of rows of it. Raises LookupError, NotProven."""
        wanted = [
            {"table": name, "key": [str(part) for part in (key if type(key) is tuple else (key,))]}
            for name, key in rows
        ]
        body = msgspec.json.encode({"rows": wanted})
        found = self._ask("POST", "/v1/proofs", _Rows, body)
        return found.height, found.proofs

    def prove_transaction(self, transaction_id: str, /) -> TransactionProof:
        """The proof that a transaction stands in its block. Raises LookupError, NotProven."""
        return self._ask("GET", f"/v1/transactions/{transaction_id}/proof", TransactionProof)

    def light_block(self, height: int | None, /) -> LightBlockAnswer:
        """A network's header with the votes on it. Raises LookupError, NotProven."""
        place = "" if height is None else f"/{height}"
        return self._ask("GET", f"/v1/light-blocks{place}", LightBlockAnswer)

    def trust(self) -> TrustFile:
        """Whose signatures count here. Raises NotProven."""
        kind: Any = TrustFile
        found: TrustFile = self._ask("GET", "/v1/trust", kind)
        return found

    def _ask(self, method: str, path: str, kind: type[T], body: bytes = b"") -> T:
        scope = {
            "type": "http",
            "method": method,
            "path": path,
            "query_string": b"",
            "headers": list(JSON) if body else [],
        }
        asking = self._core.ask(Request(scope), body)
        try:
            answer = asyncio.run_coroutine_threadsafe(asking, self._loop).result(WAIT_S)
        except (ProblemError, TimeoutError) as error:
            raise NotProven(f"the core does not answer: {error}") from error
        if answer.status_code == HTTPStatus.OK:
            return msgspec.json.decode(answer.body, type=kind)
        problem = msgspec.json.decode(answer.body, type=Problem)
        why = problem.detail or problem.title
        if answer.status_code in (HTTPStatus.NOT_FOUND, HTTPStatus.GONE):
            raise LookupError(why)
        raise NotProven(why)
