"""Where the CometBFT program is, and that it is the one version that this engine is made for."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

VERSION: Final = "0.39.4"
VARIABLE: Final = "TONGBAO_COMETBFT"
NAME: Final = "cometbft"
SECONDS: Final = 60
CHECKOUT: Final = Path(__file__).parents[4]
"""Where this file is part of a checkout, its root, with `.tools/bin`."""
ADVICE: Final = (
    f"`make setup-cometbft` builds {VERSION} in a checkout; elsewhere install it by "
    f"`go install github.com/cometbft/cometbft/cmd/cometbft@v{VERSION}` and name it in {VARIABLE}"
)


class ProgramError(Exception):
    """There is no CometBFT of the right version; the text says how to get one."""

    advice = "install CometBFT as it says; the other engine, solo, needs none"


def find_program(named: Path | None = None) -> Path:
    """The program: the one that is named, else by TONGBAO_COMETBFT, the checkout's, or PATH's.

    The first of these that exists is asked for its version, the others are not tried. Raises
    ProgramError.
    """
    for place, program in _places(named):
        if not program.is_file():
            raise ProgramError(f"{place} names {program}, which is no file: {ADVICE}")
        found = _version(program)
        if found != VERSION:
            raise ProgramError(f"{program} is {found or 'no CometBFT'}, not {VERSION}: {ADVICE}")
        return program.absolute()
    raise ProgramError(f"there is no CometBFT: {ADVICE}")


def _places(named: Path | None) -> Iterator[tuple[str, Path]]:
    if named is not None:
        yield "the setting", named
    if variable := os.environ.get(VARIABLE):
        yield VARIABLE, Path(variable)
    built = CHECKOUT / ".tools" / "bin" / NAME
    if built.is_file():
        yield "the checkout", built
    if installed := shutil.which(NAME):
        yield "PATH", Path(installed)


def _version(program: Path) -> str:
    try:
        said = subprocess.run(
            [program, "version"],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return said.stdout[:100].decode("utf-8", "replace").strip()
