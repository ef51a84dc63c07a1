"""A program that moves a chain through a snapshot, with the code that is installed: `FOLDER PLACE`.

It prints whether the entries are the snapshot's own, and what the audit of the new folder finds.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tongbao.sdk.audit import audit_folder
from tongbao.sdk.snapshot_import import import_snapshot
from tongbao.sdk.snapshots import take
from tongbao.store.base import base_name
from tongbao.store.snapshot.names import HISTORY


def main(folder: Path, place: Path) -> None:
    """Take, import, audit."""
    report = take(folder, place / "snapshot")
    import_snapshot(place / "snapshot", place / "imported")
    entries = [
        (each / HISTORY / "entries").read_bytes()
        for each in (place / "snapshot", place / "imported" / base_name(report.height))
    ]
    audit = audit_folder(place / "imported")
    print(json.dumps([entries[0] == entries[1], audit.findings]))


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
