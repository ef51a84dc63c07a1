"""Programs of ours as another system user, who can't enter the folders of who runs the tests."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import Final

import pytest

SYSTEM: Final = Path("/usr/bin/python3")
ROOT: Final = Path(__file__).resolve().parents[2]
VERSION: Final = "import sys; print('%d.%d' % sys.version_info[:2])"


def _is_open_to_all(path: Path) -> bool:
    """Whether every user may come to a file or folder and read it."""
    real = path.resolve()
    above = all(folder.stat().st_mode & stat.S_IXOTH for folder in real.parents)
    return above and bool(real.stat().st_mode & stat.S_IROTH)


def _python() -> str | None:
    """A Python of this version that every user may run."""
    here = Path(sys.executable)
    if _is_open_to_all(here):
        return str(here)
    if not SYSTEM.exists():
        return None
    said = subprocess.run([SYSTEM, "-c", VERSION], capture_output=True, text=True, check=True)
    wanted = f"{sys.version_info[0]}.{sys.version_info[1]}"
    return str(SYSTEM) if said.stdout.strip() == wanted else None


def python_for_all() -> tuple[str, dict[str, str]]:
    """That Python, and the variables by which it finds our packages.

    Where there is none, or nobody else may enter the checkout, the test is skipped.
    """
    packages = Path(sysconfig.get_path("purelib"))
    found = _python()
    if os.geteuid() or found is None or not _is_open_to_all(packages):
        pytest.skip(
            "NOT TESTED: run as root, in a checkout that every user may enter, with a Python "
            f"{sys.version_info[0]}.{sys.version_info[1]} that every user may run"
        )
    return found, {"PYTHONPATH": f"{ROOT / 'src'}:{packages}", "PATH": os.environ["PATH"]}
