"""CometBFT's `config.toml`, made from settings: whole, always the same, and ours alone.

Every key that v0.39.4 knows is written, but for the tables of `LEFT_OUT`, so that no default of
another version can surprise. What stands in a key without a setting is in `_tables`, with the
reason where there is one. An operator changes the node's settings, never the file.
"""

from __future__ import annotations

import os
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

FILE: Final = Path("config") / "config.toml"
EDITED: Final = ".edited"
LEFT_OUT: Final = ("p2p.libp2p",)
"""Tables that are not written: an experiment of CometBFT's that stays off."""
LOG_LEVEL: Final = "consensus:error,state:error,mempool:error,txindex:error,*:info"
"""Without the five lines a block that these write at `info`; our own log has every block."""
TRUST_PERIOD_MS: Final = 14 * 86_400_000
MARK: Final = "# Written by Tongbao, SHA-256 of what follows: "
NOTICE: Final = "# Change the node's settings instead: this file is written at every start.\n"

Toml = bool | int | str | list[str]

Text = Annotated[str, Meta(pattern=r"^[^\x00-\x1f\x7f]*\Z", max_length=4_096)]
"""Text that can stand in a TOML string."""
Moniker = Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]{1,64}\Z")]
Milliseconds = Annotated[int, Meta(ge=0, le=3_600_000)]
Positive = Annotated[int, Meta(ge=1, le=2**31)]
HOST: Final = r"(\[[0-9A-Fa-f:.]+\]|[^\x00-\x20\x7f-\x9f\"'`\\,/@:\[\]]+)"
"""A name or an address; one of IPv6 in brackets, as Go's `net.SplitHostPort` wants it."""
PORT: Final = r"([0-9]{1,4}|[1-5][0-9]{4}|6([0-4][0-9]{3}|5([0-4][0-9]{2}|5([0-2][0-9]|3[0-5]))))"
"""0 to 65535."""
SOCKET: Final = rf"(tcp://{HOST}:{PORT}|unix://[^\x00-\x20\x7f-\x9f\"'`\\,]+)"
Listen = Annotated[str, Meta(pattern=rf"^{SOCKET}\Z", max_length=300)]
Outside = Annotated[str, Meta(pattern=rf"^({HOST}:{PORT})?\Z", max_length=300)]
PEER: Final = rf"[0-9a-f]{{40}}@{HOST}:{PORT}"
FORMS: Final = {
    "p2p_listen": "tcp://HOST:PORT",
    "external_address": "HOST:PORT",
    "persistent_peers": "ID@HOST:PORT with the 40 hex digits of a node's id",
    "metrics_listen": "HOST:PORT",
    "remote_signer_listen": "tcp://HOST:PORT or unix:///PATH",
    "extra_rpc": "tcp://HOST:PORT",
    "state_sync.rpc_servers": "two or more of tcp://HOST:PORT",
}
"""What is said to be expected of a setting that holds addresses."""
PeerAddress = Annotated[str, Meta(pattern=rf"^{PEER}\Z", max_length=400)]


class ConfigurationError(Exception):
    """A setting that CometBFT could not run with; the text says which and why."""


class StateSync(Struct, frozen=True, kw_only=True):
    """Where a fresh node takes a snapshot's header from: two addresses, and a block to trust."""

    rpc_servers: Annotated[tuple[Listen, ...], Meta(min_length=2, max_length=10)]
    """Where CometBFT's light client asks, `tcp://HOST:PORT`; the same one twice is allowed."""
    trust_height: Annotated[int, Meta(ge=1)]
    trust_hash: Annotated[str, Meta(pattern=r"^[0-9A-Fa-f]{64}\Z")]
    """The hash of that height's header, which was agreed upon elsewhere."""
    trust_period_ms: Annotated[int, Meta(ge=1)] = TRUST_PERIOD_MS
    temporary_folder: Text = ""
    """Where chunks lie until they are applied; empty for the system's folder."""
    discovery_ms: Annotated[int, Meta(ge=5_000)] = 5_000
    """How long snapshots are looked for; CometBFT takes five seconds at least."""


class Configuration(Struct, frozen=True, kw_only=True):
    """What this project decides about a CometBFT. Read it with `checked`."""

    application: Path
    """The unix socket on which our application answers ABCI."""
    rpc: Path
    """The unix socket on which CometBFT answers us."""
    moniker: Moniker = "tongbao"
    """A node's name for its operators; peers see it."""
    p2p_listen: Listen = "tcp://127.0.0.1:26656"
    external_address: Outside = ""
    """`HOST:PORT` under which peers reach this node, where that is another than it listens on."""
    persistent_peers: Annotated[tuple[PeerAddress, ...], Meta(max_length=1_000)] = ()
    """`ID@HOST:PORT` of the nodes that this one keeps a connection to."""
    filter_peers: bool = False
    """Whether the application is asked before a peer is let in."""
    inbound_peers: Positive = 100
    outbound_peers: Positive = 100
    timeout_commit_ms: Annotated[int, Meta(ge=0, le=200)] = 0
    """How long late votes are waited for after a block; 0 begins the next height at once."""
    timeout_propose_ms: Milliseconds = 3_000
    timeout_vote_ms: Milliseconds = 1_000
    empty_blocks_after_ms: Milliseconds = 30_000
    """An idle chain makes an empty block when this has passed, so that time goes on."""
    mempool_transactions: Positive = 30_000
    transaction_bytes: Positive = 1_048_576
    """The longest transaction that the mempool takes; our own limit is lower."""
    block_parts_gossip_ms: Milliseconds = 10
    """How long a gossip routine rests when a peer lacks nothing."""
    log_level: Text = LOG_LEVEL
    metrics_listen: Outside = ""
    """`HOST:PORT` on which CometBFT answers Prometheus, under `cometbft_`; empty for nowhere."""
    remote_signer_listen: Annotated[str, Meta(pattern=rf"^({SOCKET})?\Z")] = ""
    """Where a remote signer connects to; CometBFT then makes a key that it does not use."""
    state_sync: StateSync | None = None
    extra_rpc: Annotated[str, Meta(pattern=rf"^(tcp://{HOST}:{PORT})?\Z")] = ""
    """A second address of the RPC, loopback only: a joining node's light client can't ask a
    unix socket. Whoever reaches it can read and offer transactions."""


def checked(configuration: Configuration) -> Configuration:
    """The same settings. Raises ConfigurationError, when one has no such value."""
    try:
        plain = msgspec.to_builtins(configuration, builtin_types=(), enc_hook=str)
        msgspec.convert(plain, Configuration, dec_hook=lambda kind, text: kind(text))
    except msgspec.ValidationError as error:
        raise ConfigurationError(f"CometBFT's configuration: {_said(error)}") from error
    for path in (configuration.application, configuration.rpc):
        if any(ord(letter) < 32 or letter in ',"\\' for letter in str(path)):
            raise ConfigurationError(
                f"{path} can't be a socket of CometBFT: it has a comma or "
                "a sign that needs quoting; use another folder"
            )
    return configuration


def _said(error: msgspec.ValidationError) -> str:
    """What is wrong with which setting; of an address its form in words, not as a pattern."""
    where = str(error).rpartition("`$.")[2].rstrip("`")
    form = FORMS.get(where.partition("[")[0])
    if form is None:
        return str(error)
    return (
        f"{where} is to be {form}, with a port up to 65535, an IPv6 address in brackets, "
        "and no quotes"
    )


def configuration_text(configuration: Configuration) -> str:
    """The bytes of `config.toml`. Raises ConfigurationError."""
    lines: list[str] = []
    for table, keys in _tables(checked(configuration)).items():
        if table:
            lines.append(f"\n[{table}]")
        lines += (f"{name} = {_toml(value)}" for name, value in keys.items())
    body = NOTICE + "\n".join(lines) + "\n"
    return f"{MARK}{sha256(body.encode()).hexdigest()}\n{body}"


def signer_socket(configuration: Configuration) -> Path | None:
    """The unix socket on which CometBFT waits for a remote signer, if it is to."""
    kind, _, path = configuration.remote_signer_listen.partition("://")
    return Path(path) if kind == "unix" else None


def write_configuration(home: Path, configuration: Configuration) -> Path | None:
    """Write `config.toml` into CometBFT's home; the last one where somebody has changed it by hand.

    Such a file is kept beside the new one as `config.toml.edited`, and its path returned, for the
    caller to tell. Raises ConfigurationError, OSError.
    """
    text = configuration_text(configuration)
    file = home / FILE
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    kept = None
    if file.exists() and not is_ours(file.read_bytes()):
        kept = file.with_name(file.name + EDITED)
        file.replace(kept)
    write_whole(file, text.encode(), 0o600)
    return kept


def is_ours(text: bytes) -> bool:
    """Whether a `config.toml` is as this program has written it, by the hash on its first line."""
    first, _, body = text.partition(b"\n")
    return first == f"{MARK}{sha256(body).hexdigest()}".encode()


def write_whole(file: Path, content: bytes, mode: int) -> None:
    """Put a whole durable file in the place of what is there. Raises OSError."""
    new = file.with_name(file.name + ".new")
    new.unlink(missing_ok=True)
    descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
    with os.fdopen(descriptor, "wb") as output:
        output.write(content)
        output.flush()
        os.fsync(descriptor)
    new.replace(file)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def _toml(value: Toml) -> str:
    """A value as TOML. Our texts have no control characters, so JSON's strings are TOML's."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if isinstance(value, int) else msgspec.json.encode(value).decode()


def _time(milliseconds: int) -> str:
    return f"{milliseconds}ms"


def _tables(of: Configuration) -> dict[str, dict[str, Toml]]:
    return {
        "": _base(of),
        "rpc": _rpc(of),
        "p2p": _p2p(of),
        "mempool": _mempool(of),
        "statesync": _state_sync(of.state_sync),
        "blocksync": {"version": "v0", "adaptive_sync": False},
        "consensus": _consensus(of),
        "storage": {"discard_abci_responses": True},  # our log has the receipts
        "tx_index": {"indexer": "null", "psql-conn": ""},  # the index is ours
        "instrumentation": {
            "prometheus": bool(of.metrics_listen),
            "prometheus_listen_addr": of.metrics_listen,
            "max_open_connections": 3,
            "namespace": "cometbft",
        },
    }


def _base(of: Configuration) -> dict[str, Toml]:
    unused = "unused_" if of.remote_signer_listen else ""  # a key that CometBFT makes in any case
    return {
        "version": "0.39.4",
        "proxy_app": f"unix://{of.application}",
        "moniker": of.moniker,
        "db_backend": "goleveldb",
        "db_dir": "data",
        "log_level": of.log_level,
        "log_format": "plain",
        "genesis_file": "config/genesis.json",
        "priv_validator_key_file": f"config/{unused}priv_validator_key.json",
        "priv_validator_state_file": f"data/{unused}priv_validator_state.json",
        "priv_validator_laddr": of.remote_signer_listen,
        "node_key_file": "config/node_key.json",
        "abci": "socket",
        "filter_peers": of.filter_peers,
        "event_bus_buffer_capacity": 0,
    }


def _rpc(of: Configuration) -> dict[str, Toml]:
    addresses = [f"unix://{of.rpc}", of.extra_rpc]
    return {
        "laddr": ",".join(filter(None, addresses)),
        "cors_allowed_origins": [],
        "cors_allowed_methods": ["HEAD", "GET", "POST"],
        "cors_allowed_headers": [
            "Origin",
            "Accept",
            "Content-Type",
            "X-Requested-With",
            "X-Server-Time",
        ],
        "grpc_laddr": "",
        "grpc_max_open_connections": 1,
        "unsafe": False,
        "max_open_connections": 900,
        "max_subscription_clients": 100,
        "max_subscriptions_per_client": 5,
        "experimental_subscription_buffer_size": 200,
        "experimental_websocket_write_buffer_size": 200,
        "experimental_close_on_slow_client": False,
        "timeout_broadcast_tx_commit": "10s",
        "max_request_batch_size": 500,
        "max_body_bytes": 16 * 1024 * 1024,
        "max_header_bytes": 1_048_576,
        "tls_cert_file": "",
        "tls_key_file": "",
        "pprof_laddr": "",
    }


def _p2p(of: Configuration) -> dict[str, Toml]:
    return {
        "laddr": of.p2p_listen,
        "external_address": of.external_address,
        "seeds": "",
        "persistent_peers": ",".join(of.persistent_peers),
        "addr_book_file": "config/addrbook.json",
        "addr_book_strict": False,  # networks of institutions use private addresses
        "max_num_inbound_peers": of.inbound_peers,
        "max_num_outbound_peers": of.outbound_peers,
        "unconditional_peer_ids": "",
        "persistent_peers_max_dial_period": "10s",  # else a peer's long absence is met by hours
        "flush_throttle_timeout": "10ms",
        "max_packet_msg_payload_size": 1_024,
        "send_rate": 204_800_000,
        "recv_rate": 204_800_000,
        "pex": False,  # peers are those that governance knows, not those that peers tell of
        "seed_mode": False,
        "private_peer_ids": "",
        "allow_duplicate_ip": True,
        "handshake_timeout": "20s",
        "dial_timeout": "3s",
    }


def _mempool(of: Configuration) -> dict[str, Toml]:
    return {
        "type": "flood",
        "recheck": True,
        "recheck_timeout": "10s",
        "broadcast": True,
        "wal_dir": "",
        "size": of.mempool_transactions,
        "max_txs_bytes": 1_073_741_824,
        "cache_size": 2 * of.mempool_transactions,
        "keep-invalid-txs-in-cache": False,
        "max_tx_bytes": of.transaction_bytes,
        "max_batch_bytes": 0,
        "experimental_max_gossip_connections_to_persistent_peers": 0,
        "experimental_max_gossip_connections_to_non_persistent_peers": 0,
        "seen_cache_size": 100_000,
        "reap_max_bytes": 0,
        "reap_max_gas": 0,
        "reap_interval": "500ms",
        "check_tx_retry_delay": "5s",
    }


def _consensus(of: Configuration) -> dict[str, Toml]:
    return {
        "wal_file": "data/cs.wal/wal",
        "timeout_propose": _time(of.timeout_propose_ms),
        "timeout_propose_delta": "500ms",
        "timeout_prevote": _time(of.timeout_vote_ms),
        "timeout_prevote_delta": "500ms",
        "timeout_precommit": _time(of.timeout_vote_ms),
        "timeout_precommit_delta": "500ms",
        "timeout_commit": _time(of.timeout_commit_ms),
        "double_sign_check_height": 0,
        "skip_timeout_commit": False,
        "create_empty_blocks": False,
        "create_empty_blocks_interval": _time(of.empty_blocks_after_ms),
        "peer_gossip_sleep_duration": _time(of.block_parts_gossip_ms),
        "peer_query_maj23_sleep_duration": "2s",
        "block_time_tolerance": "1m0s",
    }


def _state_sync(of: StateSync | None) -> dict[str, Toml]:
    return {
        "enable": of is not None,
        "rpc_servers": ",".join(of.rpc_servers) if of else "",
        "trust_height": of.trust_height if of else 0,
        "trust_hash": of.trust_hash if of else "",
        "trust_period": _time(of.trust_period_ms if of else TRUST_PERIOD_MS),
        "discovery_time": _time(of.discovery_ms if of else 5_000),
        "temp_dir": of.temporary_folder if of else "",
        "chunk_request_timeout": "10s",
        "chunk_fetchers": "4",
        "max_snapshot_chunks": 100_000,
    }
