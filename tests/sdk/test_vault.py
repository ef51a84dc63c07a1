"""A vault: records that only its passphrase opens, each whole under its own name."""

from __future__ import annotations

import shutil
import stat
from pathlib import Path

import pytest

from tongbao.sdk.key_file import Cost
from tongbao.sdk.keystore_errors import InsecurePermissions, WeakPassphrase, WrongPassphrase
from tongbao.sdk.vault import RECORD_BYTES_LIMIT, Vault, VaultError

CHEAP = Cost(memory_kib=8, iterations=1)
PASSPHRASE = "correct horse battery"


def test_records_are_there_after_opening_again(tmp_path: Path) -> None:
    """Given a vault with records.

    When it is closed and opened again
    Then they are there, in files that nobody else may read and that hold nothing in the clear
    """
    folder = tmp_path / "vault"
    with Vault.create(folder, PASSPHRASE, CHEAP) as vault:
        vault.put("b.one", b"a half of a key")
        vault.put("b.two", b"")
        vault.put("b.one", b"another half")
    with Vault.open(folder, PASSPHRASE) as vault:
        assert vault.names() == ["b.one", "b.two"]
        assert (vault.get("b.one"), vault.get("b.two")) == (b"another half", b"")
        vault.remove("b.two")
        assert vault.names() == ["b.one"]
        for missing in (vault.get, vault.remove):
            with pytest.raises(KeyError):
                missing("b.two")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for file in folder.iterdir():
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert b"half" not in file.read_bytes()


def test_a_record_opens_under_its_name_in_its_vault_alone(tmp_path: Path) -> None:
    """Given two vaults with one passphrase.

    When a record is renamed, altered, cut, or brought from the other vault
    Then it does not open, and the text of the error says what to do
    """
    one, other = tmp_path / "one", tmp_path / "other"
    with (
        Vault.create(one, PASSPHRASE, CHEAP) as vault,
        Vault.create(other, PASSPHRASE, CHEAP) as another,
    ):
        vault.put("a", b"text")
        another.put("c", b"text")
        shutil.copy(one / "a.record", one / "b.record")
        shutil.copy(other / "c.record", one / "c.record")
        kept = (one / "a.record").read_bytes()
        (one / "a.record").write_bytes(kept[:-1] + bytes([kept[-1] ^ 1]))
        (one / "d.record").touch(mode=0o600)
        for name in "abcd":
            with pytest.raises(VaultError, match="restore it from a copy"):
                vault.get(name)


def test_only_the_passphrase_opens_a_vault_and_it_can_be_changed(tmp_path: Path) -> None:
    """Given a vault.

    When it is opened by another passphrase, by another cost, or after the passphrase was changed
    Then only the passphrase of now opens it, and the records are as they were
    """
    with Vault.create(tmp_path / "v", PASSPHRASE, CHEAP) as vault:
        vault.put("a", b"text")
        vault.change_passphrase(PASSPHRASE, "another one of them")
    with pytest.raises(WrongPassphrase):
        Vault.open(tmp_path / "v", PASSPHRASE)
    with pytest.raises(VaultError, match="another cost"):
        Vault.open(tmp_path / "v", "another one of them", Cost(memory_kib=16))
    assert Vault.open(tmp_path / "v", "another one of them", CHEAP).get("a") == b"text"
    with pytest.raises(WeakPassphrase):
        Vault.create(tmp_path / "w", "short", CHEAP)
    with pytest.raises(VaultError, match="already"):
        Vault.create(tmp_path / "v", PASSPHRASE, CHEAP)
    with pytest.raises(VaultError, match="holds no vault"):
        Vault.open(tmp_path / "nowhere", PASSPHRASE)
    (tmp_path / "v" / "vault.json").write_text("{}")
    with pytest.raises(VaultError, match="no vault of this version"):
        Vault.open(tmp_path / "v", PASSPHRASE)


def test_names_records_and_folders_have_their_limits(tmp_path: Path) -> None:
    """Given a vault.

    When a name leads out of it, a record is too long, it is closed, or others may read the folder
    Then each is refused
    """
    vault = Vault.create(tmp_path / "v", PASSPHRASE, CHEAP)
    for name in ("", "../a", "a/b", ".a", "A", "a" * 161, "a\n"):
        with pytest.raises(VaultError, match="can't name"):
            vault.put(name, b"")
    with pytest.raises(VaultError, match="at most"):
        vault.put("a", bytes(RECORD_BYTES_LIMIT + 1))
    vault.close()
    with pytest.raises(VaultError, match="closed"):
        vault.get("a")
    (tmp_path / "v").chmod(0o750)
    with pytest.raises(InsecurePermissions):
        Vault.open(tmp_path / "v", PASSPHRASE)
