"""Whether a snapshot of others is wanted: what is asked of it before the first chunk is fetched."""

from __future__ import annotations

import shutil
from hashlib import sha256
from pathlib import Path
from typing import Final

from tongbao.engines.cometbft.header import LocalHeader, decode_local
from tongbao.engines.cometbft.light.hashes import app_hash
from tongbao.engines.cometbft.messages import OfferResult, Snapshot
from tongbao.engines.cometbft.statesync.options import METADATA_BYTES
from tongbao.engines.solo.header import HeaderError
from tongbao.kernel import Genesis
from tongbao.kernel.genesis import chain_id, hash_of
from tongbao.store.errors import WrongVersion
from tongbao.store.snapshot.errors import BadSnapshot
from tongbao.store.snapshot.manifest import FORMAT, Manifest, read_manifest

AHEAD_MS: Final = 600_000
"""So far a block's time may be ahead of this node's clock: no network's is, by half as much."""
SPACE_FACTOR: Final = 6
"""How many times the bytes of its chunks a base and two copies of its rows may need."""


class NotWanted(Exception):
    """Why a snapshot is not taken, and what CometBFT is to do about it."""

    def __init__(self, result: OfferResult, why: str) -> None:
        """An answer, and the words for the log."""
        super().__init__(why)
        self.result = result


def judge(
    snapshot: Snapshot | None, root_of_trust: bytes, genesis: Genesis, above: int, now: int
) -> tuple[Manifest, LocalHeader]:
    """The manifest and header of a snapshot that is wanted.

    `root_of_trust` is the application hash that CometBFT's light client has verified, `above` the
    block that it must be later than, `now` the time in ms UTC. Only the rows are proven by that
    hash; what the header says beside the state root is the word of whoever offers it. Raises
    NotWanted: a node that claims what can't be is not asked again.
    """
    if snapshot is None:
        raise NotWanted(OfferResult.REJECT, "no snapshot was named")
    if snapshot.format != FORMAT:
        raise NotWanted(OfferResult.REJECT_FORMAT, f"format {snapshot.format} is not known here")
    if snapshot.height <= above:
        raise NotWanted(OfferResult.REJECT, f"it is not later than block {above}, which is here")
    manifest = _manifest_of(snapshot)
    if (manifest.chain, manifest.genesis) != (chain_id(genesis), hash_of(genesis)):
        raise _lie(f"it is of chain {manifest.chain}, or of another genesis file")
    if app_hash(manifest.root) != root_of_trust:
        raise _lie(f"its rows are not those of block {snapshot.height}")
    header = _header_of(manifest)
    if header.time > now + AHEAD_MS:
        raise NotWanted(
            OfferResult.REJECT,
            f"block {header.height} has a time that is yet to come: set this machine's clock, or "
            "join by another snapshot",
        )
    return manifest, header


def _manifest_of(snapshot: Snapshot) -> Manifest:
    """The manifest in a snapshot's metadata. Raises NotWanted."""
    data = snapshot.metadata
    if len(data) > METADATA_BYTES or sha256(data).digest() != snapshot.hash:
        raise _lie("its manifest is not the one that its hash names")
    try:
        manifest = read_manifest(data)
    except WrongVersion as error:
        raise NotWanted(OfferResult.REJECT_FORMAT, str(error)) from error
    except BadSnapshot as error:
        raise _lie(str(error)) from error
    if (manifest.height, len(manifest.chunks)) != (snapshot.height, snapshot.chunks):
        raise _lie("its manifest is of another block, or has another number of chunks")
    return manifest


def _header_of(manifest: Manifest) -> LocalHeader:
    """The header that its giver has noted, as far as it can be checked. Raises NotWanted."""
    try:
        header = decode_local(manifest.header)
    except HeaderError as error:
        raise _lie(f"its header can't be read ({error})") from error
    said = (header.chain, header.height, header.state)
    if said != (manifest.chain, manifest.height, manifest.root.hex()):
        raise _lie("its header is of another block than its rows")
    return header


def check_space(folder: Path, manifest: Manifest) -> None:
    """Whether there is space for all of it. Raises NotWanted, OSError."""
    needed = SPACE_FACTOR * sum(chunk.size for chunk in manifest.chunks)
    free = shutil.disk_usage(folder).free
    if free < needed:
        raise NotWanted(
            OfferResult.REJECT,
            f"it needs {needed} bytes, and {folder} has {free}: make room, then start again",
        )


def _lie(why: str) -> NotWanted:
    return NotWanted(OfferResult.REJECT_SENDER, why)
