"""Build a CometBFT whose clock can be wrong: `python -m tools.skewed_cometbft`. For tests alone.

The module's source is copied, `Now` of `types/time` adds what TONGBAO_CLOCK_SHIFT_MS says, and the
program is built as `.tools/bin/cometbft-skewed`. The copy is removed again.
"""

from __future__ import annotations

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from tools.cometbft import ROOT, TOOLS, VERSION, InstallError, find_go, run

NAME: Final = "cometbft-skewed"
MODULE: Final = f"github.com/cometbft/cometbft@v{VERSION}"
FILE: Final = Path("types") / "time" / "time.go"
BEFORE: Final = "\treturn Canonical(time.Now())\n"
AFTER: Final = "\treturn Canonical(time.Now().Add(clockShift))\n"
SHIFT: Final = """
// clockShift is how wrong this clock is: for tests alone.
var clockShift = func() time.Duration {
\tshift, _ := strconv.Atoi(os.Getenv("TONGBAO_CLOCK_SHIFT_MS"))
\treturn time.Duration(shift) * time.Millisecond
}()
"""
IMPORT: Final = "import (\n"
IMPORTED: Final = 'import (\n\t"os"\n\t"strconv"\n'


def skewed(text: str) -> str:
    """The source with a clock that can be wrong. Raises InstallError where it is another source."""
    if text.count(BEFORE) != 1 or text.count(IMPORT) != 1:
        raise InstallError(f"{FILE} of {MODULE} is not as it was: look what `Now` does there")
    return text.replace(BEFORE, AFTER).replace(IMPORT, IMPORTED) + SHIFT


def build(tools: Path) -> Path:
    """Build it, if it is not there; its path. Raises InstallError."""
    program = tools / "bin" / NAME
    if program.exists():
        return program
    go = find_go(tools)
    found = json.loads(run(go, "mod", "download", "-json", MODULE, GOTOOLCHAIN="local", GOFLAGS=""))
    with tempfile.TemporaryDirectory(prefix="tongbao-skewed-") as folder:
        copy = Path(folder) / "cometbft"
        shutil.copytree(found["Dir"], copy)
        for path in (copy, *copy.rglob("*")):
            path.chmod(path.stat().st_mode | 0o200)  # modules are kept read-only
        (copy / FILE).write_text(skewed((copy / FILE).read_text()))
        print(f"skewed-cometbft: building {VERSION} with a clock that can be wrong", flush=True)
        package = ("./cmd/cometbft",)
        run(
            *(go, "build", "-C", copy, "-o", program.absolute(), *package),
            GOTOOLCHAIN="local",
            GOFLAGS="",
        )
    return program


def main() -> int:
    """Build; 1, with what to do, when it can't be done."""
    os.nice(10)
    try:
        program = build(TOOLS)
    except InstallError as error:
        print(f"skewed-cometbft: FAILED: {error}")
        return 1
    print(f"skewed-cometbft: {program.relative_to(ROOT)} is ready (CometBFT {VERSION})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
