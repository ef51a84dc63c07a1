"""What stops the demonstration, and what to do about it: its chain is a throw-away."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tongbao.kernel import GenesisError
from tongbao.kernel.assertions import AssertionsAreOff
from tongbao.sdk.announced import ModuleError
from tongbao.sdk.folder import FolderError
from tongbao.sdk.keystore_errors import BadKeyFile, KeyNotFound, KeystoreError, WrongPassphrase
from tongbao.store.errors import DamagedLog, FolderInUse, StoreError, WrongChain, WrongVersion

DEFAULT_FOLDER: Final = Path("build/purchases")
STOPPED: Final = 70
"""The exit code of a node that has ended by itself."""
CONFIGURATION: Final = 78
"""The exit code of a genesis file that what is installed does not fit."""
FILE: Final = 74
"""The exit code of a file that can't be read or written."""
EXPECTED: Final = (
    *(AssertionsAreOff, FolderError, GenesisError, KeystoreError, ModuleError, OSError),
    StoreError,
)
"""What can be wrong with a folder; anything else is a bug of ours, and keeps its traceback."""
USELESS: Final = (
    *(FolderError, GenesisError, ModuleError),
    *(BadKeyFile, KeyNotFound, WrongPassphrase),
    *(DamagedLog, WrongChain, WrongVersion),
)
"""After these no chain goes on in the folder: a new one begins in its place."""


class DemoError(Exception):
    """The demonstration can't go on: what is wrong, what to do, and the exit code."""

    def __init__(self, text: str, advice: str, exit_code: int) -> None:
        """Carry what is wrong, what to do (else the code's own advice), and the exit code."""
        super().__init__(text)
        self.advice = advice
        self.exit_code = exit_code


def begin_anew(folder: Path) -> str:
    """How to begin again where no chain can go on."""
    again = "make run"
    if folder != DEFAULT_FOLDER:
        again = f"tongbao demo purchases --folder {folder}"
    return f"remove {folder}, then: {again}"


def unusable(folder: Path, error: Exception) -> DemoError:
    """What one of EXPECTED means for the demonstration's folder."""
    code = getattr(error, "exit_code", CONFIGURATION if isinstance(error, GenesisError) else FILE)
    advice: str = getattr(error, "advice", "")
    if isinstance(error, USELESS):
        advice = begin_anew(folder)
    elif isinstance(error, FolderInUse):
        advice = "stop the other run, or name another folder with --folder"
    elif isinstance(error, KeystoreError):
        advice = "do what it says, then start again"
    return DemoError(" ".join(str(error).split()), advice, code)
