"""What the doctor finds in a folder, and the folder's bytes before and after."""

from __future__ import annotations

from pathlib import Path

from msgspec import Struct

from tongbao.sdk.doctor import examine
from tongbao.sdk.doctor_finding import Severity


def bytes_of(folder: Path) -> dict[str, tuple[int, int, bytes]]:
    """Every file and folder: mode, time of the last change, and bytes."""
    return {
        str(path.relative_to(folder)): (
            path.stat().st_mode,
            path.stat().st_mtime_ns,
            path.read_bytes() if path.is_file() else b"",
        )
        for path in sorted(folder.rglob("*"))
    }


class Found(Struct, frozen=True):
    """What is not fine, and the exit code that comes of it."""

    findings: tuple[tuple[str, Severity], ...]
    exit_code: int = 0


def found_in(folder: Path, *, is_deep: bool = False) -> tuple[Found, str]:
    """What the doctor finds, and all that it says; nothing in the folder has changed."""
    before = bytes_of(folder)
    report = examine(folder, is_deep=is_deep)
    assert bytes_of(folder) == before
    unwell = [each for each in report.findings if each.severity is not Severity.FINE]
    said = "\n".join(f"{each.check}: {each.text}; {each.do}" for each in unwell)
    return Found(tuple((each.check, each.severity) for each in unwell), report.exit_code), said
