"""Opening and beginning a chain: wiring genesis, keystore, store, machine and engine together."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from tongbao.engines.solo import Options, Producer, SoloEngine
from tongbao.engines.solo.engine import wall_clock
from tongbao.engines.solo.header import HeaderSigner
from tongbao.kernel import Genesis, Machine, Module, Registry
from tongbao.kernel.genesis import chain_id
from tongbao.modules.registry import registry as all_modules
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.packages import module_hash
from tongbao.sdk.wallet import Wallet
from tongbao.store.store import Store

AUTHORITY: Final = "authority"
OPERATOR: Final = "operator"


def check_modules(genesis: Genesis, registry: Registry) -> None:
    """Refuse to run code that genesis does not name. Raises FolderError."""
    installed: dict[str, Module] = {module.name: module for module in registry.modules}
    for line in genesis.modules:
        module = installed.get(line.name)
        if module is None or module_hash(module) != line.hash:
            raise FolderError(
                f"module {line.name} {line.number} is not the one that genesis names "
                f"(version {line.version}, hash {line.hash[:16]}...): install that version of "
                "tongbao, or begin a new chain"
            )


def open_producer(
    folder: Folder, genesis: Genesis, registry: Registry, signer: HeaderSigner | None
) -> tuple[Producer, Store]:
    """The machine of a folder on its store, brought up to date, with block 0 made if need be."""
    check_modules(genesis, registry)
    store = Store.open(folder.path, chain=chain_id(genesis))
    try:
        last = store.last
        height, time = (-1, 0) if last is None else (last.height, last.time)
        producer = Producer(Machine(registry, genesis, store, height, time), store, signer)
        if last is None:
            if signer is None:
                raise FolderError("this chain has no block yet: open it with the authority's key")
            producer.begin()
        producer.maintain(idle=True)
    except BaseException:
        store.close()
        raise
    return producer, store


def open_chain(
    folder: Path | str, *, passphrase: str | None = None, options: Options | None = None
) -> Chain:
    """Open the chain in a folder: to read, and with the authority key's passphrase to write.

    Raises FolderError, KeystoreError, StoreError (in use, damaged, another version), GenesisError.
    """
    place = Folder(folder)
    genesis = place.genesis()
    signer = None if passphrase is None else Keystore(place.keys).unlock(AUTHORITY, passphrase)
    if signer is not None and signer.key_id not in genesis.engine.keys:
        raise FolderError("this key is not the authority that genesis names")
    producer, store = open_producer(place, genesis, all_modules(), signer)
    engine = SoloEngine(producer, options)
    engine.start()
    return Chain(engine, store, genesis)


def create_chain(
    folder: Path | str,
    *,
    passphrase: str,
    name: str = "demo",
    parameters: Mapping[str, int] | None = None,
    options: Options | None = None,
) -> tuple[Chain, Wallet]:
    """Begin a chain in a new folder: the open chain, and the wallet of its operator account.

    Two keys are made in the folder's keystore under the passphrase: `authority` signs blocks,
    `operator` controls the first account. Raises FolderError, KeystoreError.
    """
    place = Folder(folder)
    if place.exists:
        raise FolderError(f"{place.path} already holds a chain: open it, or name another folder")
    place.path.mkdir(parents=True, exist_ok=True)
    keystore = Keystore(place.keys)
    authority = keystore.create(AUTHORITY, passphrase)
    operator = keystore.create(OPERATOR, passphrase)
    genesis = build_genesis(
        all_modules(),
        name,
        wall_clock(),
        authority.key_id,
        (single_key(operator.key_id),),
        parameters,
    )
    place.lay_out(genesis)
    chain = open_chain(folder, passphrase=passphrase, options=options)
    return chain, chain.wallet(genesis_address(0), operator)


def operator_wallet(chain: Chain, folder: Path | str, passphrase: str) -> Wallet:
    """The wallet of the account that `create_chain` opened."""
    return chain.wallet(
        genesis_address(0), Keystore(Folder(folder).keys).unlock(OPERATOR, passphrase)
    )
