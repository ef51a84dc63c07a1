"""Laying a local network out: keys, one genesis file, a folder for each member."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tongbao.kernel import Genesis, Registry
from tongbao.kernel.genesis import chain_id, read_genesis
from tongbao.localnet.errors import LocalnetError
from tongbao.localnet.holding import LOCK
from tongbao.localnet.plan import (
    FILE,
    FORMAT,
    MEMBERS_LIMIT,
    SECRET_FILE,
    Member,
    Plan,
    council_threshold,
    must_be_name,
    secret_of,
    wipe_advice,
    write_plan,
)
from tongbao.localnet.ports import free_ports
from tongbao.sdk.announced import registry_with
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import genesis_address, single_key
from tongbao.sdk.keystore import Cost, Keystore
from tongbao.sdk.network import NodeKeys, lay_out_node, make_keys
from tongbao.sdk.network_genesis import Council, network_genesis
from tongbao.sdk.opening import OPERATOR

PORTS: Final = 3
"""What a member listens on: HTTP, its peers, light clients."""
COST: Final = Cost(memory_kib=8, iterations=1)
"""Cheap: the passphrase of these keys lies beside them."""


def begin(
    folder: Path, validators: int, name: str, parameters: Mapping[str, int] | None = None
) -> Plan:
    """Make the folders of a new network of so many validators, whose operators govern it together.

    `parameters` are those that genesis sets otherwise than usual.

    Raises LocalnetError, FolderError, OSError.
    """
    must_be_new(folder)
    folder.mkdir(parents=True, exist_ok=True)
    secret = secret_of(folder)
    names = [f"node{place}" for place in range(1, validators + 1)]
    keys = [make_keys(_new_folder(folder / one)) for one in names]
    genesis = _genesis(folder, names, keys, secret, name, parameters)
    ports = free_ports(PORTS * validators)
    members = []
    for place, (one, own) in enumerate(zip(names, keys, strict=True)):
        lay_out_node(folder / one, genesis)
        members.append(
            Member(
                name=one,
                node_id=own.node,
                validator=own.validator,
                operator=genesis_address(place),
                http_port=ports[PORTS * place],
                p2p_port=ports[PORTS * place + 1],
                rpc_port=ports[PORTS * place + 2],
            )
        )
    plan = Plan(format=FORMAT, chain=chain_id(genesis), members=tuple(members))
    write_plan(folder, plan)
    return plan


def must_be_new(folder: Path) -> None:
    """Raise LocalnetError unless a network can begin in a folder."""
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if SECRET_FILE in names and FILE not in names:
        raise LocalnetError(f"the network of {folder} is not whole", wipe_advice(folder))
    if names - {LOCK}:
        raise LocalnetError(f"{folder} is not empty", "name another folder with --folder")


def _new_folder(path: Path) -> Path:
    path.mkdir()
    return path


def _genesis(
    folder: Path,
    names: list[str],
    keys: list[NodeKeys],
    secret: str,
    name: str,
    parameters: Mapping[str, int] | None,
) -> Genesis:
    """The genesis file: an account for each operator, who decide by more than two thirds."""
    registry: Registry = registry_with(())
    accounts = [
        single_key(Keystore(folder / one / "keys", COST).create(OPERATOR, secret).key_id)
        for one in names
    ]
    now = time.time_ns() // 1_000_000
    council = Council(operators=len(names), threshold=council_threshold(len(names)))
    return network_genesis(
        registry, name, now, keys, tuple(accounts), council=council, parameters=parameters
    )


def add_member(folder: Path, plan: Plan, name: str) -> Plan:
    """The plan with one more member, whose folder is made; no one has admitted it yet.

    A folder that an earlier attempt has left is used. Raises LocalnetError, FolderError, OSError.
    """
    must_be_name(name)
    if any(member.name == name for member in plan.members):
        raise LocalnetError(f"{name} is a member already", "take another name")
    if len(plan.members) >= MEMBERS_LIMIT:
        raise LocalnetError(f"a local network has at most {MEMBERS_LIMIT} nodes")
    place = Folder(folder / name)
    if place.exists:
        keys = make_keys(place.path)
    else:
        genesis = read_genesis(Folder(folder / plan.members[0].name).genesis_file.read_bytes())
        keys = lay_out_node(place.path, genesis)
    http_port, p2p_port, rpc_port = free_ports(PORTS)
    member = Member(
        name=name,
        node_id=keys.node,
        validator=keys.validator,
        operator="",
        http_port=http_port,
        p2p_port=p2p_port,
        rpc_port=rpc_port,
    )
    return replace(plan, members=(*plan.members, member))
