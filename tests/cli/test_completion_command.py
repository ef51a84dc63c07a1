"""Completion: the shells' protocol, a real bash, and nothing imported that is not needed."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.desk import Desk
from tongbao.cli.completion_command import SHELLS
from tongbao.cli.main import AFTER, BEFORE
from tongbao.modules.registry import MODULES

HEAVY = "('click', 'lmdb', 'cryptography', 'rich', 'starlette', 'httpx2', 'tongbao.store')"
WATCHED = f"""
import atexit, sys
from tongbao.cli.main import main
sys.argv = ["tongbao"]
atexit.register(lambda: print("loaded:", *(name for name in {HEAVY} if name in sys.modules)))
main()
"""


def complete(desk: Desk, *words: str) -> list[str]:
    """What bash is told for the last word."""
    desk.environment |= {
        "_TONGBAO_COMPLETE": "bash_complete",
        "COMP_WORDS": " ".join(["tongbao", *words]),
        "COMP_CWORD": str(len(words)),
    }
    told = desk.program(sys.executable, "-c", WATCHED)
    *found, loaded = told.stdout.splitlines()
    assert (told.returncode, told.stderr, loaded) == (0, "", "loaded: click")
    return [line.removeprefix("plain,") for line in found]


def test_commands_options_and_names_are_completed(desk: Desk) -> None:
    """
    Given a folder with accounts, keys, and a module of somebody else's that can't be loaded,
    when a shell asks what may stand at a place,
    then it is told commands, options, accounts, keys, tables and modules, and the program loads
    neither a store nor a server nor that module for it.
    """
    broken = desk.folder / "broken"
    broken.mkdir()
    (broken / "__init__.py").write_text('raise RuntimeError("loaded")\n')
    desk.environment["TONGBAO_MODULES"] = str(broken)
    names = [*BEFORE, *(module.name for module in MODULES), "broken", *AFTER]

    assert complete(desk, "") == names
    assert complete(desk, "as") == ["asset"]
    assert complete(desk, "keys", "cr") == ["create"]
    assert complete(desk, "asset", "tr") == ["transfer"]
    assert complete(desk, "asset", "transfer", "--pay") == ["--payee"]
    assert complete(desk, "asset", "transfer", "--payee", "") == ["alice", "bob", "operator"]
    assert complete(desk, "asset", "transfer", "--as", "al") == ["alice"]
    assert complete(desk, "asset", "transfer", "--key", "") == [
        *("alice", "authority", "bob", "operator")
    ]
    assert complete(desk, "proof", "row", "asset.su") == ["asset.supplies"]
    assert complete(desk, "init", "--module", "") == ["broken"]
    elsewhere = ("--folder", "nowhere", "--payee", "")
    assert complete(desk, "asset", "transfer", *elsewhere) == ["operator"]


def test_a_real_bash_completes(desk: Desk) -> None:
    """
    Given a bash that has read the script,
    when its function is asked for a word,
    then it has the command's names.
    """
    script = (
        "source <(tongbao completion bash); COMP_WORDS=(tongbao status --no); COMP_CWORD=2; "
        '_tongbao_completion tongbao; echo "${COMPREPLY[@]}"'
    )
    told = desk.program("bash", "-c", script)
    assert (told.returncode, told.stdout) == (0, "--node\n"), told


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_has_its_script(tmp_path: Path, shell: str) -> None:
    """
    Given a shell that is known, and one that is not,
    when its script is asked for,
    then the first names the program and how it is asked, and the second is refused.
    """
    desk = Desk(tmp_path)
    told = desk.run("completion", shell)
    assert told.returncode == 0
    assert f"_TONGBAO_COMPLETE={shell}_complete" in told.stdout
    assert desk.run("completion", f"{shell}x").returncode == 2
