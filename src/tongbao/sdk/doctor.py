"""Look a chain's folder through, explain what is found, and change nothing without being told.

A start mends what a kill can leave. This says beforehand what a start will do, what it would refuse
and why, also beside a node that runs. `tongbao audit` goes further: it counts every block again.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Collection
from contextlib import closing
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.sdk.doctor_case import HEADERS, INDEX_REPAIR, LEFTOVERS, ROWS, Case
from tongbao.sdk.doctor_checks import CHECKS, findings_of
from tongbao.sdk.doctor_finding import Finding, Severity
from tongbao.sdk.folder import Folder
from tongbao.store.lock import lock_folder
from tongbao.store.looking import kept_still

REPAIRS: Final = (ROWS, HEADERS, INDEX_REPAIR, LEFTOVERS)
"""What can be removed when it is damaged, because the log makes it again or nobody needs it."""

Progress = Callable[[str, int, int], None]
"""Told a stage's name, how much of it is done, and how much it is."""


class Report(Struct, frozen=True, kw_only=True):
    """What was found in a folder. `process` has it open, "" where nobody has; `chain` may be ""."""

    folder: str
    chain: str
    process: str
    findings: tuple[Finding, ...]

    def of(self, severity: Severity) -> tuple[Finding, ...]:
        """The findings of one severity."""
        return tuple(each for each in self.findings if each.severity is severity)

    @property
    def exit_code(self) -> int:
        """0, or that of the first broken finding: what everything after it depends on."""
        return next((each.exit_code for each in self.of(Severity.BROKEN)), 0)


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def examine(folder: Path | str, *, is_deep: bool = False, progress: Progress = silent) -> Report:
    """Check the folder of a chain; no byte of it changes.

    Nobody can open it meanwhile unless somebody has. With `is_deep` the root over all rows is made
    again, which takes as long as a start. Raises FolderError where there is no folder, OSError.
    """
    place = Folder(folder)
    if not place.path.is_dir():
        place.genesis()  # which says so
    with kept_still(place.path) as holder:
        return _examined(place, holder, is_deep=is_deep, progress=progress)


def _examined(
    place: Folder, holder: str, *, is_deep: bool = False, progress: Progress = silent
) -> Report:
    found: list[Finding] = []
    with closing(Case(place, holder, is_deep=is_deep)) as case:
        for at, (name, check) in enumerate(CHECKS, 1):
            found += findings_of(name, check, case)
            progress("checks", at, len(CHECKS))
        return Report(
            folder=str(place.path), chain=case.chain, process=holder, findings=tuple(found)
        )


def repair(folder: Path | str, asked: Collection[str], *, is_deep: bool = False) -> list[str]:
    """Remove what is named in `asked` as far as it is damaged or left over; what was removed.

    `log/`, `keys/` and `genesis.json` are never touched, and rows and headers are left while the
    log is not whole: they are evidence then. Raises FolderError, FolderInUse, OSError.
    """
    assert set(asked) <= set(REPAIRS)
    place = Folder(folder)
    place.genesis()
    descriptor = lock_folder(place.path)
    try:
        report = _examined(place, "", is_deep=is_deep)
        paths = [
            Path(path)
            for finding in report.findings
            if finding.repair in asked and finding.repair
            for path in finding.paths
        ]
        return [str(path) for path in dict.fromkeys(paths) if _removed(path)]
    finally:
        os.close(descriptor)


def _removed(path: Path) -> bool:
    """Remove a file or folder; whether there was one."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    elif os.path.lexists(path):
        path.unlink()
    else:
        return False
    return True
