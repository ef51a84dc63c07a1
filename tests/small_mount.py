"""Programs that lay a small, real file system over a folder, which nobody else sees."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType
from typing import Final

import pytest

CANNOT_MOUNT: Final = 69
"""Exit code of a program on a machine that lets nobody mount."""
BLOCK_BYTES: Final = 4_096


def mount(folder: Path, size: str) -> bool:
    """Lay a file system of a size, such as `8m`, over a folder; False where that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(folder)]
    return subprocess.run(command, check=False).returncode == 0


def fill(path: Path, *, but: int = 0) -> None:
    """Take all the space that is left, `but` so many bytes, for one file."""
    with path.open("wb", buffering=0) as file:
        try:
            while True:
                file.write(bytes(BLOCK_BYTES))
        except OSError:
            if but:
                file.truncate(file.tell() - but)


def play(program: ModuleType, *arguments: str) -> str:
    """Run a program that mounts, in a name space of its own; what it printed.

    Where nobody may mount, the test is skipped and says so; in CI it fails.
    """
    ended = subprocess.run(
        ["unshare", "-rm", sys.executable, str(program.__file__), *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode in (1, CANNOT_MOUNT) and "Traceback" not in ended.stderr:
        reason = (
            "NOT TESTED: this machine lets nobody mount; run as root, or allow user name spaces "
            "(sysctl kernel.unprivileged_userns_clone=1)"
        )
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    assert ended.returncode == 0, ended.stdout + ended.stderr
    return ended.stdout
