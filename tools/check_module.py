"""Write a module as a stranger does, and use it where only wheels are installed.

`tongbao new module` writes it; its wheel is built and installed beside Tongbao's in an environment
that holds what `requirements/dev.txt` locks of a node and pytest, and nothing else. Its own tests
run there, and a chain is begun that has the module.
"""

from __future__ import annotations

import json
import re
import shutil
import sys
from importlib.metadata import distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools.running import ROOT, WheelError, make_environment, run

LOCK = ROOT / "requirements" / "dev.txt"
NEEDED = ("tongbao[node]", "pytest")
NAME = "loyalty"


def locked(needed: tuple[str, ...]) -> str:
    """The lines of the lock for these requirements and for all that they need in turn."""
    blocks: dict[str, str] = {}
    name = ""
    for line in LOCK.read_text().splitlines(keepends=True):
        found = re.match(r"([A-Za-z0-9._-]+)==", line)
        if found:
            name = canonicalize_name(found[1])
        if name:
            blocks[name] = blocks.get(name, "") + line
    wanted = [name for name in all_of(needed) if name != "tongbao"]
    missing = [name for name in wanted if name not in blocks]
    if missing:
        raise WheelError(f"{LOCK.name} does not lock {', '.join(missing)}")
    return "".join(blocks[name] for name in sorted(wanted))


def all_of(needed: tuple[str, ...]) -> set[str]:
    """The names of these requirements and of all that they need, as they are installed here."""
    seen: set[tuple[str, str]] = set()
    waiting = [Requirement(text) for text in needed]
    while waiting:
        requirement = waiting.pop()
        name = canonicalize_name(requirement.name)
        for extra in ("", *requirement.extras):
            if (name, extra) in seen:
                continue
            seen.add((name, extra))
            for text in distribution(name).requires or ():
                below = Requirement(text)
                if below.marker is None or below.marker.evaluate({"extra": extra}):
                    waiting.append(below)
    return {name for name, _ in seen}


def check_module(wheel: Path, folder: Path) -> list[str]:
    """Do it all in a folder of its own, with Tongbao's wheel; returns what was shown."""
    lock = folder / "lock.txt"
    lock.write_text(locked(NEEDED))
    programs = make_environment(folder / "environment", lock, wheel)
    tongbao = programs / "tongbao"
    project = folder / NAME
    run(tongbao, "new", "module", NAME, "--into", project, folder=folder)
    build = (
        sys.executable,
        "-m",
        "build",
        "--wheel",
        "--no-isolation",
        "--outdir",
        folder / "dist",
    )
    run(*build, project, folder=folder)
    (built,) = (folder / "dist").glob("*.whl")
    pip = (programs / "python", "-m", "pip", "--disable-pip-version-check", "install", "--quiet")
    run(*pip, "--no-deps", built, folder=folder)
    # Without the sources beside them the tests can only find what is installed.
    alone = folder / "alone"
    shutil.copytree(project / "tests", alone / "tests")
    pytest = ("-m", "pytest", "-q", "--import-mode=importlib", "-p", "no:cacheprovider")
    run(programs / "python", *pytest, alone / "tests", folder=alone)
    use_on_a_chain(tongbao, folder)
    return [f"the wheel of a new module works beside it ({built.name}: tests, chain, commands)"]


def use_on_a_chain(tongbao: Path, folder: Path) -> None:
    """Begin a chain that has the module, send its message, ask its query. Raises WheelError."""
    secret = folder / "passphrase.txt"
    secret.write_text("correct horse battery staple\n")

    def do(*words: str, writes: bool = True, at: str = "chain") -> dict[str, object]:
        passphrase = ("--passphrase-file", secret) if writes else ()
        said = run(tongbao, *words, "--folder", at, *passphrase, "--json", folder=folder)
        found: dict[str, object] = json.loads(said)
        return found

    do("init", "--module", NAME)
    do("account", "create", "alice")
    made = do(NAME, "award", "--holder", "alice", "--title", "early-bird")["made"]
    rows = do(NAME, "held-by", "--holder", "alice", writes=False)["rows"]
    if not isinstance(rows, list) or [row["key"] for row in rows] != made:
        raise WheelError(f"alice was awarded {made} and holds {rows}")
    do("audit", writes=False)
    do("init", at="without")
    names = json.loads((folder / "without" / "genesis.json").read_text())["modules"]
    if NAME in [line["name"] for line in names]:
        raise WheelError(f"a chain has {NAME} although nobody asked for it")
