"""Tokens: random texts that say who calls, of which only a hash is kept.

A token has 256 random bits, so nobody can try them out, and SHA-256 of it is all that has to be
kept: slow hashes are for what people think up. Its beginning says what it is, to people and to
programs that look for secrets where none should be.
"""

from __future__ import annotations

import hmac
import re
import secrets
from hashlib import sha256
from typing import Final

from tongbao.kernel.envelope import encode_base64url

SECRET_BYTES: Final = 32
KEY: Final = "tongbao_key_"
SESSION: Final = "tongbao_session_"
TOKEN: Final = re.compile(rf"(?:{KEY}|{SESSION})[A-Za-z0-9_-]{{43}}\Z")


def new_token(kind: str) -> str:
    """A new token of a kind, `KEY` or `SESSION`."""
    return kind + encode_base64url(secrets.token_bytes(SECRET_BYTES))


def is_token(text: str) -> bool:
    """Whether a text has the form of a token."""
    return TOKEN.match(text) is not None


def digest_of(token: str) -> str:
    """What is kept of a token: SHA-256 in hex."""
    return sha256(token.encode()).hexdigest()


def same(left: str, right: str) -> bool:
    """Whether two digests are the same, in a time that does not tell how far they are."""
    return hmac.compare_digest(left, right)
