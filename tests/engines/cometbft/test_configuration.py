"""CometBFT's configuration: every key is one that the program knows, and the file is ours alone."""

from __future__ import annotations

import subprocess
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tongbao.engines.cometbft.configuration import (
    FILE,
    LEFT_OUT,
    Configuration,
    ConfigurationError,
    StateSync,
    configuration_text,
    is_ours,
    write_configuration,
)
from tongbao.engines.cometbft.keys import read_node_id, write_node_key

PLAIN = Configuration(application=Path("/run/t/abci.sock"), rpc=Path("/run/t/rpc.sock"))
PEER = "0123456789abcdef0123456789abcdef01234567@validator-2.example:26656"
FULL = msgspec.structs.replace(
    PLAIN,
    moniker="bank-1",
    p2p_listen="tcp://10.0.0.1:26656",
    external_address="validator-1.example:26656",
    persistent_peers=(PEER, PEER.replace("-2", "-3")),
    filter_peers=True,
    timeout_commit_ms=200,
    metrics_listen="127.0.0.1:26660",
    remote_signer_listen="unix:///run/t/signer.sock",
    extra_rpc="tcp://127.0.0.1:26657",
    state_sync=StateSync(
        rpc_servers=("tcp://127.0.0.1:1", "tcp://127.0.0.1:2"),
        trust_height=7,
        trust_hash="ab" * 32,
    ),
)


def keys_of(tables: Mapping[str, Any], before: str = "") -> dict[str, type]:
    """Every key by its whole name, with the kind of its value."""
    found: dict[str, type] = {}
    for name, value in tables.items():
        whole = before + name
        if whole in LEFT_OUT:
            continue
        found |= keys_of(value, whole + ".") if isinstance(value, dict) else {whole: type(value)}
    return found


@pytest.mark.parametrize("settings", [PLAIN, FULL], ids=["plain", "full"])
def test_our_keys_are_the_keys_of_cometbft(tmp_path: Path, settings: Configuration) -> None:
    """
    Given the configuration that the program's own `init` writes,
    when ours is compared with it, key by key, but for what is left out by name,
    then both have the same keys with values of the same kinds, and the program reads ours.
    """
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    theirs = tmp_path / "theirs"
    run = subprocess.run(
        [PROGRAM, "init", "--home", theirs], capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    ours = tmp_path / "ours"
    assert write_configuration(ours, settings) is None
    read = [tomllib.loads((home / FILE).read_text()) for home in (ours, theirs)]
    assert keys_of(read[0]) == keys_of(read[1])
    write_node_key(ours)
    said = subprocess.run(
        [PROGRAM, "show-node-id", "--home", ours], capture_output=True, text=True, check=False
    )
    assert (said.stdout.strip(), said.stderr) == (read_node_id(ours), "")


def test_the_settings_stand_in_the_file() -> None:
    """
    Given settings of every kind,
    when the text is made,
    then TOML reads from it what was meant.
    """
    read = tomllib.loads(configuration_text(FULL))
    assert read["proxy_app"] == "unix:///run/t/abci.sock"
    assert read["rpc"]["laddr"] == "unix:///run/t/rpc.sock,tcp://127.0.0.1:26657"
    assert read["p2p"]["persistent_peers"] == f"{PEER},{PEER.replace('-2', '-3')}"
    assert (read["p2p"]["pex"], read["filter_peers"]) == (False, True)
    assert read["consensus"]["timeout_commit"] == "200ms"
    assert read["instrumentation"]["prometheus_listen_addr"] == "127.0.0.1:26660"
    assert read["statesync"]["rpc_servers"] == "tcp://127.0.0.1:1,tcp://127.0.0.1:2"
    assert read["statesync"]["trust_period"] == "1209600000ms"
    assert not tomllib.loads(configuration_text(PLAIN))["instrumentation"]["prometheus"]


def test_a_file_that_was_changed_by_hand_is_kept_beside(tmp_path: Path) -> None:
    """
    Given a configuration that was written twice, and then changed by hand,
    when it is written again,
    then the file is ours again, for this user alone, and what was there lies beside it.
    """
    assert [write_configuration(tmp_path, of) for of in (PLAIN, FULL)] == [None, None]
    file = tmp_path / FILE
    edited = file.read_text().replace("26656", "26999")
    file.write_text(edited)
    kept = write_configuration(tmp_path, PLAIN)
    assert kept is not None and kept.read_text() == edited
    assert file.read_text() == configuration_text(PLAIN)
    assert is_ours(file.read_bytes()) and not is_ours(edited.encode())
    assert file.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("moniker", 'bank"\nrpc'),
        ("p2p_listen", "0.0.0.0:26656"),
        ("persistent_peers", ("0123@host:1",)),
        ("timeout_commit_ms", 201),
        ("mempool_transactions", 0),
        ("persistent_peers", (PEER.replace("26656", "65536"),)),
        ("persistent_peers", (PEER.replace("validator", 'valid"ator'),)),
        ("persistent_peers", (PEER.replace("validator", "validator:1"),)),
        ("p2p_listen", "tcp://0.0.0.0:99999"),
        ("p2p_listen", "tcp://0.0.0.0"),
        ("p2p_listen", "tcp://0.0.0.0\x9f:1"),
        ("external_address", "bank.example:70000"),
        ("external_address", "bank'.example:7000"),
        ("extra_rpc", "tcp://127.0.0.1:65536"),
        ("remote_signer_listen", "tcp://127.0.0.1:65536"),
        ("metrics_listen", "here"),
        ("log_level", "info\nunsafe = true"),
        ("remote_signer_listen", "signer"),
        ("extra_rpc", "tcp://127.0.0.1:1,tcp://0.0.0.0:2"),
        ("rpc", Path("/run/a,b/rpc.sock")),
    ],
)
def test_a_setting_without_sense_is_refused_by_its_name(name: str, value: object) -> None:
    """
    Given a setting that CometBFT would not understand, or would understand as two,
    when the text is made,
    then a ConfigurationError says which setting it is.
    """
    settings = msgspec.structs.replace(PLAIN, **{name: value})
    with pytest.raises(ConfigurationError, match="rpc.sock" if name == "rpc" else name) as caught:
        configuration_text(settings)
    is_address = name.endswith(("listen", "peers", "address", "extra_rpc"))
    assert ("HOST:PORT" in str(caught.value), "regex" in str(caught.value)) == (
        is_address,
        name in ("moniker", "log_level"),
    )


@pytest.mark.parametrize("port", [0, 1, 9_999, 10_000, 59_999, 64_999, 65_499, 65_529, 65_535])
@pytest.mark.parametrize("host", ["10.0.0.1", "[::1]", "bank-1.example"])
def test_every_port_of_every_kind_of_host_is_taken(host: str, port: int) -> None:
    """Given a name or an address with a port that there is, when it is checked, then it is kept."""
    settings = msgspec.structs.replace(
        PLAIN,
        p2p_listen=f"tcp://{host}:{port}",
        external_address=f"{host}:{port}",
        persistent_peers=(f"{'0' * 40}@{host}:{port}",),
    )
    read = tomllib.loads(configuration_text(settings))["p2p"]
    assert (read["laddr"], read["external_address"]) == (f"tcp://{host}:{port}", f"{host}:{port}")
