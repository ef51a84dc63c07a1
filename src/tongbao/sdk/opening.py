"""Opening and beginning a chain: wiring genesis, keystore, store, machine and engine together."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

import msgspec

from tongbao.engines.headers import header_hash, is_network, read_header
from tongbao.engines.solo import Options, Producer, SoloEngine
from tongbao.engines.solo.engine import wall_clock
from tongbao.engines.solo.header import HeaderSigner
from tongbao.kernel import Genesis, GenesisError, Machine, Registry
from tongbao.kernel.assertions import require_assertions
from tongbao.kernel.code import kept_upgrades
from tongbao.kernel.genesis import Origin, chain_id
from tongbao.kernel.state import leaves_of
from tongbao.kernel.trie import Trie
from tongbao.sdk.announced import ModuleError, registry_with
from tongbao.sdk.bases import base_under, origin_of
from tongbao.sdk.choosing import choose_modules, code_of, likely_tables
from tongbao.sdk.client import Client
from tongbao.sdk.comet_prover import CometProver
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.key_file import check_strength
from tongbao.sdk.keystore import KeyNotFound, Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.signer import Signer, SoftwareKey
from tongbao.sdk.wallet import Wallet
from tongbao.store.base import base_heights
from tongbao.store.disk import RealDisk
from tongbao.store.errors import DamagedLog, DiskFull, WrongChain
from tongbao.store.room import has_room
from tongbao.store.store import Store

log = logging.getLogger("tongbao.sdk")

AUTHORITY: Final = "authority"
OPERATOR: Final = "operator"
BEGIN_BYTES: Final = 1024 * 1024
"""More than the files of a chain without history have together."""


def open_producer(
    folder: Folder,
    genesis: Genesis,
    signer: HeaderSigner | None,
    open_store: Callable[..., Store] = Store.open,
) -> tuple[Producer, Store]:
    """The machine of a folder on its store, brought up to date, with block 0 made if need be.

    Which modules decide, genesis and the upgrades in the rows say. Raises GenesisError when their
    code is not what is installed.
    """
    tables = likely_tables(genesis)
    store = open_store_of(folder, genesis, tables, open_store)
    return producer_on(store, genesis, signer, tables), store


def open_store_of(
    folder: Folder,
    genesis: Genesis,
    tables: Sequence[bytes],
    open_store: Callable[..., Store] = Store.open,
) -> Store:
    """The store of a chain's folder. Raises GenesisError, StoreError, ModuleError."""
    if not ((folder.path / "log").exists() or base_heights(folder.path)):
        choose_modules(genesis, {}, -1, to_write=True)  # before anything is made there
    _check_base(folder.path, genesis)
    try:
        return open_store(folder.path, chain_id(genesis), tables=tables, origin=origin_of(genesis))
    except WrongChain:
        # Where somebody has edited a line of genesis, that line is what is wrong.
        choose_modules(genesis, {}, -1, to_write=False)
        raise


def machine_on(
    store: Store, genesis: Genesis, tables: Sequence[bytes], *, to_write: bool
) -> Machine:
    """The machine of an open store, for its next block with `to_write`.

    `tables` are those whose rows are in the trie that the store may have made. Raises GenesisError,
    ModuleError, WrongChain, FolderError, DamagedLog.
    """
    _check_origin(store, genesis)
    registry = _registry_on(store, genesis, tables, to_write=to_write)
    return _machine_on(store, registry, genesis, has_tables=set(tables))


def producer_on(
    store: Store, genesis: Genesis, signer: HeaderSigner | None, tables: Sequence[bytes]
) -> Producer:
    """The machine of an open store, brought up to date; the store is closed when that fails.

    `tables` are those whose rows are in the trie that the store may have made.
    """
    try:
        machine = machine_on(store, genesis, tables, to_write=signer is not None)
        producer = Producer(machine, store, signer)
        if store.last is None or producer.is_at_origin:
            if signer is None:
                raise FolderError(
                    "this node has no block of its network yet: start it with `tongbao run`"
                    if is_network(genesis)
                    else "this chain has no block of its own yet: open it with the authority's key"
                )
            producer.begin()
        producer.maintain(idle=True)
    except BaseException:
        store.close()
        raise
    return producer


def _check_base(folder: Path, genesis: Genesis) -> None:
    """Whether a base that counts is not of later rows of the chain with whose rows this one begins.

    It is asked before the store takes it for its own and removes the right one. Raises WrongChain,
    BadSnapshot, WrongVersion.
    """
    origin = genesis.origin
    base = None if origin is None else base_under(folder, genesis)
    if origin is None or base is None or base.height == origin.height:
        return
    if base.manifest.chain == origin.chain:
        raise WrongChain(
            f"{base.folder} has rows of block {base.height} of {origin.chain}, this chain begins "
            f"with those of block {origin.height}: put the files together as they were exported"
        )


def no_base(origin: Origin) -> FolderError:
    """What to say where a chain that begins with another's rows does not have them."""
    return FolderError(
        f"this chain begins with the rows of block {origin.height} of {origin.chain}, which "
        "are not here: bring `base-...` back from where the genesis file came from"
    )


def _check_origin(store: Store, genesis: Genesis) -> None:
    """Whether a chain that begins with another's rows has them. Raises WrongChain, FolderError."""
    origin, last = genesis.origin, store.last
    if origin is None:
        return
    if last is None:
        raise no_base(origin)
    if last.height > origin.height:
        return
    header = read_header(last.header)[0]
    if (header.chain, header.height, header.state, header_hash(header)) != (
        *(origin.chain, origin.height, origin.state, origin.header),
    ):
        raise WrongChain(
            f"the rows here are of block {header.height} of {header.chain}, this genesis file "
            f"begins with others, of block {origin.height} of {origin.chain}: put them together "
            "as they were exported"
        )


def _registry_on(
    store: Store, genesis: Genesis, tables: Sequence[bytes], *, to_write: bool
) -> Registry:
    """The modules for a store's next block, by genesis and the upgrades among its rows.

    Where they can't be had, damaged rows may be the reason: unless `tables` are under the root of
    the last header, the rows are rebuilt from the log once. Raises GenesisError, ModuleError.
    """
    last = store.last
    height = -1 if last is None else last.height
    try:
        return choose_modules(genesis, kept_upgrades(store), height, to_write=to_write)
    except (GenesisError, ModuleError, msgspec.DecodeError):
        if last is None:
            raise
        root = Trie.load(leaves_of(store, tables)).root
        if root.hex() == read_header(last.header)[0].state:
            raise
    log.warning("state/ is not what the last header commits to: it is rebuilt from the log")
    store.rebuild()
    return choose_modules(genesis, kept_upgrades(store), height, to_write=to_write)


def _machine_on(
    store: Store, registry: Registry, genesis: Genesis, has_tables: set[bytes]
) -> Machine:
    """A machine whose rows are those that the last header commits to.

    `has_tables` are those whose rows are in the trie that the store may have made. Rows that differ
    are rebuilt from the log once; if they still differ, raises DamagedLog.
    """
    last = store.last
    if last is None:
        return Machine(registry, genesis, store, -1, 0, code=code_of(registry))
    wanted = read_header(last.header)[0].state
    for _ in range(2):
        trie = store.take_trie()
        if has_tables != set(registry.tables):
            trie = None  # an upgrade has brought tables since genesis
        machine = Machine(registry, genesis, store, last.height, last.time, trie, code_of(registry))
        if machine.state_root.hex() == wanted:
            return machine
        log.warning("state/ is not what the last header commits to: it is rebuilt from the log")
        store.rebuild()
    raise DamagedLog(
        f"the log's rows up to block {last.height} do not have the root in its header. "
        "Nothing was changed in the log: restore it from a backup, and keep this folder for inquiry"
    )


def open_chain(
    folder: Path | str,
    *,
    passphrase: str | None = None,
    options: Options | None = None,
    authority: HeaderSigner | None = None,
) -> Chain:
    """Open the chain in a folder: to read, and with the authority key's passphrase to write.

    `authority` signs blocks in the place of that key, and stays the caller's to close. One of a
    network is open to read, whatever is given: `open_network` starts its node.

    Raises FolderError, KeystoreError, StoreError (in use, damaged, another version), GenesisError,
    ModuleError.
    """
    place = Folder(folder)
    genesis = place.genesis()
    signer = None
    if not is_network(genesis):
        signer = authority if passphrase is None else _unlocked(place, passphrase)
    if signer is not None and signer.key_id not in genesis.engine.keys:
        raise FolderError("this key is not the authority that genesis names")
    producer, store = open_producer(place, genesis, signer)
    engine = SoloEngine(producer, options)
    engine.start()
    prover = CometProver(engine, genesis, None) if is_network(genesis) else None
    return Chain(engine, store, genesis, prover)


def _unlocked(place: Folder, passphrase: str) -> HeaderSigner:
    """The authority's key out of the keystore. Raises KeystoreError."""
    keystore = Keystore(place.keys)
    if AUTHORITY not in keystore.names():
        raise KeyNotFound(
            f"{place.keys} has no key {AUTHORITY}, which signs blocks: where a signer has it, "
            "start `tongbao run --signer ADDRESS`, and commands ask that node; else bring the "
            "key's file back from a copy"
        )
    return keystore.unlock(AUTHORITY, passphrase)


def create_chain(
    folder: Path | str,
    *,
    passphrase: str,
    name: str = "demo",
    parameters: Mapping[str, int] | None = None,
    options: Options | None = None,
    modules: Sequence[str] = (),
    authority: Signer | None = None,
) -> tuple[Chain, Wallet]:
    """Begin a chain in a new folder: the open chain, and the wallet of its operator account.

    Two keys are made in the folder's keystore under the passphrase: `authority` signs blocks,
    unless another signer is given that shall, and `operator` controls the first account. `modules`
    are those of others that shall decide here too. Raises FolderError, KeystoreError, ModuleError.
    """
    require_assertions()
    place = Folder(folder)
    if place.exists:
        raise FolderError(f"{place.path} already holds a chain: open it, or name another folder")
    registry = registry_with(tuple(modules))
    check_strength(passphrase)  # before there is a folder
    make_folder(place.path)
    keystore = Keystore(place.keys)
    signs = authority or key_in(keystore, AUTHORITY, passphrase)
    operator = key_in(keystore, OPERATOR, passphrase)
    genesis = build_genesis(
        registry,
        name,
        wall_clock(),
        signs.key_id,
        (single_key(operator.key_id),),
        parameters,
    )
    place.lay_out(genesis)
    chain = open_chain(folder, authority=signs, options=options)
    return chain, chain.wallet(genesis_address(0), operator)


def make_folder(path: Path) -> None:
    """The folder of a new chain, on a disk with space for it. Raises DiskFull, OSError."""
    is_new = not path.exists()
    path.mkdir(parents=True, exist_ok=True)
    if has_room(RealDisk(), path, BEGIN_BYTES):
        return
    if is_new:
        path.rmdir()
    raise DiskFull(f"there is no space for a chain in {path}: make room; nothing was begun")


def key_in(keystore: Keystore, name: str, passphrase: str) -> SoftwareKey:
    """A key that an earlier start has made before it was cut short, else a new one."""
    if name in keystore.names():
        return keystore.unlock(name, passphrase)
    return keystore.create(name, passphrase)


def operator_wallet(chain: Client, folder: Path | str, passphrase: str) -> Wallet:
    """The wallet of the account that `create_chain` opened."""
    return chain.wallet(
        genesis_address(0), Keystore(Folder(folder).keys).unlock(OPERATOR, passphrase)
    )
