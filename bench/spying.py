"""Sampling processes from outside, by py-spy: what it reads out of their memory costs them nothing.

A thread inside of a process gets its turn mostly where another lets go by itself, around calls of C
code, and finds too much there; a look from outside comes at any moment. It needs the right to read
the memory of processes that others have started (`CAP_SYS_PTRACE`, or root). It is installed by
`python -m bench.spying`, as by the first profile.
"""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from bench.sampling.sitecustomize import ROOTS
from tools.cometbft import TOOLS, InstallError, run

WANTED = "py-spy==0.4.3"
HOME = TOOLS / "py-spy"
PROGRAM = HOME / "bin" / "py-spy"
PER_S = 100
LONGEST_S = 3_600
STOP_S = 60
FRAME = re.compile(r"^(.*) \((.*?)(?::\d+)?\)$")
LINE = re.compile(r"^(.*) (\d+)$")


class SpyError(Exception):
    """It can't look; the text says why and what to do."""


def find() -> Path:
    """The program, installed into an environment of its own if it isn't there. Raises SpyError."""
    if PROGRAM.exists():
        return PROGRAM
    try:
        run(sys.executable, "-m", "venv", "--clear", HOME)
        pip = ("-m", "pip", "--disable-pip-version-check", "--no-input", "install", "--quiet")
        run(HOME / "bin" / "python", *pip, WANTED)
    except InstallError as error:
        raise SpyError(f"{error}\nGive this machine a network, or look with --within") from error
    return PROGRAM


class Spies:
    """One look at each of some processes, all at the same time."""

    def __init__(self, folder: Path, processes: Iterable[int]) -> None:
        """Begin to look; files go into a folder. Raises SpyError."""
        program = find()
        self._files = {pid: folder / f"{pid}.raw" for pid in processes}
        options = ("--nonblocking", "--full-filenames", "-f", "raw", "-r", str(PER_S))
        command = (str(program), "record", *options, "-d", str(LONGEST_S))
        self._spies = {
            pid: subprocess.Popen(
                [*command, "-p", str(pid), "-o", str(file)],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                start_new_session=True,
            )
            for pid, file in self._files.items()
        }

    def end(self) -> dict[int, Counter[str]]:
        """Look no more: how often each stack was seen, innermost function first.

        Raises SpyError.
        """
        for spy in self._spies.values():
            spy.send_signal(signal.SIGINT)
        found = {}
        for pid, spy in self._spies.items():
            _, said = spy.communicate(timeout=STOP_S)
            if not self._files[pid].exists():
                raise SpyError(f"py-spy can't look at a process: {said.decode()}\nLook --within")
            found[pid] = stacks_of(self._files[pid].read_text())
        return found


def stacks_of(text: str) -> Counter[str]:
    """Stacks of py-spy's raw form, as `sampling/` writes them."""
    found: Counter[str] = Counter()
    for line in text.splitlines():
        matched = LINE.match(line)
        assert matched, line
        frames = [label_of(frame) for frame in reversed(matched[1].split(";"))]
        found[";".join(frames)] += int(matched[2])
    return found


def label_of(frame: str) -> str:
    """A function as its file, from the package on, and its name."""
    matched = FRAME.match(frame)
    if matched is None:
        return f":{frame}"
    path = matched[2]
    for root in ROOTS:
        path = path.rpartition(root)[2]
    return f"{path}:{matched[1].rpartition('.')[2]}"


if __name__ == "__main__":
    print(f"py-spy is in {find()}")
