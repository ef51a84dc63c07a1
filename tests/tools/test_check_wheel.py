"""What is built is looked into, and a program that fails is told with what it printed."""

from __future__ import annotations

import re
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from tools.check_wheel import NEEDED, check_contents
from tools.running import WheelError, run


def packed(folder: Path, names: list[str]) -> tuple[Path, Path]:
    """A wheel and an sdist that hold empty files of these names."""
    wheel, sdist, empty = folder / "a.whl", folder / "a.tar.gz", folder / "empty"
    empty.touch()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in names:
            archive.write(empty, name)
    with tarfile.open(sdist, "w:gz") as archive:
        for name in names:
            archive.add(empty, f"a/{name}")
    return wheel, sdist


def test_a_wheel_without_something_needed_is_refused(tmp_path: Path) -> None:
    """
    Given builds with all that is needed, and each without one of it, such as the licence,
    when their contents are checked,
    then the first passes, and the others are refused by the name of what is missing.
    """
    check_contents(*packed(tmp_path, list(NEEDED)))
    for missing in NEEDED:
        others = [name for name in NEEDED if name != missing]
        with pytest.raises(WheelError, match=rf"^a\.whl holds no {re.escape(missing)}$"):
            check_contents(*packed(tmp_path, others))


def test_a_program_that_fails_is_told_with_its_output() -> None:
    """Given a failing program, when it is run, then the error has its exit code and its words."""
    with pytest.raises(WheelError, match=r"exited with 3\nout\n$"):
        run(sys.executable, "-c", "print('out'); raise SystemExit(3)")
