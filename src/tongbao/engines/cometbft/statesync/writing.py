"""Changing files so that a process may die at any of the steps."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterable
from pathlib import Path


def untold(step: str) -> None:
    """Nobody is told of a step."""


class Writing:
    """Each change of the disk, one step after the other; `before` is told of a step to come.

    All raise OSError.
    """

    def __init__(self, before: Callable[[str], None] = untold) -> None:
        """Change the disk; tests let the process die at a step."""
        self._before = before

    def folder(self, path: Path) -> None:
        """Make a folder, with those above it."""
        self._before(f"make {path.name}")
        path.mkdir(mode=0o750, parents=True, exist_ok=True)

    def file(self, path: Path, pieces: Iterable[bytes]) -> None:
        """Write a file whose bytes are durable before it has its name."""
        part = path.with_name(f"{path.name}.part")
        self._before(f"write {path.name}")
        with part.open("wb") as file:
            for piece in pieces:
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        self._before(f"name {path.name}")
        part.replace(path)

    def sync(self, folder: Path) -> None:
        """Make the names in a folder durable."""
        self._before(f"sync {folder.name}")
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)

    def rename(self, old: Path, new: Path) -> None:
        """Give a folder another name beside it, durably."""
        self._before(f"rename {old.name}")
        old.rename(new)
        self.sync(new.parent)

    def remove(self, path: Path) -> None:
        """Remove a file, or a folder with all that is in it; nothing happens where none is."""
        self._before(f"remove {path.name}")
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink(missing_ok=True)
