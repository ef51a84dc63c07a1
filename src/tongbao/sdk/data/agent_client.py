"""Ask an agent: every request that isn't for anybody is signed by a key of the account's."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Any, Final, Self, TypeVar

import httpx2
import msgspec
from msgspec import Meta, Struct

from tongbao.kernel.identifiers import Hash, Id
from tongbao.rights.limits import CHUNKS_LIMIT, SEALED_CHUNK_BYTES
from tongbao.sdk.signed_requests import SigningAuth
from tongbao.sdk.signer import Signer

TIMEOUT_S: Final = 30.0
"""How long nothing may come."""
PATIENCE_S: Final = 600.0
"""How long one answer may take altogether: 4 MiB at 7 KiB a second."""
ANSWER_BYTES: Final = 4_194_304
"""The longest JSON answer that is read: a receipt is far below."""
CHUNKS_AT_ONCE: Final = 64
"""How many chunks one request asks for: 4 MiB."""

T = TypeVar("T")


class AgentRefused(Exception):
    """An agent or panel answered that it does not do it; `number` is the rule's, 0 without one."""

    exit_code = 1

    def __init__(self, status: int, detail: str, number: int) -> None:
        """Carry the answer."""
        super().__init__(f"{status}: {detail}" if detail else f"it answered {status}")
        self.status = status
        self.number = number


class AgentAway(Exception):
    """An agent or panel did not answer, or not what the protocol says; ask again later."""

    exit_code = 75


class _Problem(Struct):
    detail: str = ""
    title: str = ""
    number: int = 0


class Delivery(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What an agent has sealed for a buyer: `envelope` and `receipt` as they travel."""

    chunks: Annotated[int, Meta(ge=1, le=CHUNKS_LIMIT)]
    envelope: str
    order: Id
    receipt: str


class Announced(Struct, frozen=True, forbid_unknown_fields=True):
    """One line of the list of deliveries."""

    cursor: Annotated[str, Meta(max_length=128)]
    order: Id


class Deliveries(Struct, frozen=True, forbid_unknown_fields=True):
    """A page of deliveries, and the cursor of the next one; None where there is none."""

    deliveries: tuple[Announced, ...]
    next: Annotated[str, Meta(max_length=128)] | None = None


class _Heard(Struct, frozen=True, forbid_unknown_fields=True):
    request_hash: Hash


class ServiceClient:
    """An agent or a panel at an address, asked as an account. Close it, or use it in `with`."""

    def __init__(self, url: str, signer: Signer, account: str) -> None:
        """Name it; nothing is sent. Whom TLS believes is the system's, or that of SSL_CERT_FILE."""
        self._client = httpx2.Client(
            base_url=url,
            timeout=TIMEOUT_S,
            auth=SigningAuth(signer, account),
            # Without TLS no certificates are loaded, which takes 40 ms.
            verify=False if httpx2.URL(url).scheme == "http" else ssl.create_default_context(),
            trust_env=False,
        )

    def close(self) -> None:
        """End its connections."""
        self._client.close()

    def __enter__(self) -> Self:
        """Use it in a `with` statement."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def ask(self, method: str, path: str, **how: Any) -> bytes:
        """The body of a good answer. Raises AgentRefused, AgentAway."""
        return b"".join(self.asking(method, path, ANSWER_BYTES, **how))

    def asking(self, method: str, path: str, limit: int, **how: Any) -> Iterator[bytes]:
        """The body of a good answer, in parts, at most so many bytes."""
        ends = time.monotonic() + PATIENCE_S
        try:
            with self._client.stream(method, path, **how) as answer:
                if not answer.is_success:
                    raise _refusal(answer)
                left = limit
                for part in answer.iter_bytes():
                    left -= len(part)
                    if left < 0 or time.monotonic() > ends:
                        raise AgentAway(f"the answer to {path} is too long, or too slow")
                    yield part
        except httpx2.RequestError as error:
            raise AgentAway(f"no answer to {method} {path}: {type(error).__name__}") from error

    def key(self) -> bytes:
        """The statement of the key that it can be written to."""
        return self.ask("GET", "/v1/key")


class AgentClient(ServiceClient):
    """What a buyer asks an agent."""

    def request(self, text: bytes) -> str:
        """Let the agent hear a request; the hash that it answers."""
        how = {"content": text, "headers": {"content-type": "application/json"}}
        return _read(self.ask("POST", "/v1/requests", **how), _Heard).request_hash

    def deliveries(self, after: str | None = None) -> Deliveries:
        """A page of what is sealed for the buyer, the oldest first."""
        params = {} if after is None else {"after": after}
        return _read(self.ask("GET", "/v1/deliveries", params=params), Deliveries)

    def delivery(self, order: str) -> Delivery:
        """What is sealed for one order."""
        return _read(self.ask("GET", f"/v1/deliveries/{order}"), Delivery)

    def chunks(self, order: str, first: int, count: int) -> Iterator[bytes]:
        """The bytes of chunks from one on, in parts of any size."""
        path = f"/v1/deliveries/{order}/chunks"
        params = {"from": str(first), "count": str(count)}
        return self.asking("GET", path, count * SEALED_CHUNK_BYTES, params=params)


def _refusal(answer: httpx2.Response) -> AgentRefused | AgentAway:
    """What an answer that is none stands for; no more than a problem document is read of it."""
    text = bytearray()
    for part in answer.iter_bytes():
        text += part
        if len(text) > ANSWER_BYTES:
            break
    try:
        problem = msgspec.json.decode(bytes(text), type=_Problem)
    except msgspec.DecodeError:
        problem = _Problem()
    why = problem.detail or problem.title
    refuses = HTTPStatus.BAD_REQUEST <= answer.status_code < HTTPStatus.INTERNAL_SERVER_ERROR
    if not refuses:
        return AgentAway(f"it answered {answer.status_code}: {why}")
    return AgentRefused(answer.status_code, why, problem.number)


def _read(text: bytes, kind: type[T]) -> T:
    try:
        return msgspec.json.decode(text, type=kind)
    except msgspec.DecodeError as error:
        raise AgentAway(f"its answer is not of the protocol: {error}") from None
