"""What a check of `doctor` says."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

from msgspec import Struct

from tongbao.kernel import GenesisError
from tongbao.store.errors import StoreError

EXIT_CODES: Final = ((GenesisError, 78), (Exception, StoreError.exit_code))
"""Of errors that carry none of their own."""


class Severity(StrEnum):
    """How much a finding matters."""

    FINE = "fine"
    NOTE = "note"
    MENDS = "mends itself"
    BROKEN = "broken"


class Finding(Struct, frozen=True, kw_only=True):
    """What one check has to say.

    `do` is what a person should do, unless `text` says it; `exit_code` is 0 unless it is broken.
    `repair` names what `--repair` would remove, at `paths`; "" where that would mend nothing.
    """

    check: str
    severity: Severity
    text: str
    do: str = ""
    exit_code: int = 0
    repair: str = ""
    paths: tuple[str, ...] = ()


def exit_code_of(error: Exception) -> int:
    """The code that an error carries, else that of its kind."""
    kind = next(code for each, code in EXIT_CODES if isinstance(error, each))
    code = getattr(error, "exit_code", kind)
    return code if isinstance(code, int) else kind


def fine(check: str, text: str) -> Finding:
    """Nothing is wrong."""
    return Finding(check=check, severity=Severity.FINE, text=text)


def note(check: str, text: str, do: str = "") -> Finding:
    """Something to know, with what to do, if anything."""
    return Finding(check=check, severity=Severity.NOTE, text=text, do=do)


def mends(check: str, text: str) -> Finding:
    """Damage that the next start mends by itself."""
    return Finding(check=check, severity=Severity.MENDS, text=text)


def broken(check: str, error: Exception) -> Finding:
    """What a person must do something about, with the code of its error."""
    return Finding(
        check=check,
        severity=Severity.BROKEN,
        text=str(error),
        do=getattr(error, "advice", ""),
        exit_code=exit_code_of(error),
    )


def missing(check: str, blocks: int) -> Finding:
    """A file that the log makes again, which has so many blocks."""
    if not blocks:
        return fine(check, "there are none yet")
    return mends(check, f"there are none: they are made again from the log's {blocks} blocks")
