"""The recovery file: the root secret, sealed under a code that is printed once.

    code    160 random bits as eight groups of four letters and digits; 0 and O, 1, I and L are one
    key     HKDF-SHA256(code's 20 bytes, salt, info = "tongbao/mydata/recovery/1")
    sealed  AES-256-GCM of the facts in JSON, the format's name as additional data

The code is as hard to guess as a key, so no slow derivation is needed. Keep file and code apart:
who has both has everything.
"""

from __future__ import annotations

import secrets
from typing import Annotated, Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from msgspec import Meta, Struct

from tongbao.rights.limits import KEY_BYTES

FORMAT: Final = "tongbao-mydata-recovery/1"
INFO: Final = b"tongbao/mydata/recovery/1"
ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
CODE_LETTERS: Final = 32
CODE_BYTES: Final = 20
NONCE_BYTES: Final = 12
FILE_BYTES_LIMIT: Final = 262_144


class BadRecovery(Exception):
    """A recovery file or its code can't be used; the text says which and what to do."""

    exit_code = 77
    advice = "take the file and the code that were made together"


class RecoveryFacts(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What makes a person's folder again. The rest is on the ledger and at the store."""

    account: str | None
    chain: str
    node: str
    root: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    store: str
    trust: str | None = None


class _File(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    format: str
    nonce: Annotated[bytes, Meta(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
    salt: Annotated[bytes, Meta(min_length=KEY_BYTES, max_length=KEY_BYTES)]
    sealed: Annotated[bytes, Meta(max_length=FILE_BYTES_LIMIT)]


def new_code() -> str:
    """A new code, as it is printed."""
    letters = "".join(secrets.choice(ALPHABET) for _ in range(CODE_LETTERS))
    return "-".join(letters[at : at + 4] for at in range(0, CODE_LETTERS, 4))


def write_recovery(facts: RecoveryFacts, code: str) -> bytes:
    """The file that opens with this code."""
    salt, nonce = secrets.token_bytes(KEY_BYTES), secrets.token_bytes(NONCE_BYTES)
    text = msgspec.json.encode(facts)
    sealed = AESGCM(_key(code, salt)).encrypt(nonce, text, FORMAT.encode())
    file = _File(format=FORMAT, nonce=nonce, salt=salt, sealed=sealed)
    return msgspec.json.format(msgspec.json.encode(file)) + b"\n"


def read_recovery(file: bytes, code: str) -> RecoveryFacts:
    """What a recovery file holds. Raises BadRecovery."""
    if len(file) > FILE_BYTES_LIMIT:
        raise BadRecovery("the recovery file is too long to be one")
    try:
        read = msgspec.json.decode(file, type=_File)
    except (msgspec.DecodeError, ValueError) as error:
        raise BadRecovery(f"the file is no recovery file: {error}") from None
    if read.format != FORMAT:
        raise BadRecovery(f"the file has the format {read.format[:40]!a}, not {FORMAT}")
    try:
        text = AESGCM(_key(code, read.salt)).decrypt(read.nonce, read.sealed, FORMAT.encode())
        return msgspec.json.decode(text, type=RecoveryFacts)
    except InvalidTag:
        raise BadRecovery("the code is not that of this recovery file") from None
    except (msgspec.DecodeError, ValueError) as error:
        raise BadRecovery(f"the file holds what this version does not know: {error}") from None


def _key(code: str, salt: bytes) -> bytes:
    return HKDF(SHA256(), KEY_BYTES, salt=salt, info=INFO).derive(_bytes_of(code))


def _bytes_of(code: str) -> bytes:
    """The 20 bytes of a code as somebody has typed it. Raises BadRecovery."""
    typed = code.upper().translate(str.maketrans("OIL", "011", " -\t"))
    if len(typed) != CODE_LETTERS or not set(typed) <= set(ALPHABET):
        raise BadRecovery(
            f"a recovery code has {CODE_LETTERS} letters and digits in groups of four"
        )
    number = 0
    for letter in typed:
        number = number * len(ALPHABET) + ALPHABET.index(letter)
    return number.to_bytes(CODE_BYTES, "big")
