"""API keys: who may call as a machine. They lie in the chain's folder, as hashes.

`tongbao api-key` writes the file, a node looks at it at most once a second: a key that was made or
revoked needs no restart.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final

import msgspec
import structlog
from msgspec import Meta, Struct

from tongbao.kernel import Address
from tongbao.node.access.needs import Scope
from tongbao.node.access.tokens import KEY, digest_of, new_token, same

log = structlog.get_logger("tongbao.node")

FILE: Final = "api-keys.json"
KEYS_LIMIT: Final = 1_000
FILE_BYTES_LIMIT: Final = 1_048_576
LOOK_S: Final = 1.0
"""How often a node looks whether the file has changed."""
ID_BYTES: Final = 4
LONGEST_MS: Final = 10 * 366 * 86_400_000
"""The longest life of a key: ten years."""

KeyName = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9._-]{0,63}\Z")]


class KeysError(Exception):
    """The file of keys can't be read or changed as asked; the text says what to do."""

    exit_code = 65


class WrongKey(KeysError):
    """No key can be made as asked."""

    exit_code = 2
    advice = (
        "a name is 1 to 64 of a-z, 0-9, `.`, `_` and -, and begins with a letter or digit; a key "
        "lasts ten years at most"
    )


class ApiKey(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One key: `digest` is SHA-256 of its token in hex; `made` and `ends` are ms UTC.

    It may read its `account`'s own and what its `scopes` allow, at a rate of its own.
    """

    id: str
    name: KeyName
    digest: Annotated[str, Meta(pattern=r"^[0-9a-f]{64}\Z")]
    scopes: Annotated[tuple[Scope, ...], Meta(min_length=1, max_length=3)]
    made: int
    ends: int
    account: Address | None = None
    rate_per_s: Annotated[int, Meta(ge=1, le=2**31)] | None = None


class Keys(Struct, frozen=True, forbid_unknown_fields=True):
    """All keys of a node, the oldest first."""

    keys: Annotated[tuple[ApiKey, ...], Meta(max_length=KEYS_LIMIT)] = ()


def new_key(
    name: str,
    scopes: tuple[Scope, ...],
    now_ms: int,
    life_ms: int,
    account: str | None = None,
    rate_per_s: int | None = None,
) -> tuple[ApiKey, str]:
    """A new key and its token, which is told once. Raises KeysError."""
    if not 0 < life_ms <= LONGEST_MS:
        raise WrongKey("a key ends after now, and within ten years")
    token = new_token(KEY)
    said = {
        "id": secrets.token_hex(ID_BYTES),
        "name": name,
        "digest": digest_of(token),
        "scopes": scopes,
        "made": now_ms,
        "ends": now_ms + life_ms,
        "account": account,
        "rate_per_s": rate_per_s,
    }
    try:
        return msgspec.convert(said, ApiKey), token
    except (msgspec.ValidationError, ValueError) as error:
        raise WrongKey(f"no key can be made so: {error}") from error


def read_keys(file: Path) -> tuple[ApiKey, ...]:
    """The keys of a file; none where there is none. Raises KeysError, OSError."""
    try:
        with file.open("rb") as opened:
            content = opened.read(FILE_BYTES_LIMIT + 1)
    except FileNotFoundError:
        return ()
    if len(content) > FILE_BYTES_LIMIT:
        raise KeysError(f"{file} has more than {FILE_BYTES_LIMIT} bytes")
    try:
        return msgspec.json.decode(content, type=Keys).keys
    except (msgspec.DecodeError, ValueError) as error:
        raise KeysError(f"{file} is no file of API keys: {error}; make the keys anew") from error


@contextmanager
def changing(folder: Path) -> Iterator[list[ApiKey]]:
    """The keys of a chain's folder, to change in the `with` statement; then they are written.

    Who else wants to change them waits. Raises KeysError, OSError.
    """
    file = folder / FILE
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        keys = list(read_keys(file))
        yield keys
        if len(keys) > KEYS_LIMIT:
            raise KeysError(f"a node has at most {KEYS_LIMIT} API keys: revoke some")
        _write(file, Keys(tuple(keys)))
    finally:
        os.close(descriptor)


def _write(file: Path, keys: Keys) -> None:
    """All at once: whoever reads has the keys before, or those after."""
    partial = file.with_name(f"{file.name}.part")
    partial.unlink(missing_ok=True)
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as opened:
        opened.write(msgspec.json.format(msgspec.json.encode(keys)) + b"\n")
        opened.flush()
        os.fsync(opened.fileno())
    partial.replace(file)


class KeyFile:
    """The keys of a file, looked at again as it changes. A file that can't be read has none."""

    def __init__(self, file: Path | None) -> None:
        """Read a file when it is asked for the first time; None has no keys."""
        self._file = file
        self._looked = 0.0
        self._stamp: tuple[int, ...] | None = None
        self._by_digest: dict[str, ApiKey] = {}
        self._by_id: dict[str, ApiKey] = {}

    def find(self, token: str) -> ApiKey | None:
        """The key of a token."""
        self._look()
        digest = digest_of(token)
        found = self._by_digest.get(digest)
        return found if found is not None and same(found.digest, digest) else None

    def known(self, key_id: str) -> ApiKey | None:
        """The key of an id."""
        self._look()
        return self._by_id.get(key_id)

    def _look(self) -> None:
        now = time.monotonic()
        if self._file is None or (self._looked and now - self._looked < LOOK_S):
            return
        self._looked = now
        stamp = _stamp_of(self._file)
        if stamp == self._stamp:
            return
        self._stamp = stamp
        try:
            keys = read_keys(self._file)
        except (KeysError, OSError) as error:
            log.error("no API key is taken", why=str(error))
            keys = ()
        self._by_digest = {key.digest: key for key in keys}
        self._by_id = {key.id: key for key in keys}


def _stamp_of(file: Path) -> tuple[int, ...]:
    """What changes when a file does; () where there is none."""
    try:
        found = file.stat()
    except OSError:
        return ()
    return (found.st_ino, found.st_mtime_ns, found.st_size)
