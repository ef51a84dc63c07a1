"""Keys at rest: a folder with one encrypted file a key, `NAME.json`.

The seed is encrypted by AES-256-GCM (NIST SP 800-38D) under a key that Argon2id (RFC 9106) makes
from the passphrase. Every other member of the file is authenticated with it. A changed passphrase
makes a new salt, so that a key of the cipher never meets a second nonce.
"""

from __future__ import annotations

import errno
import os
import re
import shlex
import stat
from pathlib import Path
from secrets import token_bytes, token_hex
from typing import Annotated, Final, Literal, NoReturn
from unicodedata import normalize

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from msgspec import Meta, Struct

from tongbao.kernel import InvalidTransaction, jcs
from tongbao.kernel.envelope import decode_base64url, encode_base64url
from tongbao.sdk.signer import SEED_BYTES, SoftwareKey

NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
SUFFIX: Final = ".json"
FILE_BYTES_LIMIT: Final = 65_536
PASSPHRASE_CHARACTERS: Final = 8
SALT_BYTES: Final = 16
NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16
PUBLIC_KEY_BYTES: Final = 32
CIPHER_KEY_BYTES: Final = 32
DOMAIN: Final = b"tongbao/key-file/1"
OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


class KeystoreError(Exception):
    """A key that can't be had or kept; the text says what to do, and never holds a secret."""

    exit_code = 77
    code = "keystore_error"


class WrongPassphrase(KeystoreError):
    """The file does not open: the passphrase is another one, or somebody changed the file."""

    code = "wrong_passphrase"


class KeyNotFound(KeystoreError):
    """There is no key of this name."""

    code = "key_not_found"


class KeyExists(KeystoreError):
    """There is a key of this name; it is never overwritten."""

    code = "key_exists"


class BadKeyFile(KeystoreError):
    """A file that is not a key file of this version, or asks for more than the limits."""

    code = "bad_key_file"


class InsecurePermissions(KeystoreError):
    """Others than the owner may read or replace the file."""

    code = "insecure_permissions"


class WeakPassphrase(KeystoreError):
    """A new passphrase of fewer than 8 characters."""

    code = "weak_passphrase"


class BadKeyName(KeystoreError):
    """A text that can't name a key."""

    code = "bad_key_name"


class TooLittleMemory(KeystoreError):
    """The system does not give the memory that the file's Argon2id parameters ask for."""

    code = "too_little_memory"


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


class KeyFile(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, rename="camel"):
    """What stands in one file. Binary members are base64url without padding."""

    version: Literal[1] = 1
    name: str
    algorithm: Literal["Ed25519"] = "Ed25519"
    public_key: str
    kdf: Derivation
    cipher: Sealed

    def __post_init__(self) -> None:
        """Refuse binary members of other sizes or spellings, before anything is done with them."""
        _binary(self.public_key, PUBLIC_KEY_BYTES)
        _binary(self.kdf.salt, SALT_BYTES)
        _binary(self.cipher.nonce, NONCE_BYTES)
        _binary(self.cipher.ciphertext, SEED_BYTES + TAG_BYTES)


def _binary(text: str, size: int) -> bytes:
    """The bytes of a binary member. Raises ValueError."""
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
        kdf=Derivation(
            memory_kib=cost.memory_kib,
            iterations=cost.iterations,
            lanes=cost.lanes,
            salt=encode_base64url(token_bytes(SALT_BYTES)),
        ),
        cipher=Sealed(nonce=encode_base64url(nonce), ciphertext=blank),
    )
    sealed = AESGCM(_cipher_key(passphrase, file.kdf)).encrypt(nonce, seed, _public_members(file))
    cipher = msgspec.structs.replace(file.cipher, ciphertext=encode_base64url(sealed))
    return msgspec.structs.replace(file, cipher=cipher)


def unseal(file: KeyFile, passphrase: str) -> SoftwareKey:
    """Decrypt the key of a file. Raises WrongPassphrase, BadKeyFile, TooLittleMemory."""
    cipher = AESGCM(_cipher_key(passphrase, file.kdf))
    nonce = _binary(file.cipher.nonce, NONCE_BYTES)
    ciphertext = _binary(file.cipher.ciphertext, SEED_BYTES + TAG_BYTES)
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


def _cipher_key(passphrase: str, kdf: Derivation) -> bytes:
    argon2id = Argon2id(
        salt=_binary(kdf.salt, SALT_BYTES),
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
        return _binary(self._read(name).public_key, PUBLIC_KEY_BYTES)

    def create(self, name: str, passphrase: str) -> SoftwareKey:
        """Make and keep a new key. Raises KeystoreError, OSError."""
        return self.store(name, SoftwareKey.generate().seed, passphrase)

    def store(self, name: str, seed: bytes, passphrase: str) -> SoftwareKey:
        """Keep the key of a seed that was made elsewhere. Raises KeystoreError, OSError."""
        path = self._path(name)
        _check_strength(passphrase)
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
        _check_strength(new)
        key = self.unlock(name, old)
        self._write(self._path(name), seal(name, key.seed, new, self.cost), replace=True)

    def remove(self, name: str) -> None:
        """Remove a key for ever; without a copy of its file it is lost. Raises KeyNotFound."""
        try:
            self._path(name).unlink()
        except FileNotFoundError:
            self._refuse_missing(name)
        _sync(self.folder)

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
            _check_mode(self.folder, self.folder.stat(), 0o700)
        try:
            text = _read_own_file(path)
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
            _sync(self.folder.parent)
        _check_mode(self.folder, self.folder.stat(), 0o700)
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
        _sync(self.folder)


def _check_strength(passphrase: str) -> None:
    if len(normalize("NFKC", passphrase)) < PASSPHRASE_CHARACTERS:
        raise WeakPassphrase(
            f"a passphrase has at least {PASSPHRASE_CHARACTERS} characters: take a longer one, "
            "best several words"
        )


def _check_mode(path: Path, status: os.stat_result, mode: int) -> None:
    """Refuse a file or folder that others than its owner may use in any way."""
    if status.st_mode & OTHERS:
        command = f"chmod {mode:o} {shlex.quote(str(path))}"
        raise InsecurePermissions(f"others may use {path}, which holds keys; run: {command}")


def _read_own_file(path: Path) -> bytes:
    """The bytes of a regular file of at most 64 KiB that its owner alone may read."""
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
        _check_mode(path, status, 0o600)
        if status.st_size > FILE_BYTES_LIMIT:
            raise BadKeyFile(
                f"{path} has more than the {FILE_BYTES_LIMIT} bytes of a key file: "
                "restore it from a copy"
            )
        return os.read(descriptor, FILE_BYTES_LIMIT)
    finally:
        os.close(descriptor)


def _sync(folder: Path) -> None:
    """Make names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
