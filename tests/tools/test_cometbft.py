"""Which CometBFT is installed, by which Go, and what is said where it can't be."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.cometbft import (
    GO_PACKAGE,
    SOURCE,
    VERSION,
    InstallError,
    go_is_enough,
    install,
    is_of_module,
    is_wanted,
    remedy,
    run,
    usable,
)


def program(path: Path, script: str) -> Path:
    """A program that does what a script says."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)
    return path


def test_go_must_be_as_new_as_the_source_asks() -> None:
    """
    Given what Go of several versions says of itself,
    when asked whether it is enough,
    then numbers are compared as numbers, and what says something else is not Go.
    """
    said = ("go1.25.0 linux/amd64", "go1.26rc1 x", "go2.0 x", "go1.24.9 x", "go1.9.1 x", "devel")
    assert [go_is_enough(f"go version {one}") for one in said] == [True] * 3 + [False] * 3


def test_one_exact_version_is_installed_and_never_the_latest() -> None:
    """Given what is installed, when read, then it names one version exactly."""
    assert SOURCE.endswith(f"/cometbft@v{VERSION}")
    assert "==" in GO_PACKAGE


def test_only_a_program_of_that_version_counts_as_installed(tmp_path: Path) -> None:
    """
    Given no file, programs of another version, one that fails, one that is no program, and the one,
    when asked which is installed,
    then it is the last.
    """
    text = tmp_path / "text"
    text.write_text(VERSION)
    found = (
        tmp_path / "missing",
        program(tmp_path / "older", "echo 0.39.3"),
        program(tmp_path / "longer", f"echo {VERSION}1"),
        program(tmp_path / "broken", f"echo {VERSION}; exit 3"),
        text,
        program(tmp_path / "right", f"echo {VERSION}"),
    )
    assert [is_wanted(path) for path in found] == [False] * 5 + [True]


def test_only_an_abci_cli_of_that_version_counts_as_installed(tmp_path: Path) -> None:
    """
    Given no file, a program that Go has built from another version, and one from the one,
    when asked which is the kvstore that is wanted,
    then it is the last.
    """
    older, right = tmp_path / "older", tmp_path / "right"
    older.write_bytes(b"mod\tgithub.com/cometbft/cometbft\tv0.38.0\t")
    right.write_bytes(b"mod\tgithub.com/cometbft/cometbft\t" + f"v{VERSION}\t".encode())
    found = (tmp_path / "missing", older, right)
    assert [is_of_module(path) for path in found] == [False, False, True]


def test_what_is_there_is_left_alone(tmp_path: Path) -> None:
    """
    Given a program that says that it is the one,
    when installed again,
    then it is found, and not a byte is written.
    """
    there = program(tmp_path / "bin" / "cometbft", f"echo {VERSION}")
    before = there.stat().st_mtime_ns
    assert install(tmp_path) == there
    assert there.stat().st_mtime_ns == before
    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


def test_a_go_that_is_missing_or_broken_is_not_used(tmp_path: Path) -> None:
    """
    Given no Go, one that is old, one that fails and one that is new enough,
    when asked which can be used,
    then only the last can.
    """
    found = (
        None,
        tmp_path / "nothing",
        program(tmp_path / "old", "echo go version go1.20.1 linux/amd64"),
        program(tmp_path / "broken", "exit 1"),
        program(tmp_path / "new", "echo go version go1.26.0 linux/amd64"),
    )
    assert [usable(path) for path in found] == [False] * 4 + [True]


def test_a_step_that_fails_tells_its_words_and_number(tmp_path: Path) -> None:
    """
    Given a step that complains and exits with 3,
    when it is run,
    then the error carries the command, the number and the complaint; the remedy names a target.
    """
    step = program(tmp_path / "step", "echo no space left >&2; exit 3")
    with pytest.raises(InstallError, match=r"step build exited with 3:\nno space left$"):
        run(step, "build")
    assert "make setup-cometbft" in remedy()
