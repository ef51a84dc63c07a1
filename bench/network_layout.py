"""Folders of networks on this machine: of our nodes, and of CometBFT's own kvstore.

Both get the same configuration, made by `configuration.py`, and the same consensus parameters.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from bench.workload import Accounts
from tongbao.engines.cometbft.configuration import Configuration, write_configuration
from tongbao.engines.cometbft.genesis_document import FILE, PARAMETERS, rfc3339
from tongbao.engines.cometbft.keys import (
    PUBLIC_TYPE,
    address_of,
    new_seed,
    write_node_key,
    write_validator_key,
)
from tongbao.engines.cometbft.server import PATH_BYTES
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel.genesis import chain_id
from tongbao.localnet.ports import free_ports
from tongbao.modules.registry import registry
from tongbao.sdk.genesis_builder import build_genesis
from tongbao.sdk.network import NetworkOptions, lay_out_node, make_keys
from tongbao.sdk.network_genesis import network_genesis

HOST = "127.0.0.1"
POWER = "10"
OPTIONS = "options.json"
APPLICATION = "app.sock"
RPC = "rpc.sock"


def lay_out_ours(folder: Path, validators: int, accounts: Accounts) -> list[Path]:
    """Folders of our nodes, each with its `options.json`; the accounts learn the chain's id."""
    places = [folder / f"node{place}" for place in range(validators)]
    for place in places:
        place.mkdir(parents=True)
    keys = [make_keys(place) for place in places]
    genesis = network_genesis(registry(), "bench", wall_clock(), keys, accounts.openings[:1])
    # One operator is enough to govern it; the other accounts are customers.
    authority = genesis.engine.keys[0]
    opened = build_genesis(registry(), "bench", genesis.time, authority, accounts.openings)
    sections = (opened.sections[0], *genesis.sections[1:])
    genesis = msgspec.structs.replace(genesis, sections=sections)
    accounts.chain_id = chain_id(genesis)
    peers = _peers([one.node for one in keys])
    for place, (listen, others) in zip(places, peers, strict=True):
        lay_out_node(place, genesis)
        options = NetworkOptions(p2p_listen=listen, persistent_peers=others)
        (place / OPTIONS).write_bytes(msgspec.json.encode(options))
    return places


def lay_out_kvstore(folder: Path, validators: int) -> list[Path]:
    """CometBFT's homes for its kvstore; sockets stand in them."""
    homes = [folder / f"node{place}" for place in range(validators)]
    keys, nodes = [], []
    for home in homes:
        keys.append(write_validator_key(home, new_seed()))
        nodes.append(write_node_key(home, new_seed()))
    document = _kvstore_genesis(keys)
    for home, (listen, others) in zip(homes, _peers(nodes), strict=True):
        assert len(bytes(home / APPLICATION)) <= PATH_BYTES, f"{home}: a socket's path is shorter"
        (home / FILE).write_text(document)
        configuration = Configuration(
            application=home / APPLICATION,
            rpc=home / RPC,
            p2p_listen=listen,
            persistent_peers=others,
        )
        write_configuration(home, configuration)
    return homes


def _peers(nodes: list[str]) -> list[tuple[str, tuple[str, ...]]]:
    """Where each node listens, and the addresses of the others."""
    ports = free_ports(len(nodes), HOST)
    addresses = [f"{node}@{HOST}:{port}" for node, port in zip(nodes, ports, strict=True)]
    return [
        (f"tcp://{HOST}:{port}", tuple(each for each in addresses if each is not address))
        for port, address in zip(ports, addresses, strict=True)
    ]


def _kvstore_genesis(keys: list[bytes]) -> str:
    """A genesis that names its validators, as the kvstore wants it; all else is as ours."""
    validators = [
        {
            "address": address_of(key).hex().upper(),
            "pub_key": msgspec.to_builtins({"type": PUBLIC_TYPE, "value": key}),
            "power": POWER,
            "name": "",
        }
        for key in keys
    ]
    document: dict[str, Any] = {
        "genesis_time": rfc3339(wall_clock()),
        "chain_id": "kvstore",
        "initial_height": "1",
        "consensus_params": PARAMETERS,
        "validators": validators,
        "app_hash": "",
    }
    return json.dumps(document)
