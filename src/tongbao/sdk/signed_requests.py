"""Requests that say by a signature who asks: the header `tongbao-request`, docs/data-services.md.

It is a compact JWS over method, path, origin and the hash of the body, for a short time and once.
Nothing secret goes over the wire, and what one service was sent is good at no other.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Generator
from hashlib import sha256
from typing import Annotated, Final, Literal

import httpx2
import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import Address, jcs
from tongbao.kernel.envelope import Signature
from tongbao.kernel.identifiers import SAFE_INTEGER, Hash
from tongbao.modules import account as accounts
from tongbao.sdk.client import Client
from tongbao.sdk.sessions import origin_of
from tongbao.sdk.signed_documents import BadDocument, read_document, sign_document
from tongbao.sdk.signer import Signer

TYPE: Final = "tongbao-request+jws"
"""The `typ` of the protected header: the signature is good for nothing else."""
HEADER: Final = "tongbao-request"
HEADER_BYTES_LIMIT: Final = 4_096
PATH_LIMIT: Final = 2_048
AHEAD_MS: Final = 300_000
"""How far ahead a request may end."""
LIFE_MS: Final = 60_000
"""How far ahead those that are signed here end."""
NONCE_BYTES: Final = 16
NO_BODY: Final = sha256().digest()
"""The hash of no bytes."""
NS_PER_MS: Final = 1_000_000

Method = Literal["GET", "POST", "PUT", "DELETE"]


class BadRequest(ValueError):
    """A text is no signed request; it says why."""


class SignedRequest(
    Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True
):
    """What is signed, as it stands in the payload. `account` is None where the key itself asks."""

    account: Address | None = None
    body: Hash
    ends: Annotated[int, Meta(ge=0, le=SAFE_INTEGER)]
    method: Method
    nonce: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    origin: Annotated[str, Meta(max_length=300)]
    path: Annotated[str, Meta(pattern=r"^/[!-~]*\Z", max_length=PATH_LIMIT)]


_decoder = jcs.decoder(SignedRequest)


def now_ms() -> int:
    """The clock of this machine, ms UTC."""
    return time.time_ns() // NS_PER_MS


def path_of(url: str) -> str:
    """The path of an address with its query, as it is sent."""
    return httpx2.URL(url).raw_path.decode("ascii")


def sign_request(
    signer: Signer,
    *,
    method: str,
    url: str,
    body_hash: bytes,
    account: str | None = None,
    now_ms: int,
) -> str:
    """The header's value for one request, which may be carried out until a minute from now.

    `body_hash` is the SHA-256 of the body. Raises ValueError for what no service takes.
    """
    members = {
        "body": body_hash.hex(),
        "ends": now_ms + LIFE_MS,
        "method": method,
        "nonce": secrets.token_hex(NONCE_BYTES),
        "origin": origin_of(url),
        "path": path_of(url),
    }
    if account is not None:
        members["account"] = account
    request = msgspec.convert(members, SignedRequest)
    return sign_document(signer, request, TYPE).decode("ascii")


def read_signed_request(text: str) -> tuple[SignedRequest, Signature]:
    """The request in a header, and its signature, which is not checked. Raises BadRequest."""
    try:
        return read_document(text.encode("ascii"), _decoder, TYPE, HEADER_BYTES_LIMIT)
    except UnicodeEncodeError:
        raise BadRequest("not in ASCII") from None
    except BadDocument as error:
        raise BadRequest(str(error)) from None


class SigningAuth(httpx2.Auth):
    """Signs each request of a client over HTTP, with `await` and without.

    A body is hashed in memory: whoever sends a large one from a file hashes it first, and gives the
    header itself (`sign_request`).
    """

    requires_request_body = True

    def __init__(self, signer: Signer, account: str | None = None) -> None:
        """Sign as an account, or as the key itself."""
        self._signer = signer
        self._account = account

    def auth_flow(
        self, request: httpx2.Request
    ) -> Generator[httpx2.Request, httpx2.Response, None]:
        """Send one request, signed."""
        if HEADER not in request.headers:
            request.headers[HEADER] = sign_request(
                self._signer,
                method=request.method,
                url=str(request.url),
                body_hash=sha256(request.content).digest(),
                account=self._account,
                now_ms=now_ms(),
            )
        yield request


def account_has_key(client: Client, account: str, key_id: str) -> bool:
    """Whether an account, which must be open, has a key heavy enough to sign alone.

    `key_id` is the key's 32 bytes in base64url, as in `kid`. Raises what the client raises.
    """
    found = client.query(accounts.show, Address(account))
    if found is None or found.closed_into is not None:
        return False
    return any(
        entry.key.public == key_id and 0 < found.ordinary <= entry.weight for entry in found.keys
    )
