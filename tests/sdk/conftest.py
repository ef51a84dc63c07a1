"""What several tests of folders begin with."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.sdk.kept_chain import Kept


@pytest.fixture
def kept(original: Kept, tmp_path: Path) -> Kept:
    """A closed chain of one's own, copied from the `original` of the test's file."""
    folder = tmp_path / "chain"
    shutil.copytree(original.folder, folder)
    return replace(original, folder=folder)
