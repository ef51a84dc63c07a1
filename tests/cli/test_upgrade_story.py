"""An upgrade as operators do it: a package is edited, the authority schedules it, nodes change."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.cli.calling import PASSPHRASE, VARIABLES
from tests.cli.test_story import PROGRAM
from tongbao.cli.exits import Exit


class Operator:
    """Somebody with a folder, and two versions of a package of their own beside it."""

    def __init__(self, folder: Path) -> None:
        """Write the package, edit a copy, and begin a chain with the first."""
        self.folder = folder
        (folder / "passphrase").write_text(PASSPHRASE + "\n")
        self.do("", "new", "module", "loyalty")
        shutil.copytree(folder / "loyalty", folder / "edited")
        rules = next((folder / "edited").rglob("rules.py"))
        rules.write_text(rules.read_text() + "\n# The second version.\n")
        self.do("loyalty", "init", "--module", "loyalty", "--passphrase-file", "passphrase")

    def run(self, modules: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One command in a process of its own, with the package in a folder installed."""
        clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        named = {"TONGBAO_MODULES": str(self.folder / modules)} if modules else {}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *words],
            cwd=self.folder,
            env=clean | named,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def do(self, modules: str, *words: str) -> Any:
        """One that succeeds; its JSON object."""
        told = self.run(modules, *words, "--json")
        assert told.returncode == 0, (words, told.stdout, told.stderr)
        return json.loads(told.stdout)

    def write(self, modules: str, *words: str) -> subprocess.CompletedProcess[str]:
        """One that signs."""
        return self.run(modules, *words, "--passphrase-file", "passphrase", "--json")


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    """An operator with a chain at height 0."""
    return Operator(tmp_path)


def test_an_operator_changes_the_code_of_a_chain_at_a_height(operator: Operator) -> None:
    """
    Given a chain with a module whose package was edited,
    when its code is drafted where the new one is installed, scheduled for block 3 by the authority
    with the old one, and both try to go on there,
    then the new code is refused before block 3, the old from it on but to read at block 2, each
    with the exit code for it and the module's name, and what the new one makes passes the audit.
    """
    drafted = operator.do("edited", "upgrade", "draft")["modules"]
    assert [line["name"] for line in drafted] == ["loyalty"]
    early = operator.run("edited", "status")
    assert early.returncode == Exit.CONFIGURATION
    assert "module loyalty" in early.stderr and "is not the one that genesis names" in early.stderr

    lines = json.dumps(drafted)
    schedule = ("upgrade", "schedule", "--authority", "authority", "--height", "3")
    told = operator.write("loyalty", *schedule, "--modules", lines)
    assert told.returncode == 0, told
    known = operator.do("loyalty", "upgrade", "show", "--height", "3")
    assert known["value"]["modules"] == drafted
    assert operator.write("loyalty", "account", "create", "alice").returncode == 0

    late = operator.write("loyalty", "account", "create", "bob")
    found = json.loads(late.stdout)
    assert (late.returncode, found["exit_code"]) == (Exit.CONFIGURATION, Exit.CONFIGURATION)
    assert found["error"].startswith(
        f"from block 3 on this chain needs module loyalty {drafted[0]['number']} "
    )
    assert operator.do("loyalty", "status")["height"] == 2

    assert operator.write("edited", "account", "create", "bob").returncode == 0
    assert operator.do("edited", "status")["height"] == 3
    assert operator.do("edited", "audit")["findings"] == []
    gone = operator.run("loyalty", "status")
    assert gone.returncode == Exit.CONFIGURATION
    assert "from block 3 on this chain needs module loyalty" in gone.stderr
