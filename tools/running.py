"""Running programs to their end, and environments that hold a lock and a wheel, nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]


class WheelError(Exception):
    """What was built does not do what it must; says what."""


def run(*command: str | Path, folder: Path = ROOT) -> str:
    """Run a program to its end and return what it printed; raises WheelError when it fails."""
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "TONGBAO"))
    }
    ended = subprocess.run(
        command,
        cwd=folder,
        env=clean,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode:
        words = " ".join(map(str, command))
        raise WheelError(f"{words} exited with {ended.returncode}\n{ended.stdout}{ended.stderr}")
    return ended.stdout


def make_environment(home: Path, lock: Path, wheel: Path) -> Path:
    """Make an environment of what a lock names and a wheel; returns its programs' folder."""
    run(sys.executable, "-m", "venv", home)
    programs = home / "bin"
    pip = (programs / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--require-hashes", "--requirement", lock)
    run(*pip, "--no-deps", wheel)
    return programs
