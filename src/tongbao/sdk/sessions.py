"""Sessions: a challenge of a node, signed with a key of an account, is exchanged for a token.

What is signed is a compact JWS (RFC 7515) over the challenge's RFC 8785 bytes, whose `typ` no
transaction and no header has: a signature for a session is good for nothing else.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

from msgspec import Struct

from tongbao.kernel import Address, ChainId, jcs
from tongbao.kernel.envelope import Signature
from tongbao.sdk.signed_documents import BadDocument, read_document, sign_document
from tongbao.sdk.signer import Signer

TYPE: Final = "tongbao-session+jws"
"""The `typ` of a signed challenge's protected header."""
BYTES_LIMIT: Final = 4_096
MEDIA_TYPE: Final = "application/jose"
CHALLENGE_PATH: Final = "/v1/sessions/challenge"
SESSIONS_PATH: Final = "/v1/sessions"
END_PATH: Final = "/v1/sessions/end"
PORTS: Final = {"http": 80, "https": 443}
"""What is left out of an origin (RFC 6454 section 6.2)."""


class SessionError(Exception):
    """A challenge that must not be signed, or a signed one that can't be read; the text says why.

    A client raises it where a node asks for a signature that would open a session elsewhere.
    """

    exit_code = 65


class ChallengeAsked(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants to open a session."""

    account: Address


class Challenge(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a key of `account` signs to open a session: at `origin`, until `ends` (ms UTC), once."""

    account: Address
    chain: ChainId
    ends: int
    nonce: str
    origin: str


class SessionAnswer(Struct, frozen=True):
    """An open session: `token` goes into `Authorization: Bearer`, until `ends` (ms UTC)."""

    account: Address
    ends: int
    token: str


class SessionsEnded(Struct, frozen=True):
    """How many sessions were ended."""

    ended: int


_decoder: Final = jcs.decoder(Challenge)


def origin_of(address: str) -> str:
    """The origin of an address such as `https://node.example/v1`: scheme, host and unusual port."""
    parts = urlsplit(address)
    host = (parts.hostname or "").lower()
    shown = f"[{host}]" if ":" in host else host
    usual = parts.port is None or parts.port == PORTS.get(parts.scheme)
    return f"{parts.scheme}://{shown}" + ("" if usual else f":{parts.port}")


def sign_challenge(challenge: Challenge, signer: Signer) -> bytes:
    """The compact JWS of a challenge."""
    return sign_document(signer, challenge, TYPE)


def read_signed(text: bytes) -> tuple[Challenge, Signature]:
    """The challenge in a compact JWS, whose signature is not checked. Raises SessionError."""
    try:
        return read_document(text, _decoder, TYPE, BYTES_LIMIT)
    except BadDocument as error:
        raise SessionError(f"this is no signed challenge: {error}") from None


def check_challenge(challenge: Challenge, address: str, account: str) -> None:
    """Whether a challenge is of the node that was asked, for who asks. Raises SessionError.

    A node that passes on the challenge of another one would open a session there, as this account.
    """
    if challenge.origin != origin_of(address):
        raise SessionError(
            f"{origin_of(address)} asks for a session at {challenge.origin}: not signed. If it is "
            "the same node behind a proxy, let the proxy keep the header Host, and see the setting "
            "behind_tls_proxy"
        )
    if challenge.account != account:
        raise SessionError(f"the challenge is for {challenge.account}, not for {account}")
