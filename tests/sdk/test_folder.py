"""The files of a chain's folder: written whole, never over another's, read in their one form."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.fixed_chain import FixedChain, fixed_genesis, key
from tongbao.kernel import Genesis
from tongbao.kernel.genesis import chain_id, write_genesis
from tongbao.sdk.folder import Folder, FolderError, trust_bytes
from tongbao.sdk.proofs import FORMAT, TrustFile, to_json
from tongbao.sdk.verification import verify

Change = Callable[[bytes], bytes]

LIMITED = """
import resource, sys
from pathlib import Path
from tongbao.kernel.genesis import read_genesis
from tongbao.sdk.folder import Folder
genesis = read_genesis(Path(sys.argv[1]).read_bytes())
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]), int(sys.argv[3])))
try:
    Folder(sys.argv[2]).lay_out(genesis)
except OSError as error:
    print(type(error).__name__)
"""
"""Lays a folder out while no file may have more than so many bytes, as on a disk that is full."""


@pytest.fixture
def genesis() -> Genesis:
    """A genesis whose every byte is fixed."""
    return fixed_genesis()


def names(folder: Path) -> list[str]:
    """Everything in a folder, by name."""
    return sorted(path.name for path in folder.iterdir())


def test_naming_a_folder_touches_nothing(tmp_path: Path) -> None:
    """
    Given a path where nothing is,
    when it is named as a chain's folder, as text and as a path,
    then there is no chain, nothing is made, and every file has its place.
    """
    absent = tmp_path / "absent"
    for place in (Folder(absent), Folder(str(absent))):
        assert not place.exists
        assert (place.path, place.genesis_file, place.trust_file, place.keys) == (
            absent,
            absent / "genesis.json",
            absent / "trust.json",
            absent / "keys",
        )
    assert names(tmp_path) == []


def test_what_was_laid_out_is_read_back_as_it_was(tmp_path: Path, genesis: Genesis) -> None:
    """
    Given a genesis,
    when a folder is laid out with it, deep below what is there,
    then it has two files and no others: genesis in its one spelling, and the trust file.
    """
    place = Folder(tmp_path / "some" / "where")
    place.lay_out(genesis)
    assert names(place.path) == ["genesis.json", "trust.json"]
    assert place.exists
    assert place.genesis() == genesis
    assert place.genesis_file.read_bytes() == write_genesis(genesis)
    assert msgspec.json.decode(place.trust_file.read_bytes()) == msgspec.json.decode(
        trust_bytes(genesis)
    )
    assert place.trust_file.read_bytes().endswith(b"}\n")


def test_a_folder_is_laid_out_once(tmp_path: Path, genesis: Genesis) -> None:
    """
    Given a folder with a chain,
    when another genesis is laid out there,
    then it is refused, and both files are as they were.
    """
    place = Folder(tmp_path)
    place.lay_out(genesis)
    before = {name: (tmp_path / name).read_bytes() for name in names(tmp_path)}
    other = fixed_genesis({"kernel.due_items": 5})
    with pytest.raises(FolderError, match="already holds a chain: open it, or name another"):
        place.lay_out(other)
    assert {name: (tmp_path / name).read_bytes() for name in names(tmp_path)} == before


def test_what_an_earlier_start_left_half_done_is_replaced(tmp_path: Path, genesis: Genesis) -> None:
    """
    Given a folder with another chain's trust file and halves of files, but no genesis file,
    when a genesis is laid out there,
    then both files are this chain's, and no halves are left.
    """
    (tmp_path / "trust.json").write_bytes(trust_bytes(fixed_genesis({"kernel.due_items": 5})))
    (tmp_path / "trust.part").write_bytes(b"x" * 100_000)
    (tmp_path / "genesis.part").write_bytes(b"{")
    Folder(tmp_path).lay_out(genesis)
    assert names(tmp_path) == ["genesis.json", "trust.json"]
    assert Folder(tmp_path).genesis() == genesis
    trust = msgspec.json.decode((tmp_path / "trust.json").read_bytes(), type=TrustFile)
    assert trust.chain == chain_id(genesis)


@pytest.mark.parametrize("limit", [0, 20, 400])
def test_a_full_disk_leaves_no_half_of_a_genesis_file(
    tmp_path: Path, genesis: Genesis, limit: int
) -> None:
    """
    Given a disk without space for the trust file, or for the genesis file after it,
    when a folder is laid out, and again once there is space,
    then the first time there is no chain in it, and the second time a whole one.
    """
    source = tmp_path / "source.json"
    source.write_bytes(write_genesis(genesis))
    assert len(trust_bytes(genesis)) < 400 < source.stat().st_size
    place = Folder(tmp_path / "chain")
    ended = subprocess.run(
        [sys.executable, "-c", LIMITED, str(source), str(place.path), str(limit)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.stdout, ended.stderr) == ("OSError\n", "")
    assert not place.exists
    assert ("trust.json" in names(place.path)) == (limit == 400)
    place.lay_out(genesis)
    assert names(place.path) == ["genesis.json", "trust.json"]
    assert place.genesis() == genesis


def test_a_folder_without_a_chain_has_no_genesis(tmp_path: Path) -> None:
    """
    Given an empty folder,
    when its genesis is asked for,
    then the error says which command begins a chain right there.
    """
    with pytest.raises(FolderError) as caught:
        Folder(tmp_path).genesis()
    assert str(caught.value) == (
        f"{tmp_path} holds no chain: begin one with `tongbao init --folder {tmp_path}`"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"",
        lambda text: text[:-1],
        lambda text: text + b"\n",
        lambda text: text.replace(b'":', b'": ', 1),
        lambda text: text.replace(b'"format":1', b'"format":2', 1),
        lambda text: text.replace(b'"chain":"fixed"', b'"chain":"FIXED"', 1),
        lambda text: bytes(len(text)),
        lambda text: b"\xff" + text,
    ],
    ids=["empty", "cut", "line end", "space", "format", "name", "zeros", "no UTF-8"],
)
def test_a_damaged_genesis_file_is_named(tmp_path: Path, genesis: Genesis, change: Change) -> None:
    """
    Given a chain's folder whose genesis file is not what was written,
    when it is read,
    then it is refused; the error begins with the file's path, the advice is to restore it.
    """
    place = Folder(tmp_path)
    place.lay_out(genesis)
    place.genesis_file.write_bytes(change(place.genesis_file.read_bytes()))
    with pytest.raises(FolderError) as caught:
        place.genesis()
    assert str(caught.value).startswith(f"{place.genesis_file}: ")
    assert caught.value.advice == (
        f"bring {place.genesis_file} back from a copy: it never changes, and every party of the "
        "chain has the same"
    )


@pytest.mark.parametrize(
    "change",
    [
        lambda text: b"",
        lambda text: b"\xff",
        lambda text: text.replace(b"fixed-", b"other-"),
        lambda text: text.replace(b'"keys": [', b'"keys": ["' + b"A" * 43 + b'", '),
        lambda text: text.replace(b"{", b'{"more": 1, ', 1),
    ],
    ids=["empty", "no UTF-8", "chain", "key", "member"],
)
def test_a_trust_file_that_is_not_genesis_own_is_told(
    tmp_path: Path, genesis: Genesis, change: Change
) -> None:
    """
    Given a chain's folder,
    when its trust file is compared as it is, spelled otherwise, gone, and changed,
    then only the changed one is told, with the command that writes it anew.
    """
    place = Folder(tmp_path)
    place.lay_out(genesis)
    text = place.trust_file.read_bytes()
    assert place.foreign_trust(genesis) == ""
    place.trust_file.write_bytes(trust_bytes(genesis))
    assert place.foreign_trust(genesis) == ""
    place.trust_file.unlink()
    assert place.foreign_trust(genesis) == ""
    assert change(text) != text
    place.trust_file.write_bytes(change(text))
    assert place.foreign_trust(genesis) == (
        f"{place.trust_file} is not the one of genesis.json: hand it to nobody, and write it anew "
        f"with `tongbao proof trust --folder {tmp_path} --out {place.trust_file}`"
    )


def test_the_trust_file_is_all_that_a_verifier_needs(tmp_path: Path) -> None:
    """
    Given a chain's laid-out folder and a proof from the running chain,
    when the proof is verified against the trust file as it lies there,
    then it is believed, and the trust file names chain, engine and the one authority.
    """
    fixed = FixedChain()
    fixed.make(fixed.pay("12.50"))
    place = Folder(tmp_path)
    place.lay_out(fixed.genesis)
    chain = fixed.reading()
    proof = to_json(chain.prove_row("asset.holdings", (fixed.shop, fixed.cny)))
    verified = verify(proof, place.trust_file.read_bytes())
    assert verified.value == {"@version": 1, "amount": "12.50"}
    assert msgspec.json.decode(place.trust_file.read_bytes()) == {
        "format": FORMAT,
        "chain": chain.id,
        "engine": "solo",
        "keys": [key("authority").key_id],
    }
