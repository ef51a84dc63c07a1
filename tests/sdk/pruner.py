"""Prunes the chain in a folder, to be killed at work: FOLDER KEEP-BLOCKS."""

from __future__ import annotations

import sys

from tongbao.sdk.pruning import prune

if __name__ == "__main__":
    report = prune(
        sys.argv[1], int(sys.argv[2]), lambda stage, done, total: print(stage, flush=True)
    )
    print("pending" if report.is_pending else "done", flush=True)
