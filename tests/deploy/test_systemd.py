"""The units of systemd are correct, closed to the rest of the machine, and call what there is."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.deployed import DEPLOY, ROOT, ended, unknown_words

UNITS: Final = DEPLOY / "systemd"
SYSTEM: Final = Path("/usr/lib/systemd/system")
NAMES: Final = ("tongbao@.service", "tongbao-backup@.service", "tongbao-backup@.timer")
PROGRAM: Final = "/opt/tongbao/bin/tongbao"


def machine(folder: Path) -> Path:
    """A machine's root: systemd's own units, ours, and a program where they look for it."""
    shutil.copytree(SYSTEM, folder / SYSTEM.relative_to("/"), symlinks=True)
    ours = folder / "etc/systemd/system"
    ours.mkdir(parents=True)
    for name in NAMES:
        shutil.copy(UNITS / name, ours)
    program = folder / PROGRAM.removeprefix("/")
    program.parent.mkdir(parents=True)
    program.write_text("#!/bin/sh\n", encoding="utf-8")
    program.chmod(0o755)
    return folder


def verified(place: Path, name: str) -> tuple[int, str]:
    """What systemd says about the instance `my-chain` of a unit."""
    instance = name.replace("@", "@my-chain")
    return ended("systemd-analyze", "verify", "--man=no", f"--root={place}", instance)


def command_line(name: str) -> list[str]:
    """What a service starts, in words, without the program."""
    text = (UNITS / name).read_text(encoding="utf-8").replace("\\\n", " ")
    (line,) = re.findall(r"(?m)^ExecStart=(.*)$", text)
    program, *words = shlex.split(line)
    assert program == PROGRAM
    return words


@pytest.mark.needs("systemd-analyze")
def test_systemd_finds_nothing_wrong_with_the_units(tmp_path: Path) -> None:
    """
    Given a machine with systemd's units and ours,
    when systemd verifies an instance of each of ours,
    then it accepts them and says nothing.
    """
    place = machine(tmp_path)
    assert {name: verified(place, name) for name in NAMES} == dict.fromkeys(NAMES, (0, ""))


@pytest.mark.needs("systemd-analyze")
def test_a_unit_with_a_misspelt_line_is_noticed(tmp_path: Path) -> None:
    """
    Given the same with one misspelt key,
    when systemd verifies it,
    then it says which: so its silence above means something.
    """
    unit = machine(tmp_path) / "etc/systemd/system/tongbao@.service"
    unit.write_text(unit.read_text().replace("KillMode=", "KillMood="))
    assert "KillMood" in verified(tmp_path, "tongbao@.service")[1]


@pytest.mark.needs("systemd-analyze")
@pytest.mark.parametrize("name", NAMES[:2])
def test_a_service_is_closed_to_the_rest_of_the_machine(name: str) -> None:
    """
    Given a service,
    when systemd counts what it could do beyond its task, from 0 to 10,
    then it is 2.0 at most, which systemd calls OK.
    """
    code, says = ended(
        "systemd-analyze", "security", "--offline=true", "--threshold=20", UNITS / name
    )
    assert code == 0, says


@pytest.mark.needs("systemd-sysusers", "systemd-tmpfiles")
@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root makes users and their folders")
def test_the_user_of_the_services_and_the_folder_of_backups_are_made(tmp_path: Path) -> None:
    """
    Given an empty machine with the two files in their places,
    when systemd's tools go by them,
    then there is a user who can't log in, and a folder of backups that nobody else may look into.
    """
    (tmp_path / "etc").mkdir()
    for kind in ("sysusers", "tmpfiles"):
        place = tmp_path / f"usr/lib/{kind}.d"
        place.mkdir(parents=True)
        shutil.copy(UNITS / f"tongbao.{kind}.conf", place / "tongbao.conf")
    for command in (("systemd-sysusers",), ("systemd-tmpfiles", "--create")):
        code, says = ended(*command, f"--root={tmp_path}", "tongbao.conf")
        assert code == 0, says
    (user,) = (tmp_path / "etc/passwd").read_text(encoding="utf-8").splitlines()
    name, _, number, *_, shell = user.split(":")
    assert (name, shell) == ("tongbao", "/usr/sbin/nologin")
    folder = (tmp_path / "var/backups/tongbao").stat()
    assert (folder.st_uid, folder.st_mode & 0o777) == (int(number), 0o700)


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_service_calls_a_command_that_exists(name: str) -> None:
    """Given what a service starts, when the command line looks, then it has every word of it."""
    assert unknown_words(command_line(name)) == []


def test_what_a_start_can_not_mend_is_not_started_again() -> None:
    """
    Given the codes after which the guide wants a person,
    when the unit's list is read,
    then it is the same.
    """
    unit = (UNITS / "tongbao@.service").read_text(encoding="utf-8")
    guide = (ROOT / "docs/operate/README.md").read_text(encoding="utf-8")
    (told,) = re.findall(r"not after the codes ([\d, and]+):", guide)
    (kept,) = re.findall(r"(?m)^RestartPreventExitStatus=(.*)$", unit)
    assert kept.split() == re.findall(r"\d+", told)
