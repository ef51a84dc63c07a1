"""A program that imports a snapshot and is killed at a stage: `SNAPSHOT FOLDER STAGE`.

It kills itself when the stage is told to be going on, as `kill -9` would.
"""

from __future__ import annotations

import os
import signal
import sys

from tongbao.sdk.snapshot_import import import_snapshot

IMPORT_STAGES = ("verify", "entries", "outcomes", "headers")


def main(snapshot: str, folder: str, killed_at: str) -> None:
    """Import it."""

    def progress(stage: str, done: int, total: int) -> None:
        if stage == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    import_snapshot(snapshot, folder, progress=progress)


if __name__ == "__main__":
    main(*sys.argv[1:])
