"""What CometBFT is told of validators and peers: the kernel's rows, in its own words.

Who may change the rows is for modules to say. A change that block H makes is CometBFT's from block
H + 2 on: the validators of H + 1 stand in the header of H already.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Container
from operator import itemgetter
from typing import Final

import msgspec

from tongbao.engines.cometbft.messages import PublicKey, ValidatorUpdate
from tongbao.engines.cometbft.responses import ResponseQuery
from tongbao.engines.headers import is_network
from tongbao.kernel import Decided, GenesisError, Machine, jcs
from tongbao.kernel.envelope import decode_base64url
from tongbao.kernel.kernel_module import NodeId, peers, validators

FILTERS: Final = "/p2p/filter/"
"""How the paths begin by which CometBFT asks, with `filter_peers`, whom it may speak to."""

FILTER_IDS: Final = "/p2p/filter/id/"
FILTER_ADDRESSES: Final = "/p2p/filter/addr/"
UNKNOWN_FILTER: Final = 1
NOT_ADMITTED: Final = 3


def first_validators(machine: Machine) -> tuple[ValidatorUpdate, ...]:
    """The validators of a chain that has just begun, in the order of their keys.

    None where the engine of the genesis file is another: CometBFT then takes those of its own
    genesis file. Raises GenesisError when they are not the keys of the genesis file's engine.
    """
    rows = dict(machine.audit(validators.module)[validators].items())
    genesis = machine.genesis_file
    keys = genesis.engine.keys
    if is_network(genesis) and (not rows or sorted(rows) != sorted(keys)):
        raise GenesisError(
            f"the engine has {len(keys)} keys, and block 0 has {len(rows)} validators, "
            "which must be the same keys: name them in the section governance of the genesis "
            "file, or let the chain that this one goes on from decide on them"
        )
    if genesis.origin is not None and any(row.power != 1 for row in rows.values()):
        raise GenesisError("a network that goes on from another chain begins with one vote a key")
    return tuple([_update(key, row.power) for key, row in rows.items()])


def updates_of(machine: Machine, decided: Decided) -> tuple[ValidatorUpdate, ...]:
    """What a block that is decided, and not committed yet, changes, in the order of keys.

    A validator that came and went in one block is none: CometBFT stops when it is to remove a
    key that it does not know.
    """
    rows, prefix = decided.rows, validators.prefix
    updates = []
    for full_key, value in rows[bisect_left(rows, prefix, key=itemgetter(0)) :]:
        if not full_key.startswith(prefix):
            break
        key = validators.key_of(full_key)
        if value is not None:
            updates.append(_update(key, validators.decode(value).power))
        elif machine.row(validators, key, machine.height) is not None:
            updates.append(_update(key, 0))
    return tuple(updates)


def _update(key: str, power: int) -> ValidatorUpdate:
    public = decode_base64url(key.encode("ascii"))
    return ValidatorUpdate(pub_key=PublicKey(ed25519=public), power=power)


def answer_filter(machine: Machine, path: str, chosen: Container[str] = ()) -> ResponseQuery:
    """Whether CometBFT may speak to a node (`/p2p/filter/id/<id>`): code 0 for yes.

    Only to those that the last committed block admits, and to nobody where it admits none; and to
    those whom this node's operator has `chosen`: a node that was away for long has an old list, and
    could meet nobody who is new. Before there is a block, while a node asks others for a snapshot,
    nothing is known, and the configuration decides alone. Addresses are never judged: a node is
    who has its key.
    """
    if path.startswith(FILTER_ADDRESSES):
        return ResponseQuery()
    if not path.startswith(FILTER_IDS):
        return ResponseQuery(code=UNKNOWN_FILTER, log="a node is asked for by id or addr")
    name = path.removeprefix(FILTER_IDS)
    if machine.height < 0 or name in chosen or _is_admitted(machine, name):
        return ResponseQuery()
    return ResponseQuery(code=NOT_ADMITTED, log="operators have not admitted this node")


def _is_admitted(machine: Machine, text: str) -> bool:
    """Whether a node's id is in the list after the last committed block."""
    try:
        node = jcs.convert(text, NodeId)
    except msgspec.ValidationError:
        return False
    return machine.row(peers, node, machine.height) is not None
