"""Files that are whole under their names or not there, and folders that say so durably."""

from __future__ import annotations

import os
from pathlib import Path

from tongbao.sdk.folder import PARTIAL, sync_folder


def make_folder(path: Path) -> None:
    """A folder that its user alone may read, durably; it may be there already."""
    if path.is_dir():
        return
    path.mkdir(mode=0o700, exist_ok=True)
    sync_folder(path.parent)


def link_file(path: Path, spooled: Path) -> bool:
    """Give a synced file a name durably; False where something has it, which stays as it is."""
    try:
        path.hardlink_to(spooled)
    except FileExistsError:
        return False
    sync_folder(path.parent)
    return True


def remove_file(path: Path) -> bool:
    """Remove a file durably; False where there is none."""
    try:
        path.unlink()
    except FileNotFoundError:
        return False
    sync_folder(path.parent)
    return True


def sizes_in(folder: Path) -> list[tuple[str, int]]:
    """Names and sizes in a folder, sorted, without files in making; none where there is none."""
    try:
        with os.scandir(folder) as entries:
            found = []
            for entry in entries:
                if entry.name.startswith("."):
                    continue
                try:
                    found.append((entry.name, entry.stat().st_size))
                except FileNotFoundError:
                    continue  # removed meanwhile
    except FileNotFoundError:
        return []
    return sorted(found)


def sweep_partial(folder: Path) -> None:
    """Remove what a program that was killed had in making."""
    for path in folder.glob(f"{PARTIAL}*"):
        path.unlink(missing_ok=True)
