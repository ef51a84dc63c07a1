"""Samples where a process's CPU time goes; Python imports this file at the start of each process.

It does so where this folder is in PYTHONPATH, and it does something where TONGBAO_BENCH_SAMPLES
names a folder: a thread looks at the stacks of all others, and counts for each the nanoseconds that
its thread has run since the last look (`schedstat` of proc(5)). A line of JSON a second goes into a
file named after the process. Only the standard library is here, and nothing is replaced.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from types import CodeType, FrameType

VARIABLE = "TONGBAO_BENCH_SAMPLES"
EVERY_S = 0.008
WRITE_S = 0.5
SWITCH_S = 0.0005
"""How long a thread of Python may go on when another waits: the usual 5 ms would make this one
look mostly where somebody has let go by himself."""
DEPTH = 60
ROOTS = ("/site-packages/", "/src/", "/lib/python")

_labels: dict[CodeType, str] = {}


def label_of(code: CodeType) -> str:
    """A function as its file, from the package on, and its name."""
    found = _labels.get(code)
    if found is None:
        path = code.co_filename
        for root in ROOTS:
            path = path.rpartition(root)[2]
        found = _labels[code] = f"{path}:{code.co_name}"
    return found


def stack_of(frame: FrameType | None) -> str:
    """A stack as text, the innermost function first."""
    found: list[str] = []
    while frame is not None and len(found) < DEPTH:
        found.append(label_of(frame.f_code))
        frame = frame.f_back
    return ";".join(found)


def ran_ns(thread: int) -> int:
    """Nanoseconds for which a thread has had a processor."""
    return int(Path(f"/proc/self/task/{thread}/schedstat").read_text().split()[0])


def watch(target: Path) -> None:
    """Look again and again until the process ends."""
    never = threading.Event()
    own = threading.get_native_id()
    before: dict[int, int] = {}
    while True:
        stacks: Counter[str] = Counter()
        until = time.monotonic() + WRITE_S
        while time.monotonic() < until:
            never.wait(EVERY_S)
            frames = sys._current_frames()
            for thread in threading.enumerate():
                number = thread.native_id
                if number is None or number == own:
                    continue
                with suppress(OSError):  # it has just ended
                    ran = ran_ns(number)
                    used = ran - before.get(number, ran)
                    before[number] = ran
                    if used and thread.ident in frames:
                        stacks[stack_of(frames[thread.ident])] += used
        line = json.dumps({"at": time.monotonic(), "stacks": stacks})
        with target.open("a") as file:
            file.write(line + "\n")


if VARIABLE in os.environ:
    sys.setswitchinterval(SWITCH_S)
    place = Path(os.environ[VARIABLE]) / f"{os.getpid()}.jsonl"
    threading.Thread(target=watch, args=(place,), name="sampling", daemon=True).start()
