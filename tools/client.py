"""Build and test the TypeScript client: `python -m tools.client`.

What is installed and built stays in `clients/typescript`, which git ignores, until its lock or its
sources change.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
CLIENT: Final = ROOT / "clients" / "typescript"
PROGRAMS: Final = ("node", "npm")


def run(*command: str, folder: Path = CLIENT) -> None:
    """Run a program in the client's folder. Raises CalledProcessError, with what it printed."""
    ended = subprocess.run(
        command,
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ended.returncode != 0:
        print(ended.stdout, flush=True)
        ended.check_returncode()


def build(folder: Path = CLIENT, program: str = "index.js") -> Path:
    """Install what the lock names, compile, and give the folder of the compiled modules."""
    installed = folder / "node_modules" / ".package-lock.json"
    if is_older(installed, folder / "package-lock.json"):
        run("npm", "ci", "--no-audit", "--no-fund", folder=folder)
    made = folder / "dist"
    sources = [folder / "tsconfig.json", installed, *(folder / "src").glob("*.ts")]
    if is_older(made / program, *sources):
        shutil.rmtree(made, ignore_errors=True)
        run("npm", "run", "build", folder=folder)
    return made


def is_older(made: Path, *sources: Path) -> bool:
    """Whether something is to be made again."""
    return not made.exists() or made.stat().st_mtime < max(one.stat().st_mtime for one in sources)


def main() -> int:
    """Build and test; 1 when a test fails or, in CI, when Node.js is missing."""
    missing = [name for name in PROGRAMS if shutil.which(name) is None]
    if missing:
        print(f"client: NOT TESTED: {', '.join(missing)} is not installed: Node.js 20 or newer")
        return 1 if os.environ.get("CI") == "true" else 0
    try:
        build()
        run("npm", "test")
    except subprocess.CalledProcessError as error:
        print(f"client: FAILED: {' '.join(error.cmd)}")
        return 1
    count = len(list((CLIENT / "tests").glob("*.test.mjs")))
    print(f"client: built, and {count} files of tests passed")
    return 0


if __name__ == "__main__":
    sys.exit(main())
