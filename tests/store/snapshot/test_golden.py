"""The bytes of a snapshot are frozen: they are handed from one party to another."""

from __future__ import annotations

from tests.golden_file import check_golden
from tests.store.snapshot.test_chunks import ROWS, SMALL, manifest_of
from tests.store.snapshot.test_history import CHAIN, ENTRIES, HEIGHT, OUTCOMES
from tongbao.store.snapshot.chunks import cut
from tongbao.store.snapshot.history import entries_file, outcomes_file
from tongbao.store.snapshot.manifest import write_manifest


def test_a_snapshot_is_written_as_ever() -> None:
    """Given rows.

    When they are cut, and the manifest is written.
    Then each byte is as it was frozen.
    """
    check_golden("snapshot.json", "manifest", write_manifest(manifest_of(ROWS)).decode())
    chunks = {chunk.prefix: data.hex() for chunk, data in cut(ROWS, SMALL)}
    check_golden("snapshot.json", "chunks", chunks)


def test_history_is_written_as_ever() -> None:
    """Given outcomes and local rows.

    When they are written.
    Then each byte is as it was frozen.
    """
    outcomes = b"".join(outcomes_file(CHAIN, HEIGHT, OUTCOMES[:3]))
    entries = b"".join(entries_file(CHAIN, HEIGHT, ENTRIES[:3]))
    check_golden("snapshot.json", "history/outcomes", outcomes.hex())
    check_golden("snapshot.json", "history/entries", entries.hex())
