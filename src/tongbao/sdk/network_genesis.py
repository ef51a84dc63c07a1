"""Making the genesis file of a network: its first validators, and the accounts it begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tongbao.engines.headers import COMETBFT
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Genesis, Name, PublicKey, Registry, Small
from tongbao.kernel.assertions import require_assertions
from tongbao.kernel.genesis import EngineLine, section
from tongbao.kernel.kernel_module import NodeId, Power
from tongbao.modules import account, governance
from tongbao.sdk.announced import registry_with
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.key_file import check_strength
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.network import NodeKeys, lay_out_node, make_keys
from tongbao.sdk.opening import OPERATOR, key_in, make_folder

POWER: Final = Power(1)
"""The power of each first validator."""


class Council(Struct, frozen=True, kw_only=True):
    """Who governs a network from its first block: the first accounts of genesis, with a vote each.

    `threshold` of them decide, and `delay_ms` passes before it is carried out.
    """

    operators: int = 1
    threshold: int = 1
    delay_ms: int = 0


def network_genesis(
    registry: Registry,
    chain: str,
    time: int,
    nodes: Sequence[NodeKeys],
    accounts: tuple[account.Open, ...],
    *,
    council: Council | None = None,
    parameters: Mapping[str, int] | None = None,
) -> Genesis:
    """A genesis for nodes whose keys are all there: all of them vote on blocks, with one vote."""
    keys = tuple(PublicKey(node.validator) for node in nodes)
    rules = council or Council()
    start = governance.Start(
        operators=tuple(genesis_address(place) for place in range(rules.operators)),
        threshold=Small(rules.threshold),
        delay_ms=governance.Delay(rules.delay_ms),
        validators=tuple(governance.FirstValidator(key=key, power=POWER) for key in keys),
        peers=tuple(NodeId(node.node) for node in nodes),
    )
    governed = section(governance.module.name, start)
    genesis = build_genesis(registry, chain, time, keys[0], accounts, parameters, (governed,))
    return replace(genesis, engine=EngineLine(name=Name(COMETBFT), keys=keys))


def create_network(
    folder: Path | str,
    *,
    passphrase: str,
    name: str = "demo",
    parameters: Mapping[str, int] | None = None,
    modules: Sequence[str] = (),
) -> Genesis:
    """Lay out the folder of a network of one node, for `open_network`.

    The keystore has `operator`, which controls the first account; CometBFT's keys are in the
    folder `cometbft`. Raises FolderError, KeystoreError, ModuleError, KeyFileError, OSError.
    """
    require_assertions()
    place = Folder(folder)
    if place.exists:
        raise FolderError(f"{place.path} already holds a chain: open it, or name another folder")
    registry = registry_with(tuple(modules))
    check_strength(passphrase)  # before there is a folder
    make_folder(place.path)
    operator = key_in(Keystore(place.keys), OPERATOR, passphrase)
    own = make_keys(place.path)
    first = (single_key(operator.key_id),)
    genesis = network_genesis(registry, name, wall_clock(), (own,), first, parameters=parameters)
    lay_out_node(place.path, genesis)
    return genesis
