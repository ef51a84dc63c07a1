"""The keys in CometBFT's home are what the program itself makes of them, and are made once."""

from __future__ import annotations

import json
import logging
import subprocess
from pathlib import Path

import msgspec
import pytest

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tests.fixed_chain import fixed_genesis
from tongbao.engines.cometbft.configuration import Configuration, write_configuration
from tongbao.engines.cometbft.genesis_document import (
    FILE,
    GenesisMismatch,
    genesis_document,
    rfc3339,
    write_genesis_document,
)
from tongbao.engines.cometbft.keys import (
    NODE_KEY,
    VALIDATOR_KEY,
    VALIDATOR_STATE,
    KeyFileError,
    check_keys,
    read_node_id,
    read_validator_key,
    write_node_key,
    write_validator_key,
)
from tongbao.kernel.genesis import Genesis, GenesisError, Origin, chain_id
from tongbao.kernel.identifiers import ChainId, Count, Hash, Time

SEED = bytes(range(32))
SEED_PUBLIC = bytes.fromhex("03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8")
"""RFC 8032's public key of that seed, as any other library gives it."""


def asked(home: Path, command: str) -> str:
    """What the program says about its home."""
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    said = subprocess.run(
        [PROGRAM, command, "--home", home], capture_output=True, text=True, check=False
    )
    assert said.returncode == 0, said.stderr
    return said.stdout.strip()


@pytest.mark.parametrize("seed", [SEED, None], ids=["of a seed", "new"])
def test_cometbft_reads_our_keys_as_we_do(tmp_path: Path, seed: bytes | None) -> None:
    """
    Given a node key and a voting key, of a seed or new,
    when the program is asked for the node's id and the validator,
    then both are what was returned, and what the files say; and only this user may read them.
    """
    write_configuration(tmp_path, Configuration(application=Path("/a"), rpc=Path("/b")))
    node_id, public = write_node_key(tmp_path, seed), write_validator_key(tmp_path, seed)
    assert asked(tmp_path, "show-node-id") == node_id == read_node_id(tmp_path)
    shown = json.loads(asked(tmp_path, "show-validator"))
    assert shown["type"] == "tendermint/PubKeyEd25519"
    assert msgspec.convert(shown["value"], bytes) == public == read_validator_key(tmp_path)
    assert (public == SEED_PUBLIC) == (seed is not None)
    for file in (NODE_KEY, VALIDATOR_KEY, VALIDATOR_STATE):
        assert (tmp_path / file).stat().st_mode & 0o777 == 0o600


def test_keys_and_the_memory_of_votes_are_never_written_over(tmp_path: Path) -> None:
    """
    Given a home with keys,
    when keys are to be made again, also after the voting key alone was removed,
    then a KeyFileError says so, and every file is as it was.
    """
    write_node_key(tmp_path)
    write_validator_key(tmp_path)
    before = {file: file.read_bytes() for file in tmp_path.rglob("*.json")}
    for write in (write_node_key, write_validator_key):
        with pytest.raises(KeyFileError, match="is not written over"):
            write(tmp_path, SEED)
    assert {file: file.read_bytes() for file in tmp_path.rglob("*.json")} == before
    (tmp_path / VALIDATOR_KEY).unlink()
    with pytest.raises(KeyFileError, match=r"priv_validator_state\.json is there already"):
        write_validator_key(tmp_path, SEED)
    assert not (tmp_path / VALIDATOR_KEY).exists()


def test_a_file_that_is_no_key_is_named(tmp_path: Path) -> None:
    """
    Given no voting key, one whose halves don't belong together, one of another address, and text,
    when it is read,
    then a KeyFileError names the file.
    """
    with pytest.raises(KeyFileError, match=f"there is no .*{VALIDATOR_KEY.name}"):
        read_validator_key(tmp_path)
    write_validator_key(tmp_path, SEED)
    file = tmp_path / VALIDATOR_KEY
    good = json.loads(file.read_text())
    private = msgspec.to_builtins(SEED + SEED)
    halves = {"type": "tendermint/PrivKeyEd25519", "value": private}
    for damaged in (
        json.dumps(good | {"priv_key": halves}),
        json.dumps(good | {"address": "00" * 20}),
        "no key",
    ):
        file.write_text(damaged)
        with pytest.raises(KeyFileError, match=VALIDATOR_KEY.name):
            read_validator_key(tmp_path)


def test_a_node_has_just_the_keys_that_it_needs(tmp_path: Path) -> None:
    """
    Given a home with all keys, one without the memory of votes, and one without the voting key,
    when a node is to vote itself, or by a remote signer,
    then only the first may vote itself, only the last by a signer, and the others are told why.
    """
    write_node_key(tmp_path)
    write_validator_key(tmp_path)
    check_keys(tmp_path, has_remote_signer=False)
    with pytest.raises(KeyFileError, match=f"{VALIDATOR_KEY} is here too"):
        check_keys(tmp_path, has_remote_signer=True)
    (tmp_path / VALIDATOR_STATE).unlink()
    with pytest.raises(KeyFileError, match="memory of votes"):
        check_keys(tmp_path, has_remote_signer=False)
    (tmp_path / VALIDATOR_KEY).unlink()
    check_keys(tmp_path, has_remote_signer=True)
    with pytest.raises(KeyFileError, match=f"there is no .*{VALIDATOR_KEY.name}"):
        check_keys(tmp_path, has_remote_signer=False)


@pytest.mark.parametrize("content", ["", '{"height":"7","rou', "{}", '{"height":7}', "\0" * 33])
def test_a_node_that_can_not_read_what_it_has_voted_for_does_not_start(
    tmp_path: Path, content: str
) -> None:
    """
    Given keys, and a memory of votes that is empty, cut short or overwritten,
    when they are looked at,
    then it is a KeyFileError that names the file, and nothing is written over it.
    """
    write_node_key(tmp_path)
    write_validator_key(tmp_path)
    (tmp_path / VALIDATOR_STATE).write_text(content)
    with pytest.raises(KeyFileError, match=r"priv_validator_state.json can't be read"):
        check_keys(tmp_path, has_remote_signer=False)
    assert (tmp_path / VALIDATOR_STATE).read_text() == content


def test_a_memory_of_votes_as_cometbft_writes_it_is_read(tmp_path: Path) -> None:
    """Given the memory of a vote with its signature, when it is looked at, then it is right."""
    write_node_key(tmp_path)
    write_validator_key(tmp_path)
    vote = {"height": "12", "round": 1, "step": 3, "signature": "AAAA", "signbytes": "0A0B"}
    (tmp_path / VALIDATOR_STATE).write_text(json.dumps(vote, indent=2))
    check_keys(tmp_path, has_remote_signer=False)


@pytest.mark.parametrize("mode", [0o600, 0o640, 0o604])
def test_a_key_that_others_may_read_is_told(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: int
) -> None:
    """
    Given both keys, for this user alone or for others as well,
    when they are looked at,
    then a warning for each that others may read says what to do, and the node may start.
    """
    write_node_key(tmp_path)
    write_validator_key(tmp_path)
    files = [tmp_path / NODE_KEY, tmp_path / VALIDATOR_KEY]
    for file in files:
        file.chmod(mode)
    with caplog.at_level(logging.WARNING):
        check_keys(tmp_path, has_remote_signer=False)
    told = [record.getMessage().partition("do: ")[2] for record in caplog.records]
    assert told == ([] if mode == 0o600 else [f"chmod 600 {file}" for file in files])


def test_the_genesis_document_is_the_same_everywhere_and_stays(tmp_path: Path) -> None:
    """
    Given our genesis file, and the one of a chain that goes on after block 41 of another,
    when CometBFT's document is made,
    then it names our chain, our time and the first height, but no validators; it is written once,
    and another chain's in its place is refused.
    """
    genesis = fixed_genesis()
    written = json.loads(genesis_document(genesis))
    assert written["chain_id"] == chain_id(genesis)
    assert written["genesis_time"] == rfc3339(genesis.time)
    assert (written["initial_height"], "validators" in written) == ("1", False)
    assert written["consensus_params"]["block"] == {"max_bytes": "4194304", "max_gas": "-1"}
    assert genesis_document(genesis) == genesis_document(fixed_genesis())
    write_genesis_document(tmp_path, genesis)
    write_genesis_document(tmp_path, genesis)
    assert (tmp_path / FILE).read_bytes() == genesis_document(genesis)
    later = after_another(genesis)
    assert json.loads(genesis_document(later))["initial_height"] == "42"
    with pytest.raises(GenesisMismatch, match="use another folder"):
        write_genesis_document(tmp_path, later)


def after_another(genesis: Genesis) -> Genesis:
    """A chain that goes on after block 41 of another."""
    origin = Origin(
        chain=ChainId("old-01234567"),
        height=Count(41),
        time=Time(genesis.time),
        header=Hash("00" * 32),
        state=Hash("11" * 32),
    )
    return msgspec.structs.replace(genesis, origin=origin)


@pytest.mark.parametrize(
    ("milliseconds", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (1_790_000_000_120, "2026-09-21T14:13:20.12Z"),
        (1_790_000_000_001, "2026-09-21T14:13:20.001Z"),
    ],
)
def test_a_time_is_written_without_idle_zeros(milliseconds: int, text: str) -> None:
    """
    Given milliseconds since 1970,
    when they are written for CometBFT,
    then the text is RFC 3339 in UTC, as Go writes it.
    """
    assert rfc3339(milliseconds) == text


def test_a_time_that_no_calendar_has_is_refused() -> None:
    """
    Given the largest time that a genesis file can hold,
    when CometBFT's document is made,
    then it is a GenesisError that says which year is the last.
    """
    genesis = msgspec.structs.replace(fixed_genesis(), time=Time(2**53 - 1))
    with pytest.raises(GenesisError, match="the year 9999"):
        genesis_document(genesis)
