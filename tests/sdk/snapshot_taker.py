"""A program that takes a snapshot and is killed at a stage: `FOLDER TARGET STAGE`.

It kills itself when the stage is told to be going on, as `kill -9` would.
"""

from __future__ import annotations

import os
import signal
import sys

from tongbao.sdk.snapshots import take

STAGES = ("copy", "rows", "chunks", "outcomes", "entries", "headers", "verify")
SMALL = 300
"""So few bytes a chunk that a small chain has several."""


def main(folder: str, target: str, killed_at: str) -> None:
    """Take it."""

    def progress(stage: str, done: int, total: int) -> None:
        if stage == killed_at:
            os.kill(os.getpid(), signal.SIGKILL)

    take(folder, target, progress, chunk_bytes=SMALL)


if __name__ == "__main__":
    main(*sys.argv[1:])
