"""A store, asked by whoever has a space there: docs/data-services.md, "Store".

Blobs and parcels go from files to files or in memory; what the store answers is held to what was
asked, and what it keeps is checked where it is opened (`tongbao.rights`).
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from contextlib import nullcontext
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, TypeVar

import httpx2
import msgspec
from msgspec import Struct

from tongbao.rights.limits import CHUNKS_LIMIT, SEALED_CHUNK_BYTES
from tongbao.sdk.signed_requests import HEADER, NO_BODY, now_ms, sign_request
from tongbao.sdk.signer import Signer

T = TypeVar("T")

TIMEOUT_S: Final = 60.0
ATTEMPTS: Final = 3
"""Times that a request is sent whose answer did not come; every one may be carried out twice."""
LATER: Final = (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE)
PIECE_BYTES: Final = 1_048_576
ANSWER_BYTES_LIMIT: Final = 1_048_576
PROBLEM: Final = "application/problem+json"
PARCEL_BYTES_LIMIT: Final = 2_048 * SEALED_CHUNK_BYTES + 8_192

Body = bytes | Path


class StoreAway(Exception):
    """The store does not answer, or can't now; it says why. What was asked may have happened."""

    exit_code = 75
    advice = "try again in a moment: what was asked may be asked twice"


class StoreRefused(Exception):
    """The store does not do it: the status of its answer, and its text.

    `by_store` is False where it was no problem document: then a proxy before the store refuses.
    """

    exit_code = 1

    def __init__(self, status: int, detail: str, *, by_store: bool = True) -> None:
        """Carry all of it."""
        super().__init__(f"the store refuses ({status}): {detail}")
        self.status = status
        self.by_store = by_store
        self.detail = detail


class StoreLied(Exception):
    """The store's answer is not of the form that was asked for."""

    exit_code = 65


class Kept(Struct, frozen=True, forbid_unknown_fields=True):
    """A blob or a parcel: its name, and how many bytes it has."""

    name: str
    size: int


class ErasureReceipt(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """That a store has erased something for good, and when (ms UTC)."""

    erased_at: int
    name: str
    space: str


class _Page(Struct, frozen=True):
    names: list[Kept]
    next: str | None = None


class _Name(Struct, frozen=True):
    name: str


class StoreClient:
    """One space of one store; its key signs what is asked. Threads may share it."""

    def __init__(
        self, url: str, space_signer: Signer, verify: ssl.SSLContext | bool = True
    ) -> None:
        """Ask the store at an address, with the space's key; `verify` is whom to believe there."""
        self.url = url.rstrip("/")
        self.space = space_signer.public_key.hex()
        self._signer = space_signer
        self._client = _client(self.url, verify)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def __enter__(self) -> StoreClient:
        """The client itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def put_blob(self, name: str, chunks: Body) -> bool:
        """Keep whole chunks under a name; False where they were kept before.

        Raises StoreRefused, StoreAway.
        """
        return self._ask("PUT", f"/blobs/{name}", chunks).status_code == HTTPStatus.CREATED

    def get_blob(self, name: str, start: int = 0, count: int | None = None) -> bytes:
        """`count` chunks from `start` on, all by default, in memory. Raises as `put_blob`."""
        wanted = f"/blobs/{name}?from={start}"
        if count is not None:
            wanted += f"&count={count}"
        found = self._read(wanted, (CHUNKS_LIMIT if count is None else count) * SEALED_CHUNK_BYTES)
        if len(found) % SEALED_CHUNK_BYTES:
            raise StoreLied("the store gives no whole chunks: ask another copy of it")
        return found

    def save_blob(self, name: str, path: Path) -> int:
        """Write all chunks of a blob into a file; how many bytes. Raises as `put_blob`."""
        with path.open("wb") as file:

            def anew() -> None:
                file.seek(0)
                file.truncate()

            limit = CHUNKS_LIMIT * SEALED_CHUNK_BYTES
            return self._receive(f"/blobs/{name}", limit, file.write, anew)

    def delete_blob(self, name: str) -> ErasureReceipt:
        """Destroy a blob and its key for good. Raises as `put_blob`."""
        return self._erase(f"/blobs/{name}", name)

    def blobs(self) -> Iterator[Kept]:
        """All blobs of the space, by name."""
        return self._pages("/blobs")

    def put_key(self, name: str, wrapped: bytes) -> None:
        """Keep a wrapped key, in the place of the one before. Raises as `put_blob`."""
        self._ask("PUT", f"/keys/{name}", wrapped)

    def get_key(self, name: str) -> bytes:
        """A wrapped key. Raises as `put_blob`."""
        return self._read(f"/keys/{name}", 40)

    def allow_drop(self, token: bytes) -> None:
        """Let whoever knows a token of 32 bytes leave parcels. The store is told its hash alone."""
        self._ask("PUT", f"/drops/{sha256(token).hexdigest()}")

    def forbid_drop(self, token: bytes) -> ErasureReceipt:
        """Withdraw a token for good."""
        name = sha256(token).hexdigest()
        return self._erase(f"/drops/{name}", name)

    def inbox(self) -> Iterator[Kept]:
        """The parcels that wait."""
        return self._pages("/inbox")

    def get_parcel(self, name: str) -> bytes:
        """A parcel, which is the one of its name. Raises StoreLied, and as `put_blob`."""
        found = self._read(f"/inbox/{name}", PARCEL_BYTES_LIMIT)
        if sha256(found).hexdigest() != name:
            raise StoreLied("the store gives another parcel than that of the name")
        return found

    def delete_parcel(self, name: str) -> ErasureReceipt:
        """Remove a parcel for good, once its content is kept elsewhere."""
        return self._erase(f"/inbox/{name}", name)

    def _erase(self, path: str, name: str) -> ErasureReceipt:
        receipt = _decoded(self._ask("DELETE", path).content, ErasureReceipt)
        if (receipt.space, receipt.name) != (self.space, name):
            raise StoreLied("the store's receipt is for something else")
        return receipt

    def _pages(self, path: str) -> Iterator[Kept]:
        after = ""
        while True:
            query = f"?after={after}" if after else ""
            page = _decoded(self._read(path + query, ANSWER_BYTES_LIMIT), _Page)
            for one in page.names:
                if one.name <= after:
                    raise StoreLied("the store's names are not in order")
                after = one.name
                yield one
            if page.next is None:
                return
            if page.next != after:
                raise StoreLied("the store's pages don't follow one another")

    def _ask(self, method: str, path: str, body: Body = b"") -> httpx2.Response:
        digest = _hash_of(body)

        def send() -> httpx2.Response:
            url = self._url(path)
            return _send(self._client, method, url, body, self._signed(method, url, digest))

        return _again(send)

    def _read(self, path: str, limit: int) -> bytes:
        found = bytearray()
        self._receive(path, limit, found.extend, found.clear)
        return bytes(found)

    def _receive(
        self,
        path: str,
        limit: int,
        take: Callable[[bytes], object],
        anew: Callable[[], object],
    ) -> int:
        """Hand on the pieces of an answer; how many bytes. Raises as `put_blob`.

        What broke off is begun again, after `anew` has taken back what was handed on.
        """

        def once() -> int:
            url = self._url(path)
            headers = self._signed("GET", url, NO_BODY)
            size = 0
            anew()
            with self._client.stream("GET", url, headers=headers) as answer:
                if answer.status_code >= HTTPStatus.BAD_REQUEST:
                    answer.read()
                    raise _refused(answer)
                for piece in answer.iter_bytes(PIECE_BYTES):
                    size += len(piece)
                    if size > limit:
                        raise StoreLied("the store gives more than was asked for")
                    take(piece)
            return size

        return _again(once)

    def _url(self, path: str) -> str:
        return f"{self.url}/v1/spaces/{self.space}{path}"

    def _signed(self, method: str, url: str, digest: bytes) -> dict[str, str]:
        text = sign_request(self._signer, method=method, url=url, body_hash=digest, now_ms=now_ms())
        return {HEADER: text}


def leave_parcel(
    url: str,
    space: str,
    token: bytes,
    parcel: Body,
    verify: ssl.SSLContext | bool = True,
    client: httpx2.Client | None = None,
) -> str:
    """Leave a parcel in a space at a store, by a token; its name, the SHA-256.

    With a `client`, whose connections are used, `verify` is its own.

    Raises StoreRefused (403: leave nothing any more; 507: the inbox is full), StoreAway.
    """
    headers = {"authorization": f"Drop {token.hex()}"}
    where = f"{url.rstrip('/')}/v1/spaces/{space}/inbox"
    with nullcontext(client) if client else _client(url, verify) as by:
        answer = _again(lambda: _send(by, "POST", where, parcel, headers))
    name = _decoded(answer.content, _Name).name
    if name != _hash_of(parcel).hex():
        raise StoreLied("the store has taken another parcel than the one that was sent")
    return name


def _client(url: str, verify: ssl.SSLContext | bool) -> httpx2.Client:
    """Connections to one address; without TLS no certificates are loaded, which takes 40 ms.

    A scheme is written in capitals, too: what is not plain is verified.
    """
    is_plain = httpx2.URL(url).scheme == "http"
    return httpx2.Client(timeout=TIMEOUT_S, verify=False if is_plain else verify)


def _send(
    client: httpx2.Client, method: str, url: str, body: Body, headers: dict[str, str]
) -> httpx2.Response:
    if isinstance(body, bytes):
        answer = client.request(method, url, content=body, headers=headers)
    else:
        length = {"content-length": str(body.stat().st_size)}
        answer = client.request(method, url, content=_pieces(body), headers=headers | length)
    if answer.status_code >= HTTPStatus.BAD_REQUEST:
        raise _refused(answer)
    return answer


def _again(send: Callable[[], T]) -> T:
    """Send until there is an answer, a few times; each is signed anew. Raises StoreAway."""
    for left in reversed(range(ATTEMPTS)):
        try:
            return send()
        except httpx2.TransportError as error:
            if not left:
                what = type(error).__name__
                raise StoreAway(f"the store does not answer: {what}") from error
    raise AssertionError


def _refused(answer: httpx2.Response) -> StoreRefused | StoreAway:
    try:
        found: Any = msgspec.json.decode(answer.content)
        detail = str(found["detail"])[:500]
    except (msgspec.DecodeError, ValueError, KeyError, TypeError):
        detail = "without a reason"
    if answer.status_code in LATER:
        return StoreAway(f"the store can't do it now: {detail}")
    kind = answer.headers.get("content-type", "").partition(";")[0]
    return StoreRefused(answer.status_code, detail, by_store=kind == PROBLEM)


def _decoded(text: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, ValueError) as error:
        raise StoreLied(f"the store's answer can't be read: {error}") from None


def _hash_of(body: Body) -> bytes:
    if isinstance(body, bytes):
        return sha256(body).digest()
    digest = sha256()
    for piece in _pieces(body):
        digest.update(piece)
    return digest.digest()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
