"""What a supervisor and its processes say to each other."""

from __future__ import annotations

import traceback
from typing import Any, Final

from msgspec import Struct

from tongbao.kernel.kernel_module import ModuleLine
from tongbao.node.settings import Settings

GAVE_UP: Final = 70


class Orders(Struct, frozen=True, kw_only=True, tag=0):
    """What a process is started with. `sockets` is the node's private folder.

    `passphrase` is for the core alone, `modules` are what the core has told. A front gets the
    listening socket along. Whoever has the `local_token` is of this machine.
    """

    role: str
    number: int
    folder: str
    sockets: str
    settings: Settings
    address: str
    counts: dict[str, int]
    passphrase: str | None = None
    local_token: str = ""
    modules: tuple[ModuleLine, ...] = ()


class Stop(Struct, frozen=True, tag=1):
    """Finish what is under way, and end."""


class Ready(Struct, frozen=True, tag=2):
    """The process does its work. A core tells the chain, its height, and which modules decide."""

    chain: str = ""
    height: int = -1
    modules: tuple[ModuleLine, ...] = ()


class Failed(Struct, frozen=True, tag=3):
    """An error ends the process: its classes, the most special one first, and what it carries."""

    names: tuple[str, ...]
    text: str
    exit_code: int | None
    advice: str
    number: int | None
    file: str | None
    trace: str


class Stopped(Struct, frozen=True, tag=4):
    """The process has ended in order. A core tells the height."""

    height: int = -1


FromSupervisor = Orders | Stop
FromChild = Ready | Failed | Stopped


class ProcessError(Exception):
    """What ended a process of the node; the class has the name that it had there."""


class GaveUp(Exception):
    """A process of the node ends again and again."""

    exit_code = GAVE_UP
    advice = "the log above tells why; what was answered is durable"


def told(error: BaseException) -> Failed:
    """An error as a message."""
    code = getattr(error, "exit_code", None)
    system = error if isinstance(error, OSError) else None
    return Failed(
        names=tuple(kind.__name__ for kind in type(error).__mro__[:-2]),
        text=str((system and system.strerror) or error),
        exit_code=code if isinstance(code, int) else None,
        advice=str(getattr(error, "advice", "")),
        number=None if system is None else system.errno,
        file=None if system is None or system.filename is None else str(system.filename),
        trace="".join(traceback.format_exception(error)),
    )


def error_of(failed: Failed) -> Exception:
    """The error again: shown as the one in the process would be."""
    if failed.number is not None:
        parts = (failed.number, failed.text)
        return OSError(*parts) if failed.file is None else OSError(*parts, failed.file)
    kind: type[Exception] = ProcessError
    for name in reversed(failed.names):
        kind = type(name, (kind,), {})
    members: dict[str, Any] = {"advice": failed.advice}
    if failed.exit_code is not None:
        members["exit_code"] = failed.exit_code
    last: type[Exception] = type(kind.__name__, (kind,), members)
    error = last(failed.text)
    error.add_note(failed.trace)
    return error
