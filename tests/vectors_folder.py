"""Where the test material of others lies, which is not part of this repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE = Path(__file__).resolve().parents[2] / "shared" / "vectors"


def vectors(name: str) -> Path:
    """The folder `name` of `../shared/vectors`, or of TONGBAO_VECTORS where that is set.

    Absent, the test is skipped and says so; in CI it fails.
    """
    base = Path(os.environ.get("TONGBAO_VECTORS") or _BESIDE)
    folder = base / name
    if folder.is_dir():
        return folder
    reason = (
        f"NOT TESTED against the world: {folder} is not there. Lay the folder shared/ with its "
        f"vectors beside this checkout, or set TONGBAO_VECTORS to where the vectors are."
    )
    if os.environ.get("CI") == "true":
        pytest.fail(reason)
    pytest.skip(reason)
