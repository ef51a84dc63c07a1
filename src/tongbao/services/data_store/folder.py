"""The folder of a store, and the spaces that its operator has listed.

    store.json   who is served: the listed spaces, or any; each with a quota
    spaces/      SPACE/blobs, keys, drops and inbox
    incoming/    bodies of requests that are under way
    nonces       requests that must not come twice
    FOLDER.erased (or --erasures)  see `erasures.py`

There is no key in any of it.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
import structlog
from msgspec import Meta, Struct

from tongbao.sdk.folder import write_private
from tongbao.services.data_store.durable import make_folder
from tongbao.services.data_store.erasures import Erasures
from tongbao.services.data_store.names import NAME, SPACES_LIMIT, Quota

log = structlog.get_logger("tongbao.services")

FILE: Final = "store.json"
FILE_BYTES_LIMIT: Final = 33_554_432
SPACES: Final = "spaces"
INCOMING: Final = "incoming"
NONCES: Final = "nonces"
ERASED_SUFFIX: Final = ".erased"
LOOK_S: Final = 1.0
"""How often it is looked whether the operator has changed who is served."""


class StoreFolderError(Exception):
    """A folder that is no store's, or can't become one; the text says what to do."""

    exit_code = 66


class Served(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands in `store.json`."""

    version: Annotated[int, Meta(ge=1, le=1)] = 1
    id: Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")]
    open: bool = False
    storage: Literal["files", "s3"] = "files"
    quota: Quota = Quota()
    spaces: Annotated[dict[str, Quota], Meta(max_length=SPACES_LIMIT)] = {}

    def quota_of(self, space: str) -> Quota | None:
        """How much a space may keep; None where it is not served."""
        return self.spaces.get(space) or (self.quota if self.open else None)


class StoreFolder:
    """The files of one store."""

    def __init__(self, path: Path, erasures: Path | None = None) -> None:
        """Name the folders; nothing is touched."""
        self.path = path
        self.erasures = erasures or path.with_name(path.name + ERASED_SUFFIX)
        self.spaces = path / SPACES
        self.incoming = path / INCOMING
        self.nonces = path / NONCES

    def lay_out(
        self,
        *,
        is_open: bool = False,
        quota: Quota | None = None,
        storage: Literal["files", "s3"] = "files",
    ) -> Served:
        """Make a new store. Raises StoreFolderError, ErasuresError, OSError."""
        self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if any(self.path.iterdir()):
            raise StoreFolderError(f"{self.path} has something in it: name a new folder")
        self.path.chmod(0o700)
        served = Served(
            id=secrets.token_hex(16), open=is_open, storage=storage, quota=quota or Quota()
        )
        Erasures.begin(self.erasures, served.id)
        for folder in (self.spaces, self.incoming):
            make_folder(folder)
        self._write(served)
        return served

    def served(self) -> Served:
        """Who is served. Raises StoreFolderError."""
        file = self.path / FILE
        try:
            with file.open("rb") as opened:
                text = opened.read(FILE_BYTES_LIMIT)
        except FileNotFoundError:
            raise StoreFolderError(
                f"{self.path} is no store: make one with `tongbao data-store init`"
            ) from None
        try:
            found = msgspec.json.decode(text, type=Served)
        except (msgspec.DecodeError, ValueError) as error:
            raise StoreFolderError(
                f"{file} can't be read ({error}): correct it, or bring it back from a copy"
            ) from None
        wrong = next((space for space in found.spaces if not NAME.match(space)), None)
        if wrong is not None:
            raise StoreFolderError(f"{file}: a space is 64 hex digits, in lowercase: correct it")
        return found

    @contextmanager
    def changing(self) -> Iterator[dict[str, Quota]]:
        """The listed spaces, to change in the `with` statement; a store that runs sees it soon.

        Who else wants to change them waits. Raises StoreFolderError, OSError.
        """
        self.served()
        descriptor = os.open(self.path, os.O_RDONLY)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX)
            served = self.served()
            spaces = dict(served.spaces)
            yield spaces
            if len(spaces) > SPACES_LIMIT:
                raise StoreFolderError(f"a store has at most {SPACES_LIMIT} spaces: remove some")
            self._write(msgspec.structs.replace(served, spaces=spaces))
        finally:
            os.close(descriptor)

    def _write(self, served: Served) -> None:
        write_private(self.path / FILE, msgspec.json.format(msgspec.json.encode(served)) + b"\n")


class Listing:
    """Who is served now: the file is looked at again as it changes."""

    def __init__(self, folder: StoreFolder) -> None:
        """Read the file. Raises StoreFolderError."""
        self._folder = folder
        self._stamp = self._stamped()
        self._served = folder.served()
        self._looked = time.monotonic()

    def quota_of(self, space: str) -> Quota | None:
        """How much a space may keep; None where it is not served."""
        now = time.monotonic()
        if now - self._looked >= LOOK_S:
            self._looked = now
            self._look()
        return self._served.quota_of(space)

    @property
    def id(self) -> str:
        """The store's id."""
        return self._served.id

    def _look(self) -> None:
        stamp = self._stamped()
        if stamp == self._stamp:
            return
        try:
            self._served = self._folder.served()
        except (StoreFolderError, OSError) as error:
            log.error("who was served before goes on", why=str(error))
            return
        self._stamp = stamp
        log.info("who is served has changed", spaces=len(self._served.spaces))

    def _stamped(self) -> tuple[int, ...]:
        try:
            found = (self._folder.path / FILE).stat()
        except OSError:
            return ()
        return (found.st_ino, found.st_mtime_ns, found.st_size)
