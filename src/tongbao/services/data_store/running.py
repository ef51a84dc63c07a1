"""Run a store: look through what was erased, then serve until told to stop."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog
from starlette.applications import Starlette

from tongbao.services.data_store.blobs import Blobs, FileBlobs
from tongbao.services.data_store.erasures import Erasures
from tongbao.services.data_store.folder import Listing, StoreFolder, StoreFolderError
from tongbao.services.data_store.keeping import Spaces
from tongbao.services.data_store.operations import Operations
from tongbao.services.serving.app import service_app
from tongbao.services.serving.bodies import sweep
from tongbao.services.serving.listening import run_service
from tongbao.services.serving.tls import Tls
from tongbao.store.lock import take_lock

log = structlog.get_logger("tongbao.services")


def store_app(folder: StoreFolder, blobs: Blobs | None = None) -> Starlette:
    """The application of a store. Raises StoreFolderError, ErasuresError, OSError."""
    listing = Listing(folder)
    erasures = Erasures(folder.erasures, listing.id)
    spaces = Spaces(folder.spaces, blobs or FileBlobs(folder.spaces), erasures)
    sweep(folder.incoming)
    removed = spaces.look_through()
    if removed:
        log.warning("what was erased had come back, and was removed", count=removed)
    return service_app(Operations(folder, listing, spaces).routes())


def blobs_of(folder: StoreFolder, bucket: Path | None) -> Blobs:
    """Where the store's blobs lie, as it was made: `bucket` is the TOML file that names S3's.

    Raises StoreFolderError, S3Error, OSError.
    """
    storage = folder.served().storage
    if (storage == "s3") != (bucket is not None):
        raise StoreFolderError(
            f"the blobs of {folder.path} are in {storage}: "
            + ("name the bucket: --s3 FILE" if storage == "s3" else "leave --s3 out")
        )
    if bucket is None:
        return FileBlobs(folder.spaces)
    from tongbao.services.data_store.s3_blobs import open_bucket

    return open_bucket(bucket)


@contextmanager
def alone(folder: StoreFolder) -> Iterator[None]:
    """Be the one process that serves a folder. Raises StoreFolderError."""
    try:
        descriptor = take_lock(folder.path / "lock")
    except BlockingIOError:
        raise StoreFolderError(f"another process serves {folder.path}: stop it first") from None
    try:
        yield
    finally:
        os.close(descriptor)


def run_store(
    folder: StoreFolder,
    host: str = "127.0.0.1",
    port: int = 0,
    *,
    blobs: Blobs | None = None,
    tls: Tls | None = None,
    ready: Callable[[str], None] | None = None,
    origin: str | None = None,
    behind_tls_proxy: bool = False,
    stopping: Callable[[Callable[[], None]], None] | None = None,
) -> None:
    """Serve a store's folder until SIGINT or SIGTERM; see `run_service`.

    Raises StoreFolderError, ErasuresError, OSError, and what `run_service` raises.
    """
    folder.served()
    with alone(folder):
        run_service(
            store_app(folder, blobs),
            host,
            port,
            tls=tls,
            ready=ready,
            origin=origin,
            behind_tls_proxy=behind_tls_proxy,
            nonces=folder.nonces,
            stopping=stopping,
        )


def begin_erasures(folder: StoreFolder) -> None:
    """An empty folder of erasures for a store that has lost its own. Raises ErasuresError."""
    Erasures.begin(folder.erasures, folder.served().id)


def erase_space(folder: StoreFolder, space: str, blobs: Blobs | None = None) -> int:
    """Destroy all of a space for good; how many names. It must not be served meanwhile."""
    from tongbao.services.data_store.inbox import Inbox
    from tongbao.services.data_store.keeping import Keeping
    from tongbao.services.data_store.names import Kind

    erasures = Erasures(folder.erasures, folder.served().id)
    spaces = Spaces(folder.spaces, blobs or FileBlobs(folder.spaces), erasures)
    keeping, inbox = Keeping(spaces), Inbox(spaces)
    names = {one.name for one in spaces.blobs.kept(space)} | _names(folder.spaces, space, Kind.KEY)
    for name in names:
        keeping.erase(space, name)
    parcels = _names(folder.spaces, space, Kind.PARCEL)
    for name in parcels:
        inbox.remove(space, name)
    drops = _names(folder.spaces, space, Kind.DROP)
    for name in drops:
        inbox.forbid(space, name)
    return len(names) + len(parcels) + len(drops)


def _names(folder: Path, space: str, kind: str) -> set[str]:
    from tongbao.services.data_store.durable import sizes_in

    return {name for name, _ in sizes_in(folder / space / kind)}
