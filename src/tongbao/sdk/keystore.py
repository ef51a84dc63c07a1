"""Keys at rest: a folder with one encrypted file a key, `NAME.json`; the format is `key_file`'s."""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
from pathlib import Path
from secrets import token_hex
from typing import Final, NoReturn

import msgspec

from tongbao.sdk.folder import sync_folder
from tongbao.sdk.key_file import (
    PUBLIC_KEY_BYTES,
    Cost,
    KeyFile,
    binary,
    check_strength,
    seal,
    unseal,
)
from tongbao.sdk.keystore_errors import (
    BadKeyFile,
    BadKeyName,
    InsecurePermissions,
    KeyExists,
    KeyNotFound,
    KeystoreError,
    TooLittleMemory,
    WeakPassphrase,
    WrongPassphrase,
)
from tongbao.sdk.signer import SoftwareKey

__all__ = [
    "BadKeyFile",
    "BadKeyName",
    "Cost",
    "InsecurePermissions",
    "KeyExists",
    "KeyNotFound",
    "Keystore",
    "KeystoreError",
    "TooLittleMemory",
    "WeakPassphrase",
    "WrongPassphrase",
]

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SUFFIX: Final = ".json"
FILE_BYTES_LIMIT: Final = 65_536
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class Keystore:
    """The keys in one folder, which its owner alone may read (mode 0700, files 0600)."""

    def __init__(self, folder: Path | str, cost: Cost | None = None) -> None:
        """Name the folder; nothing is touched. `cost` is that of keys kept from now on."""
        self.folder = Path(folder)
        self.cost = cost or Cost()

    def names(self) -> list[str]:
        """The names of all keys, sorted; none where there is no folder."""
        if not self.folder.is_dir():
            return []
        found = (path.name for path in self.folder.iterdir() if path.name.endswith(SUFFIX))
        names = (name.removesuffix(SUFFIX) for name in found)
        return sorted(name for name in names if NAME.fullmatch(name))

    def public_key(self, name: str) -> bytes:
        """The 32 bytes that the file says; only `unlock` proves them. Raises KeystoreError."""
        return binary(self._read(name).public_key, PUBLIC_KEY_BYTES)

    def create(self, name: str, passphrase: str) -> SoftwareKey:
        """Make and keep a new key. Raises KeystoreError, OSError."""
        return self.store(name, SoftwareKey.generate().seed, passphrase)

    def store(self, name: str, seed: bytes, passphrase: str) -> SoftwareKey:
        """Keep the key of a seed that was made elsewhere. Raises KeystoreError, OSError."""
        path = self._path(name)
        check_strength(passphrase)
        if os.path.lexists(path):
            self._refuse_existing(name)
        key = SoftwareKey(seed)
        self._write(path, seal(name, seed, passphrase, self.cost), replace=False)
        return key

    def unlock(self, name: str, passphrase: str) -> SoftwareKey:
        """The key of this name. Raises KeystoreError."""
        return unseal(self._read(name), passphrase)

    def change_passphrase(self, name: str, old: str, new: str) -> None:
        """Encrypt a key anew; copies of the old file still open with the old passphrase.

        The old file is there until the new one is durable. Raises KeystoreError, OSError.
        """
        check_strength(new)
        key = self.unlock(name, old)
        self._write(self._path(name), seal(name, key.seed, new, self.cost), replace=True)

    def remove(self, name: str) -> None:
        """Remove a key for ever; without a copy of its file it is lost. Raises KeyNotFound."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            self._refuse_missing(name)
        sync_folder(self.folder)

    def _path(self, name: str) -> Path:
        if not NAME.fullmatch(name):
            raise BadKeyName(
                f"{name!r} can't name a key: take 1 to 64 of a-z, 0-9, '.', '_' and '-', "
                "the first a letter or digit"
            )
        return self.folder / f"{name}{SUFFIX}"

    def _refuse_existing(self, name: str) -> NoReturn:
        raise KeyExists(f"{self.folder} has a key {name} already: take another name, or remove it")

    def _refuse_missing(self, name: str) -> NoReturn:
        known = ", ".join(self.names()[:10]) or "none"
        raise KeyNotFound(f"{self.folder} has no key {name}: take one of its keys ({known})")

    def _read(self, name: str) -> KeyFile:
        path = self._path(name)
        if os.path.lexists(self.folder):
            check_mode(self.folder, self.folder.stat(), 0o700)
        try:
            text = read_own_file(path)
        except FileNotFoundError:
            self._refuse_missing(name)
        try:
            file = msgspec.json.decode(text, type=KeyFile)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise BadKeyFile(
                f"{path} is no key file of this version ({error}): restore it from a copy"
            ) from None
        if file.name != name:
            raise BadKeyFile(f"{path} holds a key named {file.name!r}: give the file its name back")
        return file

    def _write(self, path: Path, file: KeyFile, *, replace: bool) -> None:
        """Write durably: whole under its name, or not there. Nothing else is overwritten."""
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        check_mode(self.folder, self.folder.stat(), 0o700)
        partial = self.folder / f".{file.name}.{token_hex(8)}"
        descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            with os.fdopen(descriptor, "wb") as out:
                out.write(msgspec.json.format(msgspec.json.encode(file)) + b"\n")
                out.flush()
                os.fsync(out.fileno())
            if replace:
                partial.replace(path)
            else:
                # Unlike a rename, a link never takes the place of a file that is there.
                path.hardlink_to(partial)
        except FileExistsError:
            self._refuse_existing(file.name)
        finally:
            partial.unlink(missing_ok=True)
        sync_folder(self.folder)


def check_mode(path: Path, status: os.stat_result, mode: int) -> None:
    """Refuse a file or folder that others than its owner may use in any way."""
    if status.st_mode & OTHERS:
        command = f"chmod {mode:o} {shlex.quote(str(path))}"
        raise InsecurePermissions(f"others may use {path}, which holds keys; run: {command}")


def read_own_file(path: Path, limit: int = FILE_BYTES_LIMIT) -> bytes:
    """The bytes of a regular file of at most `limit` that its owner alone may read."""
    try:
        # Without waiting for the other end, should it be a pipe.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        raise BadKeyFile(f"{path} is a link: put the key file itself there") from None
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise BadKeyFile(f"{path} is no file: put the key file itself there")
        check_mode(path, status, 0o600)
        if status.st_size > limit:
            raise BadKeyFile(
                f"{path} has more than the {limit} bytes of such a file: restore it from a copy"
            )
        with os.fdopen(os.dup(descriptor), "rb") as file:
            return file.read(limit)
    finally:
        os.close(descriptor)
