"""Making the genesis file of a network: its first validators, and the accounts it begins with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from msgspec.structs import replace

from tongbao.engines.headers import COMETBFT
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Genesis, Name, PublicKey, Registry
from tongbao.kernel.assertions import require_assertions
from tongbao.kernel.genesis import EngineLine
from tongbao.modules import account
from tongbao.sdk.announced import registry_with
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.genesis_builder import build_genesis, single_key
from tongbao.sdk.key_file import check_strength
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.network import NodeKeys, lay_out_node, make_keys
from tongbao.sdk.opening import OPERATOR, key_in, make_folder


def network_genesis(
    registry: Registry,
    chain: str,
    time: int,
    validators: Sequence[NodeKeys],
    accounts: tuple[account.Open, ...],
    parameters: Mapping[str, int] | None = None,
) -> Genesis:
    """A genesis for nodes whose keys are all there; the first of them validate with equal power."""
    keys = tuple(PublicKey(one.validator) for one in validators)
    genesis = build_genesis(registry, chain, time, keys[0], accounts, parameters)
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
