"""Exports the chain in a folder, to be killed at work: FOLDER TARGET."""

from __future__ import annotations

import sys

from tests.sdk.kept_chain import PASSPHRASE
from tongbao.sdk.genesis_export import export

if __name__ == "__main__":
    export(
        sys.argv[1],
        sys.argv[2],
        "network",
        passphrase=PASSPHRASE,
        progress=lambda stage, done, total: print(stage, flush=True),
    )
    print("done", flush=True)
