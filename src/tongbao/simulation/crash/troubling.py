"""What is done to a folder while no node runs, so that the next start has something to mend."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tongbao.index.history import FILE
from tongbao.sdk.folder import Folder
from tongbao.sdk.opening import open_producer
from tongbao.sdk.pruning import lay_base
from tongbao.simulation.crash.points import Trouble
from tongbao.store.base import base_name
from tongbao.store.frames import SEGMENT_HEAD, read_frame, read_segment_head
from tongbao.store.recovery import segment_path

KEEP_BLOCKS: Final = 10
HALF_A_BLOCK: Final = b"TBRK\0\0\1\0" + bytes(40)


def trouble(folder: Path, kind: Trouble) -> None:
    """Do what a kill in a write, or a person who removes what can be made anew, would leave."""
    match kind:
        case Trouble.TORN_LOG if _is_whole(folder):
            _append(_segments(folder)[-1], HALF_A_BLOCK)
        case Trouble.TORN_SEGMENT if _is_whole(folder):
            _append(segment_path(folder / "log", len(_segments(folder))), bytes(SEGMENT_HEAD // 2))
        case Trouble.TORN_HEADERS:
            _append(folder / "headers", b"\0\0\1\0half a line")
        case Trouble.NO_HEADERS:
            _lose_headers(folder)
        case Trouble.NO_ROWS:
            _lose_rows(folder)
        case Trouble.ONLY_LOG:
            _lose_headers(folder)
            _lose_rows(folder)
        case Trouble.NO_INDEX:
            for path in folder.glob(f"{FILE}*"):
                path.unlink()
        case Trouble.NO_BLOCK:
            for name in ("log", "state"):
                shutil.rmtree(folder / name, ignore_errors=True)
            for path in (folder / "headers", *folder.glob(f"{FILE}*")):
                path.unlink(missing_ok=True)


def trouble_with_base(folder: Path, kind: Trouble) -> None:
    """Lay a base as `tongbao prune` beside a node does it, which removes nothing by itself."""
    height = _lay_base(folder)
    if kind is Trouble.OLD_BASE:
        shutil.copytree(folder / base_name(height), folder / base_name(height - 1))
    if kind is Trouble.BASE_ALONE:
        _lose_rows(folder)


def _lay_base(folder: Path) -> int:
    """Its height. The chain is opened first: a killed start may have left rows without a block."""
    place = Folder(folder)
    genesis = place.genesis()
    open_producer(place, genesis, None)[1].close()
    return lay_base(place, genesis, KEEP_BLOCKS)[0].height


def _lose_headers(folder: Path) -> None:
    (folder / "headers").unlink(missing_ok=True)


def _lose_rows(folder: Path) -> None:
    shutil.rmtree(folder / "state", ignore_errors=True)


def _segments(folder: Path) -> list[Path]:
    return sorted((folder / "log").glob("*.log"))


def _is_whole(folder: Path) -> bool:
    """Whether the last segment ends with a whole block: no write tears what is torn already.

    A start that was killed may have left an earlier tail; the store begins no segment after one.
    """
    data = _segments(folder)[-1].read_bytes()
    head, at = read_segment_head(data), SEGMENT_HEAD
    while head is not None and (frame := read_frame(head.salt, data, at)) is not None:
        at = frame.end
    return head is not None and at == len(data)


def _append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)
