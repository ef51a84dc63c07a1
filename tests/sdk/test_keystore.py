"""Keys are kept whole, are never overwritten, and are read by their owner alone."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest

from tongbao.sdk import keystore as kept
from tongbao.sdk.keystore import Cost, Keystore, KeystoreError
from tongbao.sdk.signer import SoftwareKey

PASSPHRASE = "correct horse"
SEED = bytes(range(32))
CHEAP = Cost(memory_kib=8, iterations=1)

FULL_DISK = """
import resource, sys
from tongbao.sdk.keystore import Cost, Keystore
keys = Keystore(sys.argv[1], Cost(memory_kib=8, iterations=1))
resource.setrlimit(resource.RLIMIT_FSIZE, (10, 10))
for act in (
    lambda: keys.create("bob", "correct horse"),
    lambda: keys.change_passphrase("alice", "correct horse", "battery staple"),
):
    try:
        act()
    except OSError as error:
        print(type(error).__name__)
"""


@pytest.fixture
def keys(tmp_path: Path) -> Keystore:
    """A keystore in a folder that is not there yet, at a cost for tests."""
    return Keystore(tmp_path / "keys", CHEAP)


def contents(keys: Keystore) -> dict[str, bytes]:
    """Every file of the folder, hidden ones too."""
    return {path.name: path.read_bytes() for path in keys.folder.iterdir()}


def test_a_created_key_unlocks_as_the_same_key(keys: Keystore) -> None:
    """
    Given a key that was created,
    when it is unlocked by another keystore on the same folder,
    then it signs as the same key, and its public half is told without a passphrase.
    """
    made = keys.create("alice", PASSPHRASE)
    other = Keystore(str(keys.folder))
    assert other.unlock("alice", PASSPHRASE).seed == made.seed
    assert (other.names(), other.public_key("alice")) == (["alice"], made.public_key)


def test_a_key_made_elsewhere_is_kept_under_a_name(keys: Keystore) -> None:
    """
    Given a seed,
    when it is stored,
    then that very key is unlocked.
    """
    assert keys.store("imported", SEED, PASSPHRASE).key_id == SoftwareKey(SEED).key_id
    assert keys.unlock("imported", PASSPHRASE).seed == SEED


def test_kept_keys_cost_a_guess_what_the_default_says(tmp_path: Path) -> None:
    """
    Given a keystore without a choice of cost,
    when a key is created and unlocked,
    then its file names 64 MiB, 3 iterations and one lane.
    """
    keys = Keystore(tmp_path / "keys")
    made = keys.create("alice", PASSPHRASE)
    kdf = msgspec.json.decode((keys.folder / "alice.json").read_bytes())["kdf"]
    del kdf["salt"]
    assert kdf == {"name": "argon2id", "memory_kib": 65_536, "iterations": 3, "lanes": 1}
    assert keys.unlock("alice", PASSPHRASE).seed == made.seed


def test_files_are_for_their_owner_alone(keys: Keystore) -> None:
    """
    Given an open umask,
    when a key is created and its passphrase changed,
    then folder and file give nothing to others, and no other file is left.
    """
    before = os.umask(0)
    try:
        keys.create("alice", PASSPHRASE)
        keys.change_passphrase("alice", PASSPHRASE, "battery staple")
    finally:
        os.umask(before)
    modes = {
        path.name: stat.S_IMODE(path.stat().st_mode)
        for path in (keys.folder, *keys.folder.iterdir())
    }
    assert modes == {"keys": 0o700, "alice.json": 0o600}


def test_neither_seed_nor_passphrase_stands_in_the_file(keys: Keystore) -> None:
    """
    Given a kept key,
    when its file is searched for seed and passphrase in the usual spellings,
    then neither is found.
    """
    key = keys.store("alice", SEED, PASSPHRASE)
    text = (keys.folder / "alice.json").read_bytes()
    for secret in (SEED, SEED.hex().encode(), PASSPHRASE.encode(), b"AAECAwQFBgcICQ"):
        assert secret not in text
    assert key.key_id.encode() in text


def test_an_existing_name_is_never_overwritten(keys: Keystore) -> None:
    """
    Given a kept key,
    when its name is created or stored again,
    then it is refused and the file has the same bytes.
    """
    keys.create("alice", PASSPHRASE)
    before = contents(keys)
    with pytest.raises(kept.KeyExists, match="take another name"):
        keys.create("alice", "battery staple")
    with pytest.raises(kept.KeyExists):
        keys.store("alice", SEED, PASSPHRASE)
    assert contents(keys) == before


def test_of_several_writers_of_one_name_one_wins(keys: Keystore) -> None:
    """
    Given writers that all store another key under one name at once,
    when they are done,
    then one succeeded, the others were refused, and the file is the winner's.
    """
    seeds = [bytes([number]) * 32 for number in range(8)]

    def attempt(seed: bytes) -> bytes | None:
        try:
            return Keystore(keys.folder, CHEAP).store("alice", seed, PASSPHRASE).seed
        except kept.KeyExists:
            return None

    with ThreadPoolExecutor(len(seeds)) as pool:
        won = [seed for seed in pool.map(attempt, seeds) if seed is not None]
    assert won == [keys.unlock("alice", PASSPHRASE).seed]
    assert list(contents(keys)) == ["alice.json"]


def test_a_disk_that_fills_up_loses_nothing(keys: Keystore) -> None:
    """
    Given a kept key and a file system that takes no more bytes,
    when a key is created and a passphrase changed,
    then both fail, the folder is as it was, and the old passphrase opens the key.
    """
    keys.create("alice", PASSPHRASE)
    before = contents(keys)
    command = [sys.executable, "-c", FULL_DISK, str(keys.folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["OSError", "OSError"], "")
    assert contents(keys) == before


def test_a_changed_passphrase_takes_the_place_of_the_old(keys: Keystore) -> None:
    """
    Given a key of a low cost,
    when a keystore of a higher cost changes its passphrase,
    then the same key opens with the new one only, at the new cost.
    """
    keys.store("alice", SEED, PASSPHRASE)
    dearer = Keystore(keys.folder, Cost(memory_kib=16, iterations=2, lanes=2))
    dearer.change_passphrase("alice", PASSPHRASE, "battery staple")
    assert keys.unlock("alice", "battery staple").seed == SEED
    with pytest.raises(kept.WrongPassphrase):
        keys.unlock("alice", PASSPHRASE)
    kdf = msgspec.json.decode((keys.folder / "alice.json").read_bytes())["kdf"]
    assert (kdf["memory_kib"], kdf["iterations"], kdf["lanes"]) == (16, 2, 2)


def test_a_wrong_passphrase_changes_nothing(keys: Keystore) -> None:
    """
    Given a kept key,
    when its passphrase is changed by somebody who does not know it,
    then it is refused and the file has the same bytes.
    """
    keys.create("alice", PASSPHRASE)
    before = contents(keys)
    with pytest.raises(kept.WrongPassphrase):
        keys.change_passphrase("alice", "a wrong guess", "battery staple")
    assert contents(keys) == before


def test_a_short_new_passphrase_is_refused(keys: Keystore) -> None:
    """
    Given a passphrase of seven characters,
    when a key is created, stored or given it,
    then it is refused and nothing is written; eight are enough.
    """
    with pytest.raises(kept.WeakPassphrase, match="at least 8 characters"):
        keys.create("alice", "7 chars")
    with pytest.raises(kept.WeakPassphrase):
        keys.store("alice", SEED, "e\u0301" * 7)  # seven letters, each in two code points
    assert not keys.folder.exists()
    keys.create("alice", "8 chars.")
    before = contents(keys)
    with pytest.raises(kept.WeakPassphrase):
        keys.change_passphrase("alice", "8 chars.", "")
    assert contents(keys) == before


def test_a_removed_key_is_gone(keys: Keystore) -> None:
    """
    Given two keys,
    when one is removed,
    then the other is left, and removing again says that there is none.
    """
    keys.create("alice", PASSPHRASE)
    keys.create("bob", PASSPHRASE)
    keys.remove("alice")
    assert (keys.names(), list(contents(keys))) == (["bob"], ["bob.json"])
    with pytest.raises(kept.KeyNotFound, match=r"no key alice.*\(bob\)"):
        keys.remove("alice")


def test_a_missing_key_is_answered_with_those_that_are_there(keys: Keystore) -> None:
    """
    Given no folder, then a folder with a key,
    when another key is asked for,
    then the answer names the keys that there are, and no folder was made.
    """
    for ask in (
        lambda: keys.unlock("bob", PASSPHRASE),
        lambda: keys.public_key("bob"),
        lambda: keys.change_passphrase("bob", PASSPHRASE, PASSPHRASE),
    ):
        with pytest.raises(kept.KeyNotFound, match=r"\(none\)"):
            ask()
    assert (keys.names(), keys.folder.exists()) == ([], False)
    keys.create("alice", PASSPHRASE)
    with pytest.raises(kept.KeyNotFound, match=r"\(alice\)"):
        keys.unlock("bob", PASSPHRASE)


def test_names_are_sorted_and_other_files_are_no_keys(keys: Keystore) -> None:
    """
    Given keys and files of other names in the folder,
    when names are listed,
    then they are the keys', sorted.
    """
    names = ["a", "a.b", "a-1", "0", "z" * 64, "x.json"]
    for name in names:
        keys.create(name, PASSPHRASE)
    for other in (".a.0123456789abcdef", ".hidden.json", "A.json", "README", ".json"):
        (keys.folder / other).write_text("")
    assert keys.names() == sorted(names)


@pytest.mark.parametrize(
    "name",
    ["", ".", "..", "../alice", "a/b", "A", "-a", "_a", ".a", "a b", "a\n", "a\0", "z" * 65, "é"],
)
def test_a_text_that_names_no_key_is_refused(keys: Keystore, name: str) -> None:
    """
    Given a text that is no name, such as a path out of the folder,
    when it is used as one,
    then it is refused and nothing is touched.
    """
    for act in (
        lambda: keys.create(name, PASSPHRASE),
        lambda: keys.unlock(name, PASSPHRASE),
        lambda: keys.remove(name),
    ):
        with pytest.raises(kept.BadKeyName, match="can't name a key"):
            act()
    assert not keys.folder.exists()


def test_every_error_has_its_own_code_and_the_one_exit_code() -> None:
    """
    Given all errors of keys,
    when their codes are listed,
    then each has its own, and the exit code of all is 77.
    """
    kinds: list[type[KeystoreError]] = [KeystoreError, *KeystoreError.__subclasses__()]
    assert {kind.code: kind.exit_code for kind in kinds} == {
        "keystore_error": 77,
        "wrong_passphrase": 77,
        "key_not_found": 77,
        "key_exists": 77,
        "bad_key_file": 77,
        "insecure_permissions": 77,
        "weak_passphrase": 77,
        "bad_key_name": 77,
        "too_little_memory": 77,
    }
