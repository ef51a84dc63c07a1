"""The manifest of a snapshot: of which chain and height it is, and what its chunks are."""

from __future__ import annotations

from typing import Final

import msgspec
from msgspec import Struct

from tongbao.store.errors import WrongVersion
from tongbao.store.snapshot.chunks import CHUNK_BYTES, Chunk, root_of
from tongbao.store.snapshot.errors import BadSnapshot

FORMAT: Final = 1
MANIFEST_BYTES: Final = 32 * 1024 * 1024
"""The most bytes of a manifest."""


class Manifest(Struct, frozen=True, forbid_unknown_fields=True):
    """What a snapshot says of itself; in JSON, where bytes are base64.

    `header` is the signed header of `height`. Whoever believes the snapshot checks its signature
    and that its state root is `root`: which engine signs, and how, is not the store's to know.
    """

    format: int
    chain: str
    genesis: bytes
    height: int
    header: bytes
    root: bytes
    chunks: tuple[Chunk, ...]


def write_manifest(manifest: Manifest) -> bytes:
    """The bytes of a manifest: the same for the same manifest."""
    return msgspec.json.encode(manifest) + b"\n"


def read_manifest(data: bytes, chunk_bytes: int = CHUNK_BYTES) -> Manifest:
    """A manifest whose chunks make its root. Raises BadSnapshot, WrongVersion.

    It is believed once its header is; its chunks are then read one by one with `read_chunk`.
    """
    if len(data) > MANIFEST_BYTES:
        raise BadSnapshot(f"a manifest has at most {MANIFEST_BYTES} bytes, this has {len(data)}")
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise BadSnapshot(f"this is no manifest of a snapshot ({error})") from None
    if manifest.format != FORMAT:
        raise WrongVersion(
            f"the snapshot has format {manifest.format}, this version reads {FORMAT}: "
            "use the version of tongbao that made it"
        )
    if write_manifest(manifest) != data:
        raise BadSnapshot("the manifest is not written as tongbao writes it")
    if manifest.height < 0:
        raise BadSnapshot("a snapshot's height is 0 or more")
    if root_of(manifest.chunks, chunk_bytes) != manifest.root:
        raise BadSnapshot("the chunks of the manifest don't make the root that it names")
    return manifest
