"""The program as people run it: one process a command, in real folders."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import msgspec
import pytest

from tests.cli.calling import PASSPHRASE, VARIABLES
from tongbao.sdk.opening import open_chain

PROGRAM: Final = "import sys; from tongbao.cli.main import main; sys.argv[0] = 'tongbao'; main()"
WATCHED: Final = """
import atexit, sys
from tongbao.cli.main import main
heavy = ("lmdb", "cryptography", "rich", "tongbao.store", "tongbao.engines.solo.engine")
atexit.register(lambda: print("loaded:", *(name for name in heavy if name in sys.modules)))
main()
"""


LEAN: Final = f"""
import sys
sys.modules.update(dict.fromkeys(("lmdb", "cryptography", "rich")))
{PROGRAM}
"""
"""The program where only the base installation is: these packages can't be imported."""


class Shell:
    """A folder in which somebody types commands."""

    def __init__(self, folder: Path) -> None:
        """Work in a folder, with the passphrase in a file."""
        self.folder = folder
        (folder / "passphrase").write_text(PASSPHRASE + "\n")

    def run(
        self, *words: str, program: str = PROGRAM, closed: bool = False
    ) -> subprocess.CompletedProcess[str]:
        """Run one command in a process of its own; `closed` leaves it no standard input."""
        clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
        command = [sys.executable, "-W", "error", "-c", program, *words]
        if closed:
            command = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
        return subprocess.run(
            command,
            cwd=self.folder,
            env=clean,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
        )

    def do(self, *words: str) -> str:
        """Run a command that succeeds with the passphrase's file; its last line."""
        ended = self.run(*words)
        assert (ended.returncode, "Traceback" in ended.stderr) == (0, False), ended
        return ended.stdout.rstrip("\n").rpartition("\n")[2]

    def write(self, *words: str) -> str:
        """The same for a command that needs keys."""
        return self.do(*words, "--passphrase-file", "passphrase")


@pytest.fixture(scope="module")
def shell(tmp_path_factory: pytest.TempPathFactory) -> Shell:
    """A folder with a chain, an account and an asset."""
    here = Shell(tmp_path_factory.mktemp("story"))
    here.write("init")
    here.write("account", "create", "alice")
    here.write("asset", "define", "--code", "CNY", "--scale", "2")
    issue = ("asset", "issue", "--asset", "CNY", "--amount", "50.00", "--payee", "alice")
    here.write(*issue, "--reference", "cash-1")
    return here


def test_value_goes_from_issue_to_a_proof_elsewhere(shell: Shell, tmp_path: Path) -> None:
    """
    Given a chain begun by commands,
    when value is held, captured and proven, and another folder has only proof and trust file,
    then the proof verifies there with no store, key file or terminal library loaded.
    """
    shell.write("account", "create", "bob")
    hold = ("hold", "place", "--asset", "CNY", "--amount", "20.00", "--as", "alice")
    shell.write(*hold, "--payee", "bob", "--expires-at", "+1h")
    page = shell.run("hold", "held-for", "--payee", "bob", "--json")
    made = msgspec.json.decode(page.stdout)["rows"][0]["key"]
    assert shell.write("hold", "capture", "--hold", made, "--as", "bob").startswith("applied")
    for file, words in (
        ("bob.proof", ("row", "asset.holdings", "bob", "CNY.operator")),
        ("trust.json", ("trust",)),
    ):
        shell.do("proof", *words, "--out", str(tmp_path / file))
    words = ("verify", "bob.proof", "--trust", "trust.json")
    elsewhere = Shell(tmp_path).run(*words, program=WATCHED)

    assert (elsewhere.returncode, elsewhere.stderr) == (0, "")
    verdict, loaded = elsewhere.stdout.splitlines()[-2:]
    assert verdict.startswith("verified: asset.holdings ")
    assert '"amount":"20.00"' in verdict
    assert loaded == "loaded:"
    assert shell.do("audit").endswith("invariants hold")


@pytest.mark.parametrize("words", [("status",), ("init",), ("keys", "create", "ann"), ("audit",)])
def test_a_missing_extra_is_named_with_its_command(words: tuple[str, ...], tmp_path: Path) -> None:
    """
    Given the base installation alone,
    when a command needs the parts of a node,
    then one line says how to install it, the last which is missing, and nothing was made.
    """
    ended = Shell(tmp_path).run(*words, program=LEAN)

    assert (ended.returncode, ended.stdout) == (69, "")
    advice, missing = ended.stderr.splitlines()
    assert missing.startswith("error: this command needs ")
    assert advice == "do: pip install 'tongbao[node]'"
    assert [path.name for path in tmp_path.iterdir()] == ["passphrase"]


def answered(terminal: int, prompt: bytes, answer: bytes) -> bytes:
    """What a terminal shows until the prompt ends it; then the answer is typed."""
    shown = b""
    while not shown.endswith(prompt):
        shown += os.read(terminal, 1)
    os.write(terminal, answer)
    return shown


def test_a_person_is_asked_twice_and_without_echo(tmp_path: Path) -> None:
    """
    Given a terminal and no passphrase,
    when a key is made and a passphrase typed twice,
    then the key is made and the terminal never shows what was typed.
    """
    terminal, end = os.openpty()
    clean = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, "keys", "create", "ann"],
        cwd=tmp_path,
        env=clean,
        stdin=end,
        stdout=subprocess.PIPE,
        stderr=end,
        start_new_session=True,
        text=True,
    ) as process:
        typed = PASSPHRASE.encode() + b"\n"
        shown = answered(terminal, b"Passphrase: ", typed)
        shown += answered(terminal, b"confirmation: ", typed)
        told, _ = process.communicate()
    os.close(end)
    os.close(terminal)

    assert (process.returncode, told.splitlines()[-1]) == (0, "key ann made")
    assert PASSPHRASE.encode() not in shown


def test_a_second_process_on_the_folder_is_told(shell: Shell) -> None:
    """
    Given a chain that a process has open,
    when a second one asks for its status,
    then it says so in two lines with the code to try again.
    """
    with open_chain(shell.folder / "tongbao-chain"):
        second = shell.run("status")

    assert (second.returncode, second.stdout) == (75, "")
    assert second.stderr.splitlines()[0] == "do: try again in a moment"
    assert shell.run("status").returncode == 0


@pytest.mark.parametrize("words", [("account", "create", "eve"), ("tx", "submit", "-")])
def test_a_closed_standard_input_is_no_traceback(words: tuple[str, ...], shell: Shell) -> None:
    """
    Given a process whose standard input is closed,
    when a command would read or ask there,
    then two lines say what is missing.
    """
    ended = shell.run(*words, closed=True)

    assert ended.returncode in (66, 77)
    assert ended.stdout == ""
    assert len(ended.stderr.splitlines()) == 2


def test_a_reader_that_goes_away_is_no_traceback(shell: Shell) -> None:
    """
    Given a pipe whose reader has gone,
    when a command prints into it,
    then it ends without a traceback.
    """
    command = f'"{sys.executable}" -c "{PROGRAM}" keys list | true'
    ended = subprocess.run(
        ["sh", "-c", command], cwd=shell.folder, capture_output=True, text=True, check=False
    )

    assert "Traceback" not in ended.stderr
