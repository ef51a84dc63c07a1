"""Secrets at rest: a folder of records, each sealed under a key that only the passphrase gives.

    vault.json   how the passphrase becomes a key (Argon2id); the vault's own key, sealed under it
    NAME.record  nonce of 12 bytes || AES-256-GCM of the record, bound to its name

The vault's key is random and never changes, so that another passphrase seals one key anew and no
record. A record of another name, of another vault, or changed in a bit does not open. Names stand
open: let them say no secret.
"""

from __future__ import annotations

import re
from pathlib import Path
from secrets import token_bytes
from typing import Annotated, Final, Literal

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Meta, Struct

from tongbao.kernel import jcs
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.folder import sync_folder, write_private
from tongbao.sdk.key_file import (
    CIPHER_KEY_BYTES,
    NONCE_BYTES,
    SALT_BYTES,
    TAG_BYTES,
    Cost,
    Derivation,
    binary,
    check_strength,
    cipher_key,
    new_derivation,
)
from tongbao.sdk.keystore import check_mode, read_own_file
from tongbao.sdk.keystore_errors import WrongPassphrase

FILE: Final = "vault.json"
SUFFIX: Final = ".record"
NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,159}\Z")
RECORD_BYTES_LIMIT: Final = 67_108_864
"""64 MiB: the longest batch at rest."""
SEALED_KEY_BYTES: Final = NONCE_BYTES + CIPHER_KEY_BYTES + TAG_BYTES
KEY_DOMAIN: Final = b"tongbao/vault-key/1"
RECORD_DOMAIN: Final = b"tongbao/vault-record/1\x00"


class VaultError(Exception):
    """A vault or a record that can't be used; the text says what to do, and holds no secret."""

    exit_code = 77


class _VaultFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What stands in `vault.json`: `key` is nonce and sealed key in base64url."""

    version: Literal[1] = 1
    kdf: Derivation
    key: Annotated[str, Meta(max_length=2 * SEALED_KEY_BYTES)]


class Vault:
    """The records of one folder, which its owner alone may read (mode 0700, files 0600).

    Threads and processes may have one vault open together: each record is whole or as it was.
    """

    def __init__(self, folder: Path, key: bytes) -> None:
        """Use a folder with the vault's key: `create` and `open` know it."""
        self._folder = folder
        self._cipher: AESGCM | None = AESGCM(key)

    @classmethod
    def create(cls, folder: Path | str, passphrase: str, cost: Cost | None = None) -> Vault:
        """A new, empty vault. Raises VaultError, WeakPassphrase, OSError."""
        place = Path(folder)
        check_strength(passphrase)
        if (place / FILE).exists():
            raise VaultError(f"{place} holds a vault already: open it, or name another folder")
        place.mkdir(mode=0o700, parents=True, exist_ok=True)
        check_mode(place, place.stat(), 0o700)
        sync_folder(place.parent)
        key = token_bytes(CIPHER_KEY_BYTES)
        write_private(place / FILE, _sealed_key(key, passphrase, cost or Cost()))
        return cls(place, key)

    @classmethod
    def open(cls, folder: Path | str, passphrase: str, cost: Cost | None = None) -> Vault:
        """The vault of a folder; with a `cost`, which must be the one that it was made with.

        Raises WrongPassphrase, VaultError, KeystoreError, OSError.
        """
        place = Path(folder)
        file = _read_file(place)
        if cost is not None and cost != _cost_of(file.kdf):
            raise VaultError(f"{place} was made with another cost of its passphrase")
        return cls(place, _opened_key(file, passphrase))

    def change_passphrase(self, old: str, new: str, cost: Cost | None = None) -> None:
        """Seal the vault's key anew; copies of the old file open with the old passphrase.

        Raises WrongPassphrase, WeakPassphrase, VaultError, OSError.
        """
        check_strength(new)
        file = _read_file(self._folder)
        key = _opened_key(file, old)
        write_private(self._folder / FILE, _sealed_key(key, new, cost or _cost_of(file.kdf)))

    def put(self, name: str, record: bytes) -> None:
        """Keep a record durably in the place of what had its name. Raises VaultError, OSError."""
        path = self._path(name)
        if len(record) > RECORD_BYTES_LIMIT:
            raise VaultError(f"a record has at most {RECORD_BYTES_LIMIT} bytes: split it")
        nonce = token_bytes(NONCE_BYTES)
        sealed = self._open_cipher().encrypt(nonce, record, RECORD_DOMAIN + name.encode())
        write_private(path, nonce + sealed)

    def get(self, name: str) -> bytes:
        """The record of a name. Raises KeyError where there is none, VaultError, OSError."""
        cipher = self._open_cipher()
        path = self._path(name)
        try:
            kept = read_own_file(path, RECORD_BYTES_LIMIT + NONCE_BYTES + TAG_BYTES)
        except FileNotFoundError:
            raise KeyError(name) from None
        try:
            return cipher.decrypt(
                kept[:NONCE_BYTES], kept[NONCE_BYTES:], RECORD_DOMAIN + name.encode()
            )
        except (InvalidTag, ValueError):
            raise VaultError(
                f"{path} is damaged, or of another name or vault: restore it from a copy"
            ) from None

    def remove(self, name: str) -> None:
        """Remove a record durably. Raises KeyError where there is none, OSError."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            raise KeyError(name) from None
        sync_folder(self._folder)

    def names(self) -> list[str]:
        """The names of all records, sorted."""
        found = (path.name for path in self._folder.iterdir() if path.name.endswith(SUFFIX))
        names = (name.removesuffix(SUFFIX) for name in found)
        return sorted(name for name in names if NAME.match(name))

    def close(self) -> None:
        """Forget the key: nothing is read or kept any more."""
        self._cipher = None

    def __enter__(self) -> Vault:
        """The vault itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self.close()

    def _open_cipher(self) -> AESGCM:
        if self._cipher is None:
            raise VaultError(f"{self._folder} is closed: open the vault again")
        return self._cipher

    def _path(self, name: str) -> Path:
        if not NAME.match(name):
            raise VaultError(
                "that can't name a record: take 1 to 160 of a-z, 0-9, '.', '_' and '-', the first "
                "a letter or digit"
            )
        return self._folder / f"{name}{SUFFIX}"


def _cost_of(kdf: Derivation) -> Cost:
    return Cost(memory_kib=kdf.memory_kib, iterations=kdf.iterations, lanes=kdf.lanes)


def _bound_to(kdf: Derivation) -> bytes:
    """What the vault's key is authenticated with."""
    return KEY_DOMAIN + jcs.encode(msgspec.to_builtins(kdf))


def _sealed_key(key: bytes, passphrase: str, cost: Cost) -> bytes:
    kdf = new_derivation(cost)
    nonce = token_bytes(NONCE_BYTES)
    sealed = AESGCM(cipher_key(passphrase, kdf)).encrypt(nonce, key, _bound_to(kdf))
    file = _VaultFile(kdf=kdf, key=encode_base64url(nonce + sealed))
    return msgspec.json.format(msgspec.json.encode(file)) + b"\n"


def _opened_key(file: _VaultFile, passphrase: str) -> bytes:
    sealed = binary(file.key, SEALED_KEY_BYTES)
    cipher = AESGCM(cipher_key(passphrase, file.kdf))
    try:
        return cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], _bound_to(file.kdf))
    except InvalidTag:
        raise WrongPassphrase(
            f"wrong passphrase, or a damaged {FILE}. Try again; if the passphrase is surely right, "
            "restore the file from a copy"
        ) from None


def _read_file(folder: Path) -> _VaultFile:
    path = folder / FILE
    try:
        check_mode(folder, folder.stat(), 0o700)
        text = read_own_file(path)
    except FileNotFoundError:
        raise VaultError(f"{folder} holds no vault: check the folder, or create one") from None
    try:
        file = msgspec.json.decode(text, type=_VaultFile)
        binary(file.key, SEALED_KEY_BYTES)
        binary(file.kdf.salt, SALT_BYTES)
    except (msgspec.DecodeError, ValueError) as error:
        raise VaultError(
            f"{path} is no vault of this version ({error}): restore it from a copy"
        ) from None
    return file
