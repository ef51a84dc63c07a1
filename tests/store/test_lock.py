"""A folder belongs to one process at a time."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.store.blocks import CHAIN, block
from tongbao.store.errors import FolderInUse, FolderMissing
from tongbao.store.lock import lock_folder
from tongbao.store.record import line_of
from tongbao.store.store import Store

OPENS = f"""
import sys
from pathlib import Path
from tongbao.store.errors import StoreError
from tongbao.store.store import Store
try:
    Store.open(Path(sys.argv[1]), {CHAIN!r}).close()
except StoreError as error:
    print(error)
    sys.exit(error.exit_code)
"""


def opened_elsewhere(folder: Path) -> tuple[int, str]:
    """The exit code and output of another process that opens the folder."""
    ended = subprocess.run(
        [sys.executable, "-c", OPENS, str(folder)], capture_output=True, text=True, check=False
    )
    return ended.returncode, ended.stdout


def test_a_second_process_is_refused_until_the_first_has_closed(tmp_path: Path) -> None:
    """
    Given a store that is open in this process,
    when another process opens the same folder,
    then it ends with exit code 75 and names this process; after closing it may open it.
    """
    with Store.open(tmp_path, CHAIN) as store:
        store.append(block(0))
        code, text = opened_elsewhere(tmp_path)
        assert code == FolderInUse.exit_code == 75
        assert re.findall(r"process (\d+)", text) == [str(os.getpid())]
    assert opened_elsewhere(tmp_path) == (0, "")


def test_a_second_store_in_one_process_is_refused_too(tmp_path: Path) -> None:
    """
    Given a folder that this process has open,
    when it opens the folder once more,
    then that is refused, and the first store goes on.
    """
    with Store.open(tmp_path, CHAIN) as store:
        with pytest.raises(FolderInUse):
            Store.open(tmp_path, CHAIN)
        store.append(block(0))
        assert store.last == line_of(block(0))


def test_a_folder_that_is_not_there_is_not_made(tmp_path: Path) -> None:
    """
    Given a path without a folder,
    when it is locked,
    then the error says what begins a chain, and nothing is made.
    """
    with pytest.raises(FolderMissing, match="tongbao init"):
        lock_folder(tmp_path / "absent")
    assert list(tmp_path.iterdir()) == []
