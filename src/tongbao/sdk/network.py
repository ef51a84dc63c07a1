"""One node of a network: its folder, and the open chain that its CometBFT and this process make.

The folder of a chain has CometBFT's home in it, `cometbft/`, with keys, configuration and blocks.
Sockets stand in a private folder with a short name for as long as the node runs.
"""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.cometbft.configuration import (
    Configuration,
    StateSync,
    signer_socket,
    write_configuration,
)
from tongbao.engines.cometbft.engine import CometEngine, Options
from tongbao.engines.cometbft.genesis_document import write_genesis_document
from tongbao.engines.cometbft.keys import (
    VALIDATOR_KEY,
    check_keys,
    new_seed,
    read_node_id,
    read_validator_key,
    write_node_key,
    write_validator_key,
)
from tongbao.engines.cometbft.program import find_program
from tongbao.engines.cometbft.rpc import Rpc
from tongbao.engines.cometbft.server import Server
from tongbao.engines.cometbft.serving import Serving
from tongbao.engines.cometbft.statesync.options import SyncOptions
from tongbao.engines.cometbft.statesync.service import SnapshotService
from tongbao.engines.cometbft.supervisor import Supervisor
from tongbao.engines.headers import is_network
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Genesis
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.choosing import likely_tables
from tongbao.sdk.comet_prover import CometProver
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.joiner import InstalledCode
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import machine_on, open_store_of
from tongbao.store.store import Store

log = logging.getLogger("tongbao.sdk")

HOME: Final = "cometbft"
"""CometBFT's home in a chain's folder."""
LOG: Final = "cometbft.log"


class NodeKeys(Struct, frozen=True):
    """How others know a node: its id among peers, and the public key, in base64url, of its votes.

    A key that no validator has votes for nothing, until governance lets it.
    """

    node: str
    validator: str


class NetworkOptions(Struct, frozen=True, kw_only=True):
    """What a node of a network is told. Addresses are `tcp://HOST:PORT`, or `HOST:PORT`."""

    moniker: str = "tongbao"
    p2p_listen: str = "tcp://127.0.0.1:26656"
    p2p_external: str = ""
    persistent_peers: tuple[str, ...] = ()
    filter_peers: bool = True
    """Whether only admitted nodes, and those of `persistent_peers`, may connect."""
    timeout_commit_ms: int = 0
    empty_blocks_after_ms: int = 30_000
    cometbft_metrics: str = ""
    remote_signer: str = ""
    cometbft: str = ""
    queue_transactions: int = 100_000
    snapshots: SyncOptions = SyncOptions()
    rpc_listen: str = ""
    state_sync: StateSync | None = None


class Parts(Struct, frozen=True, kw_only=True):
    """What a node is made of, for programs that put a failing disk or a hostile node there."""

    open_store: Callable[..., Store] = Store.open
    application: Callable[..., MachineApplication] = MachineApplication


def home_of(folder: Path) -> Path:
    """CometBFT's home in a chain's folder."""
    return folder / HOME


def make_keys(
    folder: Path, validator_seed: bytes | None = None, node_seed: bytes | None = None
) -> NodeKeys:
    """The keys of a node, made in its folder if they are not there: anew, or of Ed25519 seeds.

    CometBFT reads them in plain (mode 0600). Raises KeyFileError, OSError.
    """
    home = home_of(folder)
    if not (home / VALIDATOR_KEY).exists():
        write_validator_key(home, validator_seed or new_seed())
        write_node_key(home, node_seed or new_seed())
    return keys_of(folder)


def keys_of(folder: Path) -> NodeKeys:
    """The public part of the keys in a node's folder. Raises KeyFileError."""
    home = home_of(folder)
    validator = encode_base64url(read_validator_key(home))
    return NodeKeys(read_node_id(home), validator)


def lay_out_node(
    folder: Path | str,
    genesis: Genesis,
    validator_seed: bytes | None = None,
    node_seed: bytes | None = None,
) -> NodeKeys:
    """Make the folder of a node that begins or joins a network; keys that are there are used.

    Raises FolderError when the folder holds a chain or the genesis file is no network's,
    KeyFileError, OSError.
    """
    place = Folder(folder)
    if place.exists:
        raise FolderError(f"{place.path} already holds a chain: name another folder")
    must_be_network(genesis)
    place.path.mkdir(parents=True, exist_ok=True)
    keys = make_keys(place.path, validator_seed, node_seed)
    write_genesis_document(home_of(place.path), genesis)
    place.lay_out(genesis)
    return keys


def must_be_network(genesis: Genesis) -> None:
    """Raise FolderError for the genesis file of a chain that no network orders."""
    if not is_network(genesis):
        raise FolderError(
            f"this genesis file names the engine {genesis.engine.name}, not cometbft: "
            "its chain has one authority, and no other nodes"
        )


def open_network(
    folder: Path | str,
    options: NetworkOptions | None = None,
    *,
    environment: Mapping[str, str] | None = None,
    clock: Callable[[], int] = wall_clock,
    parts: Parts | None = None,
) -> Chain:
    """Open the chain of a network's node, and start its CometBFT. Closing it stops both.

    `environment` adds variables for CometBFT's process; other `parts` are for those who
    doubt. Raises FolderError, StoreError, GenesisError, ModuleError, ProgramError,
    ConfigurationError, KeyFileError, GenesisMismatch, SocketError, OSError.
    """
    place, wanted = Folder(folder), options or NetworkOptions()
    genesis = place.genesis()
    must_be_network(genesis)
    program = find_program(Path(wanted.cometbft) if wanted.cometbft else None)
    home = home_of(place.path).absolute()
    check_keys(home, has_remote_signer=bool(wanted.remote_signer))
    write_genesis_document(home, genesis)
    sockets = Path(tempfile.mkdtemp(prefix="tongbao-"))  # a socket's whole name has 107 bytes

    def release() -> None:
        shutil.rmtree(sockets, ignore_errors=True)

    try:
        configuration = configuration_of(wanted, sockets)
        edited = write_configuration(home, configuration)
        if edited is not None:
            log.warning("somebody had changed CometBFT's configuration: it is kept as %s", edited)

        def process(moved: Callable[[bool], None]) -> Supervisor:
            log_path = place.path / LOG
            return Supervisor(
                program,
                home,
                configuration.rpc,
                log_path,
                listener=moved,
                environment=environment,
                signer=signer_socket(configuration),
            )

        own = parts or Parts()
        return _started(place, genesis, configuration, process, wanted, clock, release, own)
    except BaseException:
        release()
        raise


def _started(
    place: Folder,
    genesis: Genesis,
    configuration: Configuration,
    process: Callable[[Callable[[bool], None]], Supervisor],
    options: NetworkOptions,
    clock: Callable[[], int],
    release: Callable[[], None],
    parts: Parts,
) -> Chain:
    """The open chain of a folder, served to a CometBFT that was started."""
    tables = likely_tables(genesis)
    store = open_store_of(place, genesis, tables, parts.open_store)
    try:
        machine = machine_on(store, genesis, tables, to_write=True)
        application = parts.application(machine, store, clock)
        application.chosen_peers = frozenset(
            peer.partition("@")[0] for peer in options.persistent_peers
        )
        application.blocks.begin_here()
        service = SnapshotService(
            *(place.path, store, application.blocks, InstalledCode(genesis), clock),
            options.snapshots,
        )
        application.snapshots = service

        def release_all() -> None:
            service.close()
            application.close()
            release()

        rpc = Rpc(configuration.rpc)
        engine = CometEngine(
            application,
            lambda failed: Serving(Server(application, configuration.application), failed),
            process,
            rpc,
            Options(
                queue_transactions=options.queue_transactions,
                has_peers=bool(options.persistent_peers),
            ),
            clock,
            release_all,
        )
        engine.start()
        return Chain(engine, store, genesis, CometProver(engine, genesis, rpc))
    except BaseException:
        store.close()
        raise


def configuration_of(options: NetworkOptions, sockets: Path) -> Configuration:
    """CometBFT's configuration for a node whose sockets stand in a folder."""
    return Configuration(
        application=sockets / "app.sock",
        rpc=sockets / "rpc.sock",
        moniker=options.moniker,
        p2p_listen=options.p2p_listen,
        external_address=options.p2p_external,
        persistent_peers=options.persistent_peers,
        filter_peers=options.filter_peers,
        timeout_commit_ms=options.timeout_commit_ms,
        empty_blocks_after_ms=options.empty_blocks_after_ms,
        metrics_listen=options.cometbft_metrics,
        remote_signer_listen=options.remote_signer,
        extra_rpc=options.rpc_listen,
        state_sync=options.state_sync,
    )
