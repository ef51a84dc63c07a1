"""Making the genesis file of a network: its first validators, and the accounts it begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

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

FIRST_POWER: Final = Power(10)
"""What the vote of each first validator counts: so much that governance can weigh more finely."""


def network_genesis(
    registry: Registry,
    chain: str,
    time: int,
    validators: Sequence[NodeKeys],
    accounts: tuple[account.Open, ...],
    parameters: Mapping[str, int] | None = None,
    delay_ms: int = 0,
) -> Genesis:
    """A genesis for nodes whose keys are all there; the first of them validate with equal power.

    The accounts are the first operators. More than two thirds of them decide, and what they have
    decided waits for `delay_ms`.
    """
    keys = tuple(PublicKey(one.validator) for one in validators)
    start = governance.Start(
        operators=tuple(map(genesis_address, range(len(accounts)))),
        threshold=Small(2 * len(accounts) // 3 + 1),
        delay_ms=governance.Delay(delay_ms),
        validators=tuple(governance.FirstValidator(key=key, power=FIRST_POWER) for key in keys),
        peers=tuple(NodeId(one.node) for one in validators),
    )
    sections = (section("governance", start),)
    genesis = build_genesis(registry, chain, time, keys[0], accounts, parameters, sections)
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
    genesis = network_genesis(registry, name, wall_clock(), (own,), first, parameters)
    lay_out_node(place.path, genesis)
    return genesis
