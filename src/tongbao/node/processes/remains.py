"""What a node that was killed has left for a moment: processes that the system is still ending.

Its supervisor is gone, and its processes end with it; until they have, the port and the folder are
theirs. Who starts the node again at once should not be told that these are taken.
"""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from tongbao.sdk.presence import process_of

PREFIX: Final = b"tongbao.node.processes."
PATIENCE_S: Final = 10.0
MS: Final = 1_000


def await_remains(folder: Path, seconds: float = PATIENCE_S) -> None:
    """Wait until the processes of a node of this folder that was killed have ended, or so long."""
    supervisor = process_of(folder)
    if supervisor is not None and _lives(supervisor):
        return  # somebody else runs it: what is taken will be told
    until = time.monotonic() + seconds
    for process in _of(folder):
        with suppress(ProcessLookupError):
            descriptor = os.pidfd_open(process)
            poll = select.poll()
            poll.register(descriptor, select.POLLIN)
            poll.poll(max(0.0, until - time.monotonic()) * MS)
            os.close(descriptor)


def _of(folder: Path) -> Iterator[int]:
    """The processes that a supervisor has started for a folder, which is their last argument."""
    wanted = os.fsencode(folder.absolute())
    for path in Path("/proc").iterdir():
        if not path.name.isdecimal():
            continue
        with suppress(OSError):
            said = (path / "cmdline").read_bytes().split(b"\0")
            if wanted in said and any(part.startswith(PREFIX) for part in said):
                yield int(path.name)


def _lives(process: int) -> bool:
    """Whether a process runs; one that has ended and was not asked for its code does not."""
    with suppress(OSError):
        stat = Path(f"/proc/{process}/stat").read_text(encoding="utf-8", errors="replace")
        return stat.rpartition(") ")[2][:1] != "Z"
    return False
