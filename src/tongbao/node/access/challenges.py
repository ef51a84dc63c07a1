"""Challenges that nothing is kept of until one is answered: their nonce says that we made it.

Anybody may ask for one, so whoever asks for many fills no memory; an answered one is remembered
until it ends, so that it opens one session.
"""

from __future__ import annotations

import hmac
import secrets
from collections import OrderedDict
from collections.abc import Callable
from hashlib import sha256
from typing import Final

from tongbao.kernel import Address, ChainId, InvalidTransaction, jcs
from tongbao.kernel.envelope import decode_base64url, encode_base64url
from tongbao.sdk.sessions import Challenge, SessionError

LIFE_MS: Final = 60_000
"""How long a challenge can be answered."""
SALT_BYTES: Final = 16
ANSWERED_LIMIT: Final = 100_000
"""Answered challenges that are remembered at once; more must wait for their end."""


class Challenges:
    """The challenges of one process, by a secret that it makes when it starts."""

    def __init__(self, chain: str, now_ms: Callable[[], int]) -> None:
        """Make challenges for sessions on a chain."""
        self._chain = ChainId(chain)
        self._now_ms = now_ms
        self._secret = secrets.token_bytes(32)
        self._answered: OrderedDict[str, int] = OrderedDict()

    def make(self, account: Address, origin: str) -> Challenge:
        """A new challenge for an account at an origin."""
        ends = self._now_ms() + LIFE_MS
        return self._with(account, origin, ends, secrets.token_bytes(SALT_BYTES))

    def _with(self, account: Address, origin: str, ends: int, salt: bytes) -> Challenge:
        said = jcs.encode([account, self._chain, ends, origin, encode_base64url(salt)])
        tag = hmac.digest(self._secret, said, sha256)
        nonce = encode_base64url(salt + tag)
        return Challenge(account=account, chain=self._chain, ends=ends, nonce=nonce, origin=origin)

    def check(self, answered: Challenge) -> None:
        """Whether a challenge is ours, in time, and not answered before. Raises SessionError."""
        try:
            salt = decode_base64url(answered.nonce.encode())[:SALT_BYTES]
        except (InvalidTransaction, UnicodeEncodeError):
            salt = b""
        ours = self._with(answered.account, answered.origin, answered.ends, salt)
        is_ours = hmac.compare_digest(ours.nonce.encode(), answered.nonce.encode())
        if not is_ours or answered.chain != self._chain:
            raise SessionError("this node has made no such challenge since it started")
        if answered.ends <= self._now_ms():
            raise SessionError("the challenge has ended: ask for another one")
        if answered.nonce in self._answered:
            raise SessionError("the challenge was answered before: ask for another one")

    def take(self, answered: Challenge) -> None:
        """Remember that a challenge was answered. Raises SessionError as `check` does, or full."""
        self.check(answered)
        now = self._now_ms()
        while self._answered and next(iter(self._answered.values())) <= now:
            self._answered.popitem(last=False)
        if len(self._answered) >= ANSWERED_LIMIT:
            raise SessionError("too many sessions were opened within a minute: try again later")
        self._answered[answered.nonce] = now + LIFE_MS
