"""The format of a kept key: one JSON object, whose seed only the passphrase opens.

The seed is encrypted by AES-256-GCM (NIST SP 800-38D) under a key that Argon2id (RFC 9106) makes
from the passphrase. Every other member of the file is authenticated with it. Whatever is sealed
gets a new salt, so that a key of the cipher never meets a second nonce.
"""

from __future__ import annotations

from secrets import token_bytes
from typing import Annotated, Final, Literal
from unicodedata import normalize

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Meta, Struct

from tongbao.kernel import InvalidTransaction, jcs
from tongbao.kernel.envelope import decode_base64url, encode_base64url
from tongbao.sdk.keystore_errors import (
    BadKeyFile,
    TooLittleMemory,
    WeakPassphrase,
    WrongPassphrase,
)
from tongbao.sdk.signer import SEED_BYTES, SoftwareKey

PASSPHRASE_CHARACTERS: Final = 8
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
PUBLIC_KEY_BYTES: Final = 32
CIPHER_KEY_BYTES: Final = 32
DOMAIN: Final = b"tongbao/key-file/1"


class Cost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What one guess at a passphrase costs. Raises ValueError beyond the limits of key files."""

    memory_kib: Annotated[int, Meta(ge=8, le=1_048_576)] = 65_536
    iterations: Annotated[int, Meta(ge=1, le=16)] = 3
    lanes: Annotated[int, Meta(ge=1, le=16)] = 1

    def __post_init__(self) -> None:
        """Apply the limits to costs that are made in Python too."""
        within = (
            8 * self.lanes <= self.memory_kib <= 1_048_576
            and 1 <= self.iterations <= 16
            and 1 <= self.lanes <= 16
        )
        if not within:
            raise ValueError("Argon2id takes 1..16 lanes, 1..16 iterations, 8 KiB a lane .. 1 GiB")


class Derivation(Cost, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How the cipher's key is made from the passphrase."""

    name: Literal["argon2id"] = "argon2id"
    salt: str


class Sealed(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The encrypted seed."""

    name: Literal["aes-256-gcm"] = "aes-256-gcm"
    nonce: str
    ciphertext: str


class KeyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in one file. Binary members are base64url without padding."""

    version: Literal[1] = 1
    name: str
    algorithm: Literal["Ed25519"] = "Ed25519"
    public_key: str
    kdf: Derivation
    cipher: Sealed

    def __post_init__(self) -> None:
        """Refuse binary members of other sizes or spellings, before anything is done with them."""
        binary(self.public_key, PUBLIC_KEY_BYTES)
        binary(self.kdf.salt, SALT_BYTES)
        binary(self.cipher.nonce, NONCE_BYTES)
        binary(self.cipher.ciphertext, SEED_BYTES + TAG_BYTES)


def binary(text: str, size: int) -> bytes:
    """The `size` bytes of a binary member. Raises ValueError."""
    try:
        data = decode_base64url(text.encode("utf-8"))
    except InvalidTransaction:
        data = b""
    if len(data) != size:
        raise ValueError(f"expected base64url of {size} bytes")
    return data


def seal(name: str, seed: bytes, passphrase: str, cost: Cost) -> KeyFile:
    """Encrypt a seed of 32 bytes. Raises TooLittleMemory."""
    nonce = token_bytes(NONCE_BYTES)
    blank = encode_base64url(bytes(SEED_BYTES + TAG_BYTES))
    file = KeyFile(
        name=name,
        public_key=SoftwareKey(seed).key_id,
        kdf=new_derivation(cost),
        cipher=Sealed(nonce=encode_base64url(nonce), ciphertext=blank),
    )
    sealed = AESGCM(cipher_key(passphrase, file.kdf)).encrypt(nonce, seed, _public_members(file))
    cipher = msgspec.structs.replace(file.cipher, ciphertext=encode_base64url(sealed))
    return msgspec.structs.replace(file, cipher=cipher)


def unseal(file: KeyFile, passphrase: str) -> SoftwareKey:
    """Decrypt the key of a file. Raises WrongPassphrase, BadKeyFile, TooLittleMemory."""
    cipher = AESGCM(cipher_key(passphrase, file.kdf))
    nonce = binary(file.cipher.nonce, NONCE_BYTES)
    ciphertext = binary(file.cipher.ciphertext, SEED_BYTES + TAG_BYTES)
    try:
        key = SoftwareKey(cipher.decrypt(nonce, ciphertext, _public_members(file)))
    except InvalidTag:
        raise WrongPassphrase(
            f"key {file.name}: wrong passphrase or damaged file. Try again; if the passphrase is "
            "surely right, restore the file from a copy"
        ) from None
    if key.key_id != file.public_key:
        raise BadKeyFile(f"key {file.name}: the file names the public key of another key")
    return key


def new_derivation(cost: Cost) -> Derivation:
    """How a key is made of a passphrase from now on: with a salt of its own."""
    return Derivation(
        memory_kib=cost.memory_kib,
        iterations=cost.iterations,
        lanes=cost.lanes,
        salt=encode_base64url(token_bytes(SALT_BYTES)),
    )


def cipher_key(passphrase: str, kdf: Derivation) -> bytes:
    """The 32 bytes that Argon2id makes of a passphrase. Raises TooLittleMemory."""
    argon2id = Argon2id(
        salt=binary(kdf.salt, SALT_BYTES),
        length=CIPHER_KEY_BYTES,
        iterations=kdf.iterations,
        lanes=kdf.lanes,
        memory_cost=kdf.memory_kib,
    )
    # Systems differ in how they spell one typed character. A passphrase out of the environment
    # may hold bytes that are no text.
    secret = normalize("NFKC", passphrase).encode("utf-8", "surrogatepass")
    try:
        return argon2id.derive(secret)
    except MemoryError:
        raise TooLittleMemory(
            f"this key takes {kdf.memory_kib // 1024} MiB of memory for a moment: "
            "free as much, or raise the limit of this process"
        ) from None


def _public_members(file: KeyFile) -> bytes:
    """What is authenticated with the seed: every member but the ciphertext, as RFC 8785 JSON."""
    members = msgspec.to_builtins(file)
    del members["cipher"]["ciphertext"]
    return DOMAIN + jcs.encode(members)


def check_strength(passphrase: str) -> None:
    """Raise WeakPassphrase unless a new passphrase has at least 8 characters."""
    if len(normalize("NFKC", passphrase)) < PASSPHRASE_CHARACTERS:
        raise WeakPassphrase(
            f"a passphrase has at least {PASSPHRASE_CHARACTERS} characters: take a longer one, "
            "best several words"
        )
