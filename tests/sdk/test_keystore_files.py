"""What is no key file of its owner alone is refused, with what to do about it."""

from __future__ import annotations

import os
import shlex
import subprocess
from pathlib import Path

import pytest

from tongbao.sdk import keystore as kept
from tongbao.sdk.keystore import Cost, Keystore, KeystoreError

PASSPHRASE = "correct horse"
CHEAP = Cost(memory_kib=8, iterations=1)


@pytest.fixture
def keys(tmp_path: Path) -> Keystore:
    """A keystore in a folder that is not there yet, at a cost for tests."""
    return Keystore(tmp_path / "keys", CHEAP)


BROKEN = {
    "empty": b"",
    "no JSON": b"not a key",
    "another object": b"{}",
    "a list": b"[]",
    "deep": b"[" * 60_000,
    "deep in a member": b'{"version":1,"name":' + b"[" * 60_000,
    "no UTF-8": b'{"version":1,"name":"\xff"}',
    "a null": b"null",
}


@pytest.mark.parametrize("what", BROKEN)
def test_a_file_that_is_no_key_file_is_refused(keys: Keystore, what: str) -> None:
    """
    Given a file of a key's name that holds something else,
    when the key is asked for,
    then it is refused with what to do.
    """
    keys.create("alice", PASSPHRASE)
    (keys.folder / "alice.json").write_bytes(BROKEN[what])
    with pytest.raises(kept.BadKeyFile, match="restore it from a copy"):
        keys.unlock("alice", PASSPHRASE)


def test_a_file_cut_short_anywhere_is_refused(keys: Keystore) -> None:
    """
    Given a key file,
    when it is cut short at any byte,
    then it is refused, but for the line's end that says nothing.
    """
    keys.create("alice", PASSPHRASE)
    path = keys.folder / "alice.json"
    whole = path.read_bytes()
    for size in range(len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(kept.BadKeyFile):
            keys.public_key("alice")


def test_parameters_beyond_the_limits_are_refused(keys: Keystore) -> None:
    """
    Given a file that asks for two GiB of memory,
    when it is unlocked,
    then it is refused as no key file.
    """
    keys.create("alice", PASSPHRASE)
    path = keys.folder / "alice.json"
    text = path.read_text().replace('"memory_kib": 8,', '"memory_kib": 2097152,')
    path.write_text(text)
    with pytest.raises(kept.BadKeyFile, match="memory_kib"):
        keys.unlock("alice", PASSPHRASE)


def test_a_large_file_is_not_read(keys: Keystore) -> None:
    """
    Given a key file followed by blanks to 64 KiB, then by one more,
    when the key is asked for,
    then the first is read and the second is refused.
    """
    made = keys.create("alice", PASSPHRASE)
    path = keys.folder / "alice.json"
    path.write_bytes(path.read_bytes().ljust(65_536))
    assert keys.public_key("alice") == made.public_key
    path.write_bytes(path.read_bytes() + b" ")
    with pytest.raises(kept.BadKeyFile, match="65536 bytes"):
        keys.public_key("alice")


def test_links_folders_and_pipes_are_no_key_files(keys: Keystore) -> None:
    """
    Given a link to a key file, a folder and a pipe without a writer in the place of key files,
    when the keys are asked for,
    then each is refused at once.
    """
    keys.create("alice", PASSPHRASE)
    (keys.folder / "link.json").symlink_to(keys.folder / "alice.json")
    (keys.folder / "folder.json").mkdir()
    os.mkfifo(keys.folder / "pipe.json", 0o600)
    for name in ("link", "folder", "pipe"):
        with pytest.raises(kept.BadKeyFile, match="put the key file itself there"):
            keys.unlock(name, PASSPHRASE)
        with pytest.raises(kept.KeyExists):
            keys.create(name, PASSPHRASE)


def test_a_file_under_another_name_is_refused(keys: Keystore) -> None:
    """
    Given two keys, one's file copied over the other's,
    when the other is asked for,
    then it is refused: nobody signs with a key that they did not name.
    """
    keys.create("alice", PASSPHRASE)
    keys.create("mallory", PASSPHRASE)
    (keys.folder / "mallory.json").replace(keys.folder / "alice.json")
    with pytest.raises(kept.BadKeyFile, match="give the file its name back"):
        keys.unlock("alice", PASSPHRASE)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o601, 0o666])
def test_a_file_open_to_others_is_refused_until_the_command_ran(keys: Keystore, mode: int) -> None:
    """
    Given a key file that others than its owner may use,
    when it is unlocked,
    then it is refused with a command, and after that command it unlocks.
    """
    made = keys.create("alice", PASSPHRASE)
    (keys.folder / "alice.json").chmod(mode)
    with pytest.raises(kept.InsecurePermissions) as refused:
        keys.unlock("alice", PASSPHRASE)
    run_what_it_says(refused.value)
    assert keys.unlock("alice", PASSPHRASE).seed == made.seed


def test_a_folder_open_to_others_is_refused_until_the_command_ran(tmp_path: Path) -> None:
    """
    Given a folder, with a blank in its name, that others may look into,
    when a key is created, later unlocked,
    then it is refused with a command each time, and after that command it works.
    """
    keys = Keystore(tmp_path / "my keys", CHEAP)
    keys.folder.mkdir(mode=0o755)
    with pytest.raises(kept.InsecurePermissions) as refused:
        keys.create("alice", PASSPHRASE)
    assert list(keys.folder.iterdir()) == []
    run_what_it_says(refused.value)
    made = keys.create("alice", PASSPHRASE)
    keys.folder.chmod(0o770)
    with pytest.raises(kept.InsecurePermissions) as refused:
        keys.unlock("alice", PASSPHRASE)
    run_what_it_says(refused.value)
    assert keys.unlock("alice", PASSPHRASE).seed == made.seed


def run_what_it_says(error: KeystoreError) -> None:
    """Run the command at the end of an error's text."""
    command = str(error).partition("run: ")[2]
    assert command.startswith("chmod ")
    subprocess.run(shlex.split(command), check=True)
