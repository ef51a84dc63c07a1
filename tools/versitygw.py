"""Install the Versity S3 Gateway into `.tools/bin`, for tests: `python -m tools.versitygw`.

It is a server of S3 over files (Apache-2.0), of one exact version, built from source by the Go that
builds CometBFT. What is there is left alone.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Final

from tools.cometbft import TOOLS, InstallError, build

VERSION: Final = "1.8.0"
MODULE: Final = "github.com/versity/versitygw"
SOURCE: Final = f"{MODULE}/cmd/versitygw@v{VERSION}"
SIGN: Final = f"{MODULE}\tv{VERSION}".encode()
"""What Go writes into a program about the module that it was built from."""


def is_there(program: Path) -> bool:
    """Whether a file was built from the one version."""
    return program.is_file() and SIGN in program.read_bytes()


def install(tools: Path) -> Path:
    """Build the program into a folder, if it is not there; its path. Raises InstallError."""
    program = tools / "bin" / "versitygw"
    if not is_there(program):
        print(f"setup-s3: building versitygw {VERSION} (a minute or two on two cores)", flush=True)
        build(tools, SOURCE)
    if not is_there(program):
        raise InstallError(f"{program} was built and is not of {VERSION}")
    return program


def main() -> int:
    """Install; 1, with what to do, when it can't be done."""
    os.nice(10)  # a long build leaves the machine to those who wait for it
    try:
        program = install(TOOLS)
    except InstallError as error:
        print(f"setup-s3: FAILED: {error}")
        return 1
    print(f"setup-s3: {program.name} is ready ({VERSION})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
