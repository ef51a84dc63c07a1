"""Whether a signed request is for this service, in time, and here for the first time.

A nonce is remembered until its request ends, in a file where one is named: a service that was
started again refuses what its predecessor has carried out. The file is not synced at each request:
after a loss of power the last few may be taken twice, which every operation bears.
"""

from __future__ import annotations

import heapq
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.kernel import ed25519
from tongbao.sdk.folder import write_private
from tongbao.sdk.signed_requests import AHEAD_MS, BadRequest, SignedRequest, read_signed_request
from tongbao.sdk.signed_requests import now_ms as clock_ms

NONCES_LIMIT: Final = 200_000
"""Requests of all that are remembered at once."""
OF_KEY_LIMIT: Final = 20_000
"""Requests of one key that are remembered at once: 333 a second of those that end in a minute."""
ENDS_BYTES: Final = 8
RECORD_BYTES: Final = ENDS_BYTES + 32 + 16
UNAUTHORIZED: Final = 401
CONFLICT: Final = 409
TOO_MANY: Final = 429


class RequestRefused(Exception):
    """A request that is not carried out: its HTTP status, and what to do."""

    def __init__(self, status: int, detail: str) -> None:
        """Carry both."""
        super().__init__(detail)
        self.status = status
        self.detail = detail


class Asked(Struct, frozen=True):
    """A request whose signature is good: who asks, and which body it must have.

    `account` is None where the key (32 bytes in hex) itself asks. That the key is the account's,
    the ledger says.
    """

    account: str | None
    key: str
    kid: str
    body: bytes
    request: SignedRequest


class RequestChecker:
    """The requests of one service. Threads may share it."""

    def __init__(
        self, origin: str, now_ms: Callable[[], int] = clock_ms, keep: Path | None = None
    ) -> None:
        """`origin` is how the service is called; nonces are kept in the file `keep`, if any."""
        self.origin = origin
        self._now_ms = now_ms
        self._lock = threading.Lock()
        self._known: set[bytes] = set()
        self._ends: list[tuple[int, bytes]] = []
        self._of_key = Counter[bytes]()
        self._keep = keep
        self._written = 0
        if keep is not None:
            self._load(keep)

    def check(
        self, header: str, method: str, path: str, body_hash: bytes
    ) -> tuple[str | None, str]:
        """The account, if one is named, and the key in hex of who asks. Raises RequestRefused.

        That the key is the account's is for the caller to ask the ledger.
        """
        asked = self.verify(header, method, path)
        self.check_body(asked, body_hash)
        self.remember(asked)
        return asked.account, asked.key

    def verify(self, header: str, method: str, path: str) -> Asked:
        """All that can be checked before the body is read. Raises RequestRefused."""
        try:
            request, signature = read_signed_request(header)
        except BadRequest as error:
            raise RequestRefused(UNAUTHORIZED, f"the header tongbao-request: {error}") from None
        now = self._now_ms()
        if (request.method, request.path) != (method, path):
            raise _unauthorized("the signature is for another method or path")
        if request.origin != self.origin:
            raise _unauthorized(f"the signature is for another service than {self.origin}")
        if request.ends <= now:
            raise _unauthorized("the request has ended: sign it anew, and check the clock")
        if request.ends > now + AHEAD_MS:
            raise _unauthorized(f"a request ends within {AHEAD_MS} ms: check the clock")
        if not ed25519.verify(signature.public_key, signature.signed, signature.signature):
            raise _unauthorized("the signature is not valid")
        return Asked(
            account=request.account,
            key=signature.public_key.hex(),
            kid=signature.kid,
            body=bytes.fromhex(request.body),
            request=request,
        )

    def check_body(self, asked: Asked, body_hash: bytes) -> None:
        """Whether this is the body that was signed. Raises RequestRefused."""
        if asked.body != body_hash:
            raise _unauthorized("the signature is for another body")

    def remember(self, asked: Asked) -> None:
        """Take a request once; of whoever may ask, and last. Raises RequestRefused."""
        key = bytes.fromhex(asked.key)
        name = key + bytes.fromhex(asked.request.nonce)
        with self._lock:
            self._forget_ended()
            if name in self._known:
                raise RequestRefused(CONFLICT, "this request was sent before: sign another one")
            if len(self._known) >= NONCES_LIMIT or self._of_key[key] >= OF_KEY_LIMIT:
                raise RequestRefused(TOO_MANY, "too many requests: wait a minute")
            self._write(asked.request.ends, name)
            self._add(asked.request.ends, name)

    def _add(self, ends: int, name: bytes) -> None:
        self._known.add(name)
        self._of_key[name[:32]] += 1
        heapq.heappush(self._ends, (ends, name))

    def _forget_ended(self) -> None:
        now = self._now_ms()
        while self._ends and self._ends[0][0] <= now:
            _, name = heapq.heappop(self._ends)
            self._known.discard(name)
            self._of_key[name[:32]] -= 1
            if not self._of_key[name[:32]]:
                del self._of_key[name[:32]]

    def _write(self, ends: int, name: bytes) -> None:
        if self._keep is None:
            return
        if self._written >= 2 * NONCES_LIMIT:
            self._rewrite(self._keep)
        with self._keep.open("ab", buffering=0) as file:  # it is there since `_load`
            file.write(ends.to_bytes(ENDS_BYTES, "big") + name)
        self._written += 1

    def _rewrite(self, keep: Path) -> None:
        write_private(
            keep, b"".join(ends.to_bytes(ENDS_BYTES, "big") + name for ends, name in self._ends)
        )
        self._written = len(self._ends)

    def _load(self, keep: Path) -> None:
        """What a service before this one has remembered, as far as it has not ended."""
        try:
            kept = keep.read_bytes()
        except FileNotFoundError:
            kept = b""
        now = self._now_ms()
        for at in range(0, len(kept) - RECORD_BYTES + 1, RECORD_BYTES):
            ends = int.from_bytes(kept[at : at + ENDS_BYTES], "big")
            name = kept[at + ENDS_BYTES : at + RECORD_BYTES]
            if now < ends <= now + AHEAD_MS and name not in self._known:
                self._add(ends, name)
        self._rewrite(keep)


def _unauthorized(detail: str) -> RequestRefused:
    return RequestRefused(UNAUTHORIZED, detail)
