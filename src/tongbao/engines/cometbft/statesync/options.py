"""What an operator chooses about snapshots and old blocks; the limits of CometBFT's messages."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

METADATA_BYTES: Final = 3_900_000
"""The most bytes of a manifest that is offered: a message about a snapshot has 4 MB at most."""

LISTED: Final = 10
"""A node asks each peer for so many of its newest snapshots."""


class SyncOptions(Struct, frozen=True, kw_only=True):
    """Choices of one node, which no other needs to share.

    A snapshot is taken after each block whose height is a multiple of `interval`, none for 0; the
    newest `keep` stay. CometBFT keeps at least the last `retain_blocks` blocks, all for 0.
    """

    interval: int = 0
    keep: int = 2
    retain_blocks: int = 0
