"""What a store does with the things of a space: keep, give, erase, within the space's quota."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.sdk.folder import write_private
from tongbao.services.data_store.blobs import Blobs, same_bytes
from tongbao.services.data_store.durable import (
    make_folder,
    remove_file,
    sizes_in,
    sweep_partial,
)
from tongbao.services.data_store.erasures import Erasures
from tongbao.services.data_store.names import (
    BLOB_BYTES_LIMIT,
    NAME,
    PAGE,
    SPACES_LIMIT,
    WRAPPED_KEY_BYTES,
    Kept,
    Kind,
    Quota,
    Receipt,
)
from tongbao.services.serving.problems import Problem, bad_request, not_found

LOCKS: Final = 64
CREATED: Final = 201
FULL: Final = (errno.ENOSPC, errno.EDQUOT)


class Usage(Struct):
    """How much a space keeps: of blobs, keys, parcels and drops."""

    blob_bytes: int = 0
    blobs: int = 0
    keys: int = 0
    parcel_bytes: int = 0
    parcels: int = 0
    drops: int = 0

    @property
    def bytes(self) -> int:
        """What counts for the quota."""
        return self.blob_bytes + self.parcel_bytes


class Body(Struct, frozen=True):
    """A synced file with what is to be kept."""

    path: Path
    size: int
    hash: bytes


class Spaces:
    """Locks, folders and usage of all spaces."""

    def __init__(self, folder: Path, blobs: Blobs, erasures: Erasures) -> None:
        """Use the folder of spaces, which is there."""
        self.folder = folder
        self.blobs = blobs
        self.erasures = erasures
        self._locks = [threading.RLock() for _ in range(LOCKS)]
        self._usage: dict[str, Usage] = {}

    @contextmanager
    def locked(self, space: str) -> Iterator[Usage]:
        """The usage of a space, which nobody else changes meanwhile."""
        with self._locks[int(space[:2], 16) % LOCKS]:
            usage = self._usage.get(space)
            if usage is None:
                usage = self._count(space)
            try:
                yield usage
            finally:
                if (self.folder / space).is_dir():  # who keeps nothing takes no memory either
                    self._usage[space] = usage

    def within(self, space: str, kind: Kind) -> Path:
        """The folder for one kind of a space's things, made where it is not there."""
        is_new = not (self.folder / space).is_dir()
        if is_new and sum(1 for _ in self.folder.iterdir()) >= SPACES_LIMIT:
            raise Problem(507, "the store has all the spaces that it takes")
        make_folder(self.folder / space)
        make_folder(self.folder / space / kind)
        return self.folder / space / kind

    def path(self, space: str, kind: Kind, name: str) -> Path:
        """Where one thing lies, or would."""
        return self.folder / space / kind / name

    def _count(self, space: str) -> Usage:
        blobs = self.blobs.kept(space)
        parcels = sizes_in(self.folder / space / Kind.PARCEL)
        return Usage(
            blob_bytes=sum(one.size for one in blobs),
            blobs=len(blobs),
            keys=len(sizes_in(self.folder / space / Kind.KEY)),
            parcel_bytes=sum(size for _, size in parcels),
            parcels=len(parcels),
            drops=len(sizes_in(self.folder / space / Kind.DROP)),
        )

    def look_through(self) -> int:
        """Remove what was erased and is there all the same: out of a backup, or for a kill."""
        self.erasures.sweep()
        for folder in self.folder.iterdir():
            for kind in Kind:
                sweep_partial(folder / kind)
        removed = 0
        for space in self.erasures.spaces():
            there = {one.name for one in self.blobs.kept(space)}
            there |= {name for name, _ in sizes_in(self.folder / space / Kind.KEY)}
            for name in there.intersection(self.erasures.names(space, Kind.BLOB)):
                self.blobs.remove(space, name)
                self._remove(space, Kind.KEY, name)
                removed += 1
            for kind in (Kind.PARCEL, Kind.DROP):
                names = {name for name, _ in sizes_in(self.folder / space / kind)}
                for name in names.intersection(self.erasures.names(space, kind)):
                    removed += self._remove(space, kind, name)
        return removed

    def _remove(self, space: str, kind: Kind, name: str) -> bool:
        path = self.path(space, kind, name)
        return path.parent.is_dir() and remove_file(path)


class Keeping:
    """Blobs and keys of spaces. Every method may be called from any thread."""

    def __init__(self, spaces: Spaces) -> None:
        """Keep in these spaces."""
        self._spaces = spaces
        self._blobs = spaces.blobs
        self._erasures = spaces.erasures

    def room(self, space: str, name: str, quota: Quota) -> tuple[int, Problem | None]:
        """The longest blob that would be taken now under a name, and why no longer one.

        What the name has may come again. The second is None where no blob at all may be longer.
        """
        if self._erasures.find(space, Kind.BLOB, name) is not None:
            return 0, erased()
        with self._spaces.locked(space) as usage:
            left = min(BLOB_BYTES_LIMIT, quota.bytes - usage.bytes)
        room = max(0, left, self._blobs.size(space, name) or 0)
        return room, full("bytes") if room < BLOB_BYTES_LIMIT else None

    def put_blob(self, space: str, name: str, body: Body, quota: Quota) -> bool:
        """Keep a blob; False where it was kept before. Raises Problem, OSError."""
        if not body.size or body.size % SEALED_CHUNK_BYTES:
            raise bad_request(f"a blob is whole chunks of {SEALED_CHUNK_BYTES} bytes")
        with self._spaces.locked(space) as usage:
            self._must_not_be_erased(space, name)
            if self._blobs.size(space, name) is None:
                check_room(usage, quota, body.size)
                self._spaces.within(space, Kind.BLOB)
                if self._blobs.put(space, name, body.path):
                    usage.blob_bytes += body.size
                    usage.blobs += 1
                    return True
        if same_bytes(self._blobs, space, name, body.size, body.hash):
            return False
        raise Problem(409, "the name has other bytes: a blob never changes; take another name")

    def get_blob(
        self, space: str, name: str, start: int, count: int | None
    ) -> tuple[int, Iterator[bytes]]:
        """How many bytes follow, and the bytes: `count` chunks from `start` on. Raises Problem."""
        self._must_not_be_erased(space, name)
        size = self._blobs.size(space, name)
        if size is None:
            raise not_found()
        chunks = size // SEALED_CHUNK_BYTES
        if start > chunks:
            raise Problem(416, f"the blob has {chunks} chunks")
        taken = chunks - start if count is None else min(count, chunks - start)
        try:
            read = self._blobs.read(
                space, name, start * SEALED_CHUNK_BYTES, taken * SEALED_CHUNK_BYTES
            )
        except KeyError:
            raise not_found() from None
        return taken * SEALED_CHUNK_BYTES, read

    def erase(self, space: str, name: str) -> Receipt:
        """Destroy blob and key of a name for good, also where there is none. Raises OSError.

        It is written down first: after a kill the next start destroys them. On a full disk what is
        destroyed makes room for that.
        """
        with self._spaces.locked(space) as usage:
            try:
                receipt = self._erasures.write(space, Kind.BLOB, name)
            except OSError as error:
                if error.errno not in FULL:
                    raise
                self._destroy(space, name, usage)
                receipt = self._erasures.write(space, Kind.BLOB, name)
            self._destroy(space, name, usage)
            return receipt

    def _destroy(self, space: str, name: str, usage: Usage) -> None:
        size = self._blobs.size(space, name)
        if size is not None:
            self._blobs.remove(space, name)
            usage.blob_bytes -= size
            usage.blobs -= 1
        path = self._spaces.path(space, Kind.KEY, name)
        if path.exists() and remove_file(path):
            usage.keys -= 1

    def put_key(self, space: str, name: str, wrapped: bytes, quota: Quota) -> bool:
        """Keep a wrapped key in the place of the one before; False where it is the same."""
        if len(wrapped) != WRAPPED_KEY_BYTES:
            raise bad_request(f"a wrapped key has {WRAPPED_KEY_BYTES} bytes")
        with self._spaces.locked(space) as usage:
            self._must_not_be_erased(space, name)
            path = self._spaces.path(space, Kind.KEY, name)
            known = path.read_bytes() if path.exists() else None
            if known == wrapped:
                return False
            if known is None and usage.keys >= quota.names:
                raise full("names")
            write_private(self._spaces.within(space, Kind.KEY) / name, wrapped)
            usage.keys += known is None
            return True

    def get_key(self, space: str, name: str) -> bytes:
        """The wrapped key of a name. Raises Problem."""
        self._must_not_be_erased(space, name)
        try:
            return self._spaces.path(space, Kind.KEY, name).read_bytes()
        except FileNotFoundError:
            raise not_found() from None

    def list_blobs(self, space: str, after: str) -> list[Kept]:
        """Names after one, a page of them and one more where there are more."""
        return page(self._blobs.kept(space), after)

    def _must_not_be_erased(self, space: str, name: str) -> None:
        if self._erasures.find(space, Kind.BLOB, name) is not None:
            raise erased()


def page(kept: list[Kept], after: str) -> list[Kept]:
    """At most a page of what comes after a name, and one more where there is more."""
    return [one for one in kept if one.name > after and NAME.match(one.name)][: PAGE + 1]


def check_room(usage: Usage, quota: Quota, size: int) -> None:
    """Whether a blob of this size fits into a quota. Raises Problem."""
    if usage.blobs >= quota.names:
        raise full("names")
    if usage.bytes + size > quota.bytes:
        raise full("bytes")


def erased() -> Problem:
    """What is answered to a space about a name that it has erased."""
    return Problem(410, "it was erased for good: take another name for what is new")


def full(what: str) -> Problem:
    """What is answered where a space has all of its quota."""
    return Problem(
        507, f"the space has all the {what} of its quota: erase something, or ask the operator"
    )
