"""Passphrases and files that people name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import PASSPHRASE, Place
from tongbao.cli.options import write_file


def test_without_a_passphrase_and_a_terminal_it_fails_clearly(place: Place) -> None:
    """
    Given a chain, no passphrase, and no terminal to ask at,
    when something is to be sent,
    then the error says three ways to give one, and nothing happened.
    """
    before = place.do("status")
    told = Place(place.folder, None).call("account", "set-lanes", "--lanes", "2", stdin="")

    assert (told.code, told.out) == (77, "")
    assert told.err == (
        "do: give --passphrase-file FILE, or set TONGBAO_PASSPHRASE\n"
        "error: no passphrase was given, and there is no terminal to ask at\n"
    )
    assert place.do("status") == before


def test_a_wrong_passphrase_changes_nothing(place: Place) -> None:
    """
    Given a chain,
    when somebody sends with a wrong passphrase,
    then the code is that of keys, no traceback is shown, and nothing happened.
    """
    before = place.do("status")
    told = Place(place.folder, "wrong").call("account", "set-lanes", "--lanes", "2")

    assert (told.code, told.out) == (77, "")
    assert "passphrase" in told.err
    assert len(told.err.splitlines()) == 2
    assert place.do("status") == before


def test_the_first_line_of_a_file_is_the_passphrase(place: Place, tmp_path: Path) -> None:
    """
    Given files whose first lines are the passphrase, empty, and not text,
    when each is named,
    then the first opens the keys and the others are told.
    """
    file = tmp_path / "passphrase"
    words = ("account", "set-lanes", "--lanes", "1", "--passphrase-file", str(file))
    codes = []
    for text in (PASSPHRASE.encode() + b"\r\nnever read\n", b"\nx", b"\xff"):
        file.write_bytes(text)
        codes.append(Place(place.folder, None).call(*words).code)

    assert codes == [0, 77, 77]


def test_a_file_that_is_not_there_is_told(place: Place, tmp_path: Path) -> None:
    """
    Given no file,
    when a command is to read it,
    then the error names it and the code is 66.
    """
    gone = tmp_path / "gone"
    told = place.call("tx", "submit", str(gone))

    assert told.code == 66
    assert told.err.endswith(f"\nerror: {gone}: No such file or directory\n")


def test_a_written_file_is_whole_or_as_before(tmp_path: Path) -> None:
    """
    Given a file,
    when it is replaced, and when a folder stands in the way,
    then it has the new text, and no other file is left behind.
    """
    (tmp_path / "out").write_text("old")
    write_file(tmp_path / "out", b"new")
    (tmp_path / "folder").mkdir()
    with pytest.raises(OSError, match="folder"):
        write_file(tmp_path / "folder", b"new")

    assert (tmp_path / "out").read_bytes() == b"new"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["folder", "out"]


@pytest.mark.parametrize("word", ["--passphrase", "--secret", "--password"])
def test_no_option_takes_a_passphrase_itself(word: str, place: Place) -> None:
    """
    Given that other processes see the arguments of a program,
    when somebody writes a passphrase there,
    then there is no such option.
    """
    assert place.call("account", "set-lanes", "--lanes", "1", word, PASSPHRASE).code == 2
