"""A program that begins a chain and is killed at one step after another.

`python cut_short.py FOLDER` begins a chain in `FOLDER/keys-0`, `FOLDER/keys-1` and so on. The
process that works in `FOLDER/keys-N` kills itself before its step `N`: a change of a name, or the
opening of a file to write, as Python's audit events tell. Once keys are made, it goes on with
`FOLDER/files-0` and so on, where keys that cost little were made before. It prints each folder and
what the step would have been, and leaves a chain with no step missing in `FOLDER/whole`.
"""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import Any, Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.sdk.kept_chain import ALONE, PASSPHRASE, with_cheap_keys
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import create_chain

NAMES: Final = (
    "os.mkdir",
    "os.link",
    "os.rename",
    "os.remove",
    "os.truncate",
    "shutil.rmtree",
)
WHOLE: Final = "whole"
KEYS: Final = 2
WRITES: Final = os.O_WRONLY | os.O_RDWR | os.O_CREAT


class Steps:
    """Counts the steps below a folder, and kills this process before one of them."""

    def __init__(self, folder: Path, last: int) -> None:
        """Let so many steps happen."""
        self._name = folder.name
        self._folder = str(folder)
        self._left = last

    def __call__(self, event: str, details: tuple[Any, ...]) -> None:
        """Hear of an event of the interpreter."""
        match event, details:
            case "open", (str() as path, _, int(flags)) if flags & WRITES:
                self._step(event, path)
            case name, (str() | os.PathLike() as path, *_) if name in NAMES:
                self._step(event, os.fspath(path))

    def _step(self, event: str, path: str) -> None:
        if not path.startswith(self._folder):
            return
        if self._left == 0:
            inside = path.removeprefix(self._folder).lstrip("/")
            print(f"{self._name}: {event} {inside}", flush=True)
            os.kill(os.getpid(), signal.SIGKILL)
        self._left -= 1


def work(folder: Path, last: int | None) -> None:
    """Begin a chain in a folder; killed after `last` steps."""
    if last is not None:
        sys.addaudithook(Steps(folder, last))
    chain, _ = create_chain(folder, passphrase=PASSPHRASE, name="cut", options=ALONE)
    chain.close()


def killed(folder: Path, last: int | None = None) -> bool:
    """Let a process begin a chain, and say whether it was killed before its end."""
    child = os.fork()
    if child == 0:
        work(folder, last)
        os._exit(0)
    _, ended = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(ended) == -signal.SIGKILL


def main(folder: Path) -> None:
    """Let one process after the other be killed a step later."""
    last = 0
    while killed(folder / f"keys-{last}", last):
        last += 1
        if len(Keystore(folder / f"keys-{last - 1}" / "keys").names()) == KEYS:
            break
    last = 0
    while killed(with_cheap_keys(folder / f"files-{last}"), last):
        last += 1
    (folder / f"files-{last}").rename(folder / WHOLE)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
