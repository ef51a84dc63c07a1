"""The names of a snapshot's files, in a folder of its own or as the base of a chain.

    genesis.json    manifest.json    chunks/0123.rows ...    history/headers, outcomes, entries

A chunk is named by its prefix; the one of a state that is a single chunk is `chunks/all.rows`.
"""

from __future__ import annotations

from typing import Final

from tongbao.store.snapshot.chunks import Chunk

GENESIS: Final = "genesis.json"
MANIFEST: Final = "manifest.json"
CHUNKS: Final = "chunks"
HISTORY: Final = "history"
HEADERS: Final = "headers"
OUTCOMES: Final = "outcomes"
ENTRIES: Final = "entries"


def chunk_name(chunk: Chunk) -> str:
    """The name of a chunk's file."""
    return f"{chunk.prefix or 'all'}.rows"
