"""Playing a chain again: the same code gives the same bytes, and no cut leaves half a chain."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.sdk.kept_chain import PASSPHRASE
from tests.sdk.pruned_chain import FIRST, lay
from tongbao.cli.dev import chain as developer
from tongbao.cli.dev.replay import COMPLETE, PLACE, finish, replay
from tongbao.cli.dev.speech import Replayed
from tongbao.kernel import Amount, AssetId
from tongbao.modules import asset
from tongbao.modules.registry import registry
from tongbao.sdk import snapshots
from tongbao.sdk.client import Head
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import AUTHORITY, open_chain
from tongbao.store.base import base_heights, base_name
from tongbao.store.errors import Pruned

CNY = AssetId(f"CNY.{genesis_address(0)}")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A developer's chain on which alice has paid bob twice."""
    developer.begin(tmp_path / "dev", registry())
    with open_chain(tmp_path / "dev", passphrase=developer.PASSPHRASE) as chain:
        developer.fund(chain, tmp_path / "dev")
        key = Keystore(tmp_path / "dev" / "keys").unlock("alice", developer.PASSPHRASE)
        alice = chain.wallet(genesis_address(1), key)
        for amount in ("1.00", "2.00"):
            paid = asset.Transfer(asset=CNY, amount=Amount(amount), payee=genesis_address(2))
            alice.send(paid)
    return tmp_path / "dev"


def head(folder: Path) -> Head:
    """Where the chain is."""
    with open_chain(folder) as chain:
        return chain.head()


def logs(folder: Path) -> dict[str, bytes]:
    """The bytes of the log."""
    return {path.name: path.read_bytes() for path in (folder / "log").iterdir()}


def test_the_same_code_gives_the_same_chain(folder: Path) -> None:
    """
    Given a developer's chain of three blocks,
    when it is played again with the code that has decided it,
    then every outcome and the root are the same, and the folder is as it was.
    """
    before, place = logs(folder), Folder(folder)
    signer = Keystore(place.keys).unlock(AUTHORITY, developer.PASSPHRASE)
    found = replay(folder, place.genesis(), registry(), signer)

    assert found == Replayed(blocks=3, transactions=3, changed=0, is_same_root=True)
    assert logs(folder) == before
    assert not (folder / PLACE).exists()
    assert [person.balance for person in people(folder)] == [
        *("issues CNY", "997.00 CNY", "1003.00 CNY", "1000.00 CNY")
    ]


def people(folder: Path) -> list[developer.Person]:
    """Everybody on the chain."""
    with open_chain(folder) as chain:
        return developer.people(chain)


@pytest.mark.parametrize("moved", [(), ("headers",), ("headers", "log"), ("log", "state")])
def test_a_replay_that_was_complete_is_put_in_place(folder: Path, moved: tuple[str, ...]) -> None:
    """
    Given a complete replay of which some parts were moved into place before a cut,
    when the next start finishes,
    then the chain is that of the replay, and nothing is left of the move.
    """
    before, place = head(folder), folder / PLACE
    place.mkdir()
    for name in ("log", "headers", "state"):
        if name not in moved:
            (folder / name).rename(place / name)
    (place / COMPLETE).touch()
    finish(folder)

    assert head(folder) == before
    assert not place.exists()


def test_a_replay_takes_the_place_of_a_base_too(folder: Path) -> None:
    """
    Given a chain with a base and all its bodies, and a complete replay,
    when the next start finishes,
    then the base, whose rows other code has made, is gone, and the chain needs none.
    """
    before, place = head(folder), folder / PLACE
    snapshots.take(folder, folder / "taken")
    (folder / "taken").rename(folder / base_name(before.height))
    place.mkdir()
    for name in ("log", "headers", "state"):
        (folder / name).rename(place / name)
    (place / COMPLETE).touch()
    finish(folder)

    assert head(folder) == before
    assert base_heights(folder) == []


def test_a_chain_whose_bodies_were_pruned_is_not_played_again(tmp_path: Path) -> None:
    """
    Given a chain with bodies from block 5 on,
    when it is to be played again,
    then the first body that is missing is told, and the folder is as it was.
    """
    pruned = lay(tmp_path / "chain")
    place, before = Folder(pruned.folder), logs(pruned.folder)
    signer = Keystore(place.keys).unlock(AUTHORITY, PASSPHRASE)
    with pytest.raises(Pruned, match=f"the body of block 1 was pruned.* begin with block {FIRST}"):
        replay(pruned.folder, place.genesis(), registry(), signer)

    assert logs(pruned.folder) == before
    assert not (pruned.folder / PLACE).exists()


def test_a_replay_that_was_cut_short_is_removed(folder: Path) -> None:
    """
    Given half a replay beside a chain,
    when the next start finishes,
    then the half is gone, and the chain is as it was.
    """
    before = head(folder)
    shutil.copytree(folder / "log", folder / PLACE / "log")
    finish(folder)

    assert head(folder) == before
    assert not (folder / PLACE).exists()
