"""Commands that begin a network, or join one, without a node that runs."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest

from tests.cli.calling import Place
from tongbao.cli.exits import Exit
from tongbao.sdk.keystore import Cost, Keystore
from tongbao.sdk.opening import OPERATOR

CHEAP = Cost(memory_kib=8, iterations=1)
FILES = ("node_key.json", "priv_validator_key.json")


@pytest.fixture
def network(tmp_path: Path) -> Place:
    """A network of one node, laid out; and its genesis file."""
    place = Place(tmp_path / "first")
    assert place.passphrase is not None
    Keystore(place.folder / "keys", CHEAP).create(OPERATOR, place.passphrase)
    place.do("init", "--engine", "cometbft", "--name", "net")
    return place


def test_a_network_is_begun_with_keys_that_its_genesis_file_names(network: Place) -> None:
    """
    Given a network that `tongbao init` has laid out,
    when its genesis file, its keys and what the doctor says are looked at,
    then the node's key is the one validator and its id the one peer, the files are its owner's
    alone, and nothing is broken.
    """
    genesis = msgspec.json.decode((network.folder / "genesis.json").read_bytes())
    keys = network.do("keys", "node")
    [governance] = [one for one in genesis["sections"] if one["module"] == "governance"]
    assert genesis["engine"] == {"name": "cometbft", "keys": [keys["validator"]]}
    assert governance["content"]["peers"] == [keys["node"]]
    for name in FILES:
        assert (network.folder / "cometbft" / "config" / name).stat().st_mode & 0o077 == 0
    told = network.call("doctor")
    assert told.code == Exit.DONE
    assert keys["node"] in told.out
    told = network.call("status")
    assert (told.code, "tongbao run" in told.err) == (Exit.NO_INPUT, True)


def test_a_node_joins_by_the_genesis_file_alone(network: Place, tmp_path: Path) -> None:
    """
    Given the genesis file of a network,
    when a folder with keys, and another without, are laid out by it, and one a second time,
    then both are of the chain, with keys of their own that stay, and the second time is refused.
    """
    genesis = network.folder / "genesis.json"
    made = Place(tmp_path / "second").do("keys", "node")
    joined = Place(tmp_path / "second").do("init", "--genesis", str(genesis))
    third = Place(tmp_path / "third").do("init", "--genesis", str(genesis))
    assert (joined["node"], joined["validator"]) == (made["node"], made["validator"])
    assert len({joined["node"], third["node"], network.do("keys", "node")["node"]}) == 3
    assert joined["chain"] == third["chain"]
    assert (tmp_path / "third" / "genesis.json").read_bytes() == genesis.read_bytes()
    again = Place(tmp_path / "third").call("init", "--genesis", str(genesis))
    assert (again.code, "already holds a chain" in again.err) == (Exit.NO_INPUT, True)


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("--name", "other"), "--name is for a new chain"),
        (("--engine", "solo"), "--engine is for a new chain"),
        (("--module", "loyalty"), "--module is for a new chain"),
    ],
)
def test_who_joins_says_nothing_that_the_genesis_file_says(
    network: Place, tmp_path: Path, words: tuple[str, str], says: str
) -> None:
    """
    Given the genesis file of a network,
    when somebody joins and names the chain, its engine or its modules as well,
    then the command is refused, and there is no folder.
    """
    genesis = str(network.folder / "genesis.json")
    told = Place(tmp_path / "other").call("init", "--genesis", genesis, *words)
    assert (told.code, says in told.err) == (Exit.USAGE, True)
    assert not (tmp_path / "other").exists()


def test_a_solo_genesis_file_has_no_nodes_to_join(place: Place, tmp_path: Path) -> None:
    """
    Given the genesis file of a chain with one authority,
    when somebody joins by it,
    then the command says that it has no other nodes.
    """
    genesis = str(place.folder / "genesis.json")
    told = Place(tmp_path / "other").call("init", "--genesis", genesis)
    assert (told.code, "no other nodes" in told.err) == (Exit.NO_INPUT, True)


def test_a_bad_genesis_file_is_named_with_what_to_do_about_it(tmp_path: Path) -> None:
    """
    Given a file that is no genesis file,
    when a node is to join by it,
    then the error and its advice name the file, and no folder is made.
    """
    genesis = tmp_path / "bad.json"
    genesis.write_text('{"format":')
    told = Place(tmp_path / "node").call("init", "--genesis", str(genesis))
    assert told.code == Exit.CONFIGURATION
    assert f"{genesis}: the genesis file can't be read" in told.err
    assert f"get {genesis} anew" in told.err
    assert not (tmp_path / "node").exists()
