"""CometBFT's JSON-RPC over its unix socket: HTTP/1.1 on connections that are kept.

Calls block. Any number of threads may call at once: each borrows a connection of its own. Values
are in CometBFT's JSON, in which numbers of 64 bits are texts, bytes base64 and hashes hex; what
this project needs of them is typed in `rpc_answers`.
"""

from __future__ import annotations

import http.client
import socket
import threading
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final, TypeVar

import msgspec

from tongbao.engines.cometbft.rpc_answers import (
    PAGE_VALIDATORS,
    VALIDATORS_LIMIT,
    Broadcast,
    CommitAnswer,
    JsonValidator,
    NetInfo,
    SignedHeaderJson,
    Status,
    ValidatorsAnswer,
)

BATCH_CALLS: Final = 500
"""Calls in one request: the `max_request_batch_size` of our configuration."""
REQUEST_BYTES: Final = 8 * 1024 * 1024
"""How long a request gets before another one is begun; half of our `max_body_bytes`."""
ANSWER_BYTES: Final = 64 * 1024 * 1024
IDLE_CONNECTIONS: Final = 8
SECONDS: Final = 30.0

Kind = TypeVar("Kind")
Call = tuple[str, Mapping[str, Any]]
"""A method and its named parameters."""


class RpcUnreachable(Exception):
    """CometBFT does not answer: it is not started, has just ended, or is stuck. Try again later."""


class RpcError(Exception):
    """CometBFT answers a call with an error, or with something that is no answer to it."""

    def __init__(self, code: int, message: str, data: str = "") -> None:
        """Keep JSON-RPC's code and message, and CometBFT's own words, which it puts into `data`."""
        super().__init__(f"{message}: {data}" if data else message)
        self.code = code
        self.message = message
        self.data = data

    @property
    def is_in_cache(self) -> bool:
        """Whether a broadcast was refused because CometBFT has seen the same bytes lately."""
        return "tx already exists in cache" in self.data

    @property
    def is_full(self) -> bool:
        """Whether a broadcast was refused because the mempool is full."""
        return "mempool is full" in self.data or "considered as full" in self.data


NO_ANSWER: Final = -32_000
"""The code of an RpcError for an answer that can't be read."""


class _Problem(msgspec.Struct):
    code: int
    message: str
    data: str = ""


class _Answer(msgspec.Struct):
    id: int | None = None  # none, where a request is refused as a whole
    result: msgspec.Raw = msgspec.Raw(b"null")
    error: _Problem | None = None


_answers = msgspec.json.Decoder(list[_Answer] | _Answer)
_broadcast = msgspec.json.Decoder(Broadcast)


class _Connection(http.client.HTTPConnection):
    """HTTP over a unix socket."""

    def __init__(self, path: Path, seconds: float) -> None:
        super().__init__("cometbft", timeout=seconds)
        self._path = path
        self.is_used = False

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        try:
            self.sock.connect(str(self._path))
        except OSError:
            self.close()
            raise


class Rpc:
    """CometBFT's answers, over the socket at a path. Belongs to no thread."""

    def __init__(self, path: Path, seconds: float = SECONDS) -> None:
        """Ask at a path; an answer that takes longer than `seconds` to begin or go on is none."""
        self._path = path
        self._seconds = seconds
        self._lock = threading.Lock()
        self._idle: list[_Connection] = []

    def close(self) -> None:
        """Close the connections that nobody uses at this moment."""
        with self._lock:
            idle, self._idle = self._idle, []
        for connection in idle:
            connection.close()

    def call(self, method: str, **parameters: Any) -> Any:
        """The result of one call. Raises RpcError, RpcUnreachable."""
        return msgspec.json.decode(self.raw(method, parameters))

    def batch(self, calls: Sequence[Call]) -> list[Any]:
        """The result or RpcError of each call, in their order. Raises RpcUnreachable.

        Long batches go in several requests; when a later one can't be made, the earlier ones have
        been carried out.
        """
        bodies = [_body(number, *one) for number, one in enumerate(calls)]
        answers = self._batch(bodies)
        return [one if isinstance(one, RpcError) else msgspec.json.decode(one) for one in answers]

    def raw(self, method: str, parameters: Mapping[str, Any]) -> bytes:
        """The JSON of one call's result. Raises RpcError, RpcUnreachable."""
        [answer] = self._batch([_body(0, method, parameters)])
        if isinstance(answer, RpcError):
            raise answer
        return answer

    def broadcast(
        self, wires: Sequence[bytes], method: str = "broadcast_tx_sync"
    ) -> list[Broadcast | RpcError]:
        """Offer transactions to the mempool, in their order; what CheckTx says to each.

        With `broadcast_tx_async` the answers come before CheckTx, and their code says nothing.
        An RpcError has `is_in_cache` and `is_full`. Raises RpcUnreachable.
        """
        start = f'"method":"{method}","params":{{"tx":"'.encode()
        bodies = [
            b'{"jsonrpc":"2.0","id":%d,%b%b"}}' % (number, start, _base64(wire))
            for number, wire in enumerate(wires)
        ]
        return [
            one if isinstance(one, RpcError) else _broadcast.decode(one)
            for one in self._batch(bodies)
        ]

    def status(self) -> Status:
        """Who this node is and how far it has come. Raises RpcError, RpcUnreachable."""
        return _typed(self.raw("status", {}), Status)

    def net_info(self) -> NetInfo:
        """The peers. Raises RpcError, RpcUnreachable."""
        return _typed(self.raw("net_info", {}), NetInfo)

    def commit(self, height: int) -> SignedHeaderJson:
        """The header of a height and the votes for it: for the last height, those seen so far.

        Raises RpcError, also where there is no such height, and RpcUnreachable.
        """
        return _typed(self.raw("commit", {"height": str(height)}), CommitAnswer).signed_header

    def validators(self, height: int) -> list[JsonValidator]:
        """Who votes on a height, in CometBFT's order. Raises RpcError, RpcUnreachable."""
        found: list[JsonValidator] = []
        for page in range(1, VALIDATORS_LIMIT // PAGE_VALIDATORS + 1):
            wanted = {"height": str(height), "page": str(page), "per_page": str(PAGE_VALIDATORS)}
            answer = _typed(self.raw("validators", wanted), ValidatorsAnswer)
            found += answer.validators
            if len(found) >= answer.total or not answer.validators:
                return found
        raise RpcError(NO_ANSWER, f"there are more than {VALIDATORS_LIMIT} validators")

    def _batch(self, bodies: Sequence[bytes]) -> list[bytes | RpcError]:
        found: list[bytes | RpcError] = []
        for part in _parts(bodies):
            first = len(found)
            answers = _read_answers(self._exchange(b"[%b]" % b",".join(part)))
            by_id = {answer.id: answer for answer in answers}
            whole = by_id.get(None)
            found += (_result(by_id.get(first + place, whole)) for place in range(len(part)))
        return found

    def _exchange(self, body: bytes) -> bytes:
        """The body of an answer. A connection that CometBFT has closed meanwhile is replaced.

        What a request asks for is then asked for twice; every call that is made here bears it.
        """
        while True:
            connection = self._borrow()
            try:
                answer = _ask(connection, body)
            except (OSError, http.client.HTTPException) as error:
                connection.close()
                if connection.is_used and not isinstance(error, TimeoutError):
                    continue  # an idle one, of which there is a limited number
                raise RpcUnreachable(_reason(self._path, error)) from error
            connection.is_used = True
            with self._lock:
                is_kept = len(self._idle) < IDLE_CONNECTIONS
                if is_kept:
                    self._idle.append(connection)
            if not is_kept:
                connection.close()
            return answer

    def _borrow(self) -> _Connection:
        with self._lock:
            if self._idle:
                return self._idle.pop()
        return _Connection(self._path, self._seconds)


def _base64(data: bytes) -> bytes:
    return msgspec.json.encode(data)[1:-1]


def _body(number: int, method: str, parameters: Mapping[str, Any]) -> bytes:
    named = dict(parameters)
    call = {"jsonrpc": "2.0", "id": number, "method": method, "params": named}
    return msgspec.json.encode(call)


def _parts(bodies: Sequence[bytes]) -> Iterator[Sequence[bytes]]:
    """Cut calls into requests within their limits; a longer call goes alone."""
    start, size = 0, 0
    for place, body in enumerate(bodies):
        if place > start and (place - start == BATCH_CALLS or size + len(body) > REQUEST_BYTES):
            yield bodies[start:place]
            start, size = place, 0
        size += len(body) + 1
    if start < len(bodies):
        yield bodies[start:]


def _ask(connection: _Connection, body: bytes) -> bytes:
    connection.request("POST", "/", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    answer = response.read(ANSWER_BYTES + 1)
    if len(answer) > ANSWER_BYTES:
        connection.close()
        raise RpcError(NO_ANSWER, f"an answer has more than {ANSWER_BYTES} bytes")
    return answer


def _read_answers(text: bytes) -> list[_Answer]:
    try:
        answers = _answers.decode(text)
    except msgspec.DecodeError as error:
        raise RpcError(NO_ANSWER, f"no JSON-RPC answer: {error}") from error
    return answers if isinstance(answers, list) else [answers]


def _result(answer: _Answer | None) -> bytes | RpcError:
    if answer is None:
        return RpcError(NO_ANSWER, "a call of the batch has no answer")
    if answer.error is not None:
        return RpcError(answer.error.code, answer.error.message, answer.error.data)
    return bytes(answer.result)


def _typed(text: bytes, kind: type[Kind]) -> Kind:
    try:
        return msgspec.json.decode(text, type=kind, strict=False)
    except msgspec.DecodeError as error:
        raise RpcError(NO_ANSWER, f"an answer of another form: {error}") from error


def _reason(path: Path, error: Exception) -> str:
    words = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return f"CometBFT does not answer at {path}: {words or type(error).__name__}"
