"""Whether a disk has space again: only a write tells, for quotas and limits count as well."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tongbao.store.disk import Disk
from tongbao.store.log import FULL
from tongbao.store.sites import Site

NAME: Final = "room"
ROOM_BYTES: Final = 8 * 1024 * 1024
"""More than the largest block needs with its receipts and rows."""


def has_room(disk: Disk, folder: Path, size: int = ROOM_BYTES) -> bool:
    """Whether a file of so many bytes fits into a folder; it is removed again. Raises OSError."""
    path = folder / NAME
    give_back(disk, folder)
    try:
        file = disk.append_to(path, Site.ROOM_FILE)
        try:
            file.write(bytes(size), Site.ROOM_WRITE)
        finally:
            file.close()
            disk.remove(path, Site.ROOM_BACK)
    except OSError as error:
        if error.errno in FULL:
            return False
        raise
    return True


def give_back(disk: Disk, folder: Path) -> None:
    """Remove the file that a process left which was killed while it looked for space."""
    disk.remove(folder / NAME, Site.ROOM_LEFT_OVER)
