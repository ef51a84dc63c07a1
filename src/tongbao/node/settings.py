"""Every setting of a node, in one table: file, environment and flags fill it, in that order.

A file is TOML with these names; the environment has them in capitals after `TONGBAO_NODE_`; flags
are `--name`. A name that is not here is refused, wherever it stands.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from ipaddress import ip_address
from pathlib import Path
from typing import Annotated, Any, Final, Literal, get_type_hints

import msgspec
from msgspec import Meta, Struct

from tongbao.index.address import check_address
from tongbao.index.database import BadAddress
from tongbao.sdk.signer_address import BadSigner, read_address

PREFIX: Final = "TONGBAO_NODE_"

Port = Annotated[int, Meta(ge=0, le=65_535)]
Positive = Annotated[int, Meta(ge=1, le=2**31)]
Count = Annotated[int, Meta(ge=0, le=2**31)]


class SettingsError(Exception):
    """A setting that is not known or has no such value; the text names it and where it stands."""

    exit_code = 78
    advice = "see `tongbao run --help` for every setting and its values"


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a node is told. The meanings below are the reference's."""

    host: Annotated[str, Meta(description="address to listen on")] = "127.0.0.1"
    port: Annotated[Port, Meta(description="port to listen on; 0 takes a free one")] = 8632
    tls_certificate: Annotated[
        str,
        Meta(description="PEM file with the node's certificate and those above it; empty: HTTP"),
    ] = ""
    tls_key: Annotated[str, Meta(description="PEM file with the certificate's key")] = ""
    tls_client_ca: Annotated[
        str,
        Meta(description="PEM file with the certificates that sign those of callers; empty: none"),
    ] = ""
    behind_tls_proxy: Annotated[
        bool, Meta(description="`true` where a proxy before this node takes TLS off")
    ] = False
    read_policy: Annotated[
        Literal["public", "members"],
        Meta(
            description="who may read; `public` is everybody, `members` those who are known, "
            "as everywhere on a chain whose reading.members_only is 1"
        ),
    ] = "public"
    member_scopes: Annotated[
        tuple[Literal["chain", "accounts", "ledger"], ...],
        Meta(description="what sessions and certificates may read besides their account's own"),
    ] = ("chain",)
    reads_account: Annotated[
        str,
        Meta(
            pattern=r"^([0-9a-f]{40})?\Z",
            description="account that records what supervisors read; it acts for an operator",
        ),
    ] = ""
    reads_key: Annotated[
        str, Meta(description="name of that account's key among those in the chain's folder")
    ] = ""
    reads_passphrase_file: Annotated[
        str, Meta(description="file whose first line is that key's passphrase")
    ] = ""
    reads_batch_ms: Annotated[
        Positive, Meta(description="time after which reads are recorded; 100 are at once")
    ] = 60_000
    reads_wait_ms: Annotated[
        Positive,
        Meta(description="time that reads may wait for the ledger; then supervisors get 503"),
    ] = 600_000
    session_ms: Annotated[
        Annotated[int, Meta(ge=1, le=86_400_000)], Meta(description="time that a session lasts")
    ] = 900_000
    sessions: Annotated[Positive, Meta(description="sessions that are open at once, then 503")] = (
        10_000
    )
    allowed_hosts: Annotated[
        tuple[str, ...],
        Meta(description="values of Host that are answered; `*` for any, behind a proxy"),
    ] = ("localhost", "127.0.0.1", "[::1]")
    allowed_origins: Annotated[
        tuple[str, ...], Meta(description="origins whose pages may read answers (CORS)")
    ] = ()
    body_bytes: Annotated[Positive, Meta(description="bytes of a request's body")] = 4_194_304
    header_bytes: Annotated[Positive, Meta(description="bytes of a request's line and headers")] = (
        16_384
    )
    request_ms: Annotated[Positive, Meta(description="time for a request to arrive whole")] = 10_000
    wait_ms: Annotated[
        Positive, Meta(description="time that a read waits for `min_height`, then 503")
    ] = 5_000
    decide_ms: Annotated[
        Positive,
        Meta(
            description="time that a submission waits for its block, then it is told as `pending`"
        ),
    ] = 15_000
    connections: Annotated[Positive, Meta(description="connections at once, then 503")] = 2_000
    streams: Annotated[Positive, Meta(description="event streams at once, then 503")] = 1_000
    heartbeat_ms: Annotated[
        Positive, Meta(description="silence on a stream before a sign of life")
    ] = 15_000
    batch_transactions: Annotated[Positive, Meta(description="transactions in one request")] = 1_000
    rate_per_s: Annotated[
        Positive, Meta(description="transactions and requests a second from one address, then 429")
    ] = 20_000
    caller_rate_per_s: Annotated[
        Positive,
        Meta(
            description="the same for all sessions and certificates of one account together, "
            "besides, and for an API key without a rate of its own, instead"
        ),
    ] = 20_000
    queue_transactions: Annotated[
        Positive, Meta(description="transactions that wait for a block, then 429")
    ] = 50_000
    grace_ms: Annotated[
        Positive, Meta(description="time for open requests to end when the node stops")
    ] = 10_000
    index: Annotated[
        str,
        Meta(
            pattern=r"^(sqlite|none|postgres(ql)?://.+)\Z",
            description="history: `sqlite` in the folder, `none`, or `postgresql://HOST/DATABASE`",
        ),
    ] = "sqlite"
    processes: Annotated[
        Annotated[int, Meta(ge=0, le=64)],
        Meta(
            description="cores that the node's processes are laid out for, 0 for those that it "
            "finds; 1 is one process that does everything"
        ),
    ] = 0
    moniker: Annotated[
        str, Meta(description="this node's name for the operators of its network's others")
    ] = "tongbao"
    p2p_listen: Annotated[
        str, Meta(description="where a network's other nodes connect to, `tcp://HOST:PORT`")
    ] = "tcp://127.0.0.1:26656"
    p2p_external: Annotated[
        str, Meta(description="`HOST:PORT` under which others reach it, if that is another")
    ] = ""
    persistent_peers: Annotated[
        tuple[str, ...], Meta(description="nodes to stay connected to, `ID@HOST:PORT` each")
    ] = ()
    timeout_commit_ms: Annotated[
        int,
        Meta(ge=0, le=200, description="time to wait for late votes before the next block"),
    ] = 0
    cometbft: Annotated[
        str, Meta(description="the CometBFT program, where it is not found by itself")
    ] = ""
    cometbft_metrics: Annotated[
        str, Meta(description="`HOST:PORT` of CometBFT's own metrics; empty for none")
    ] = ""
    signer: Annotated[
        str,
        Meta(
            description="what signs a solo chain's blocks in the place of the key `authority`: "
            "`pkcs11:...` or `https://...`"
        ),
    ] = ""
    remote_signer: Annotated[
        str, Meta(description="where a remote signer connects to, `tcp://HOST:PORT`")
    ] = ""
    snapshot_interval: Annotated[
        Count, Meta(description="blocks between snapshots for nodes that join; 0 takes none")
    ] = 0
    snapshots_kept: Annotated[
        Annotated[int, Meta(ge=1, le=100)], Meta(description="snapshots that stay, the newest")
    ] = 2
    retain_blocks: Annotated[
        Count, Meta(description="blocks that CometBFT keeps at least; 0 keeps all")
    ] = 0
    rpc_listen: Annotated[
        str,
        Meta(description="`tcp://HOST:PORT` of CometBFT's RPC, for light clients; empty for none"),
    ] = ""
    state_sync_servers: Annotated[
        tuple[str, ...],
        Meta(description="RPC of two nodes, `tcp://HOST:PORT`, to join by a snapshot; else none"),
    ] = ()
    state_sync_height: Annotated[
        Count, Meta(description="a block whose header is trusted when joining by a snapshot")
    ] = 0
    state_sync_hash: Annotated[
        str, Meta(description="that header's hash, agreed upon with people who know it")
    ] = ""
    state_sync_period_ms: Annotated[
        Positive, Meta(description="how old that header may be at most")
    ] = 1_209_600_000
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"], Meta(description="least level that is logged")
    ] = "info"
    log_format: Annotated[
        Literal["json", "text"], Meta(description="a JSON object a line, or text for people")
    ] = "json"


class SettingLine(Struct, frozen=True):
    """One line of the table of settings."""

    name: str
    default: Any
    meaning: str
    kind: Any


def lines() -> tuple[SettingLine, ...]:
    """Every setting with its default and meaning, for `--help` and the reference."""
    hints = get_type_hints(Settings, include_extras=True)
    defaults = msgspec.to_builtins(Settings())
    return tuple(
        SettingLine(name, defaults[name], _meaning(hint), hint) for name, hint in hints.items()
    )


def _meaning(hint: Any) -> str:
    return str(next(meta.description for meta in hint.__metadata__ if meta.description))


def load(file: Path | None, environment: Mapping[str, str], flags: Mapping[str, Any]) -> Settings:
    """Settings out of a file, the environment and flags, later ones first. Raises SettingsError."""
    found: dict[str, Any] = {}
    if file is not None:
        found |= _checked(_from_file(file), str(file))
    named = {
        name.removeprefix(PREFIX).lower(): value
        for name, value in environment.items()
        if name.startswith(PREFIX)
    }
    found |= _checked(named, "the environment")
    found |= _checked(dict(flags), "the flags")
    settings = msgspec.convert(found, Settings)
    if settings.index not in ("sqlite", "none"):
        _check_index(settings.index)
    if settings.signer:
        _check_signer(settings.signer)
    _check_tls(settings)
    _check_reads(settings)
    return settings


def is_public(settings: Settings) -> bool:
    """Whether a node listens where other machines reach it."""
    host = settings.host.strip("[]")
    try:
        return not ip_address(host).is_loopback
    except ValueError:
        return host != "localhost"


def is_in_the_clear(settings: Settings) -> bool:
    """Whether what is said to a node from other machines can be read and changed on its way."""
    return is_public(settings) and not settings.tls_certificate and not settings.behind_tls_proxy


def _check_tls(settings: Settings) -> None:
    """Settings that belong together. Raises SettingsError."""
    if bool(settings.tls_certificate) != bool(settings.tls_key):
        raise SettingsError("tls_certificate and tls_key go together: give both files, or neither")
    if settings.tls_client_ca and not settings.tls_certificate:
        raise SettingsError("tls_client_ca needs TLS: give tls_certificate and tls_key too")
    if settings.read_policy == "members" and is_in_the_clear(settings):
        raise SettingsError(
            f"read_policy members on {settings.host} needs TLS, as keys and tokens would be sent "
            "in the clear: give tls_certificate and tls_key, or behind_tls_proxy=true where a "
            "proxy takes TLS off"
        )


def _check_reads(settings: Settings) -> None:
    """Settings that belong together. Raises SettingsError."""
    given = (settings.reads_account, settings.reads_key, settings.reads_passphrase_file)
    if any(given) and not all(given):
        raise SettingsError(
            "reads_account, reads_key and reads_passphrase_file go together: give all three, or "
            "none of them"
        )


def _check_index(address: str) -> None:
    """Whether a database may be named so. Raises SettingsError, which never has the address."""
    try:
        check_address(address)
    except BadAddress as error:
        raise SettingsError(f"index: {error}") from None


def _check_signer(address: str) -> None:
    """Whether a signer may be named so; nothing is opened. Raises SettingsError."""
    try:
        read_address(address)
    except BadSigner as error:
        raise SettingsError(f"signer: {error}") from None


def _from_file(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise SettingsError(f"{file}: {error.strerror}: check the path") from error
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(f"{file} is not TOML: {error}") from error


def _checked(given: dict[str, Any], where: str) -> dict[str, Any]:
    """Typed values of what one source says. Text, as in the environment, is read as the type."""
    known = {line.name: line for line in lines()}
    typed = {}
    for name, value in given.items():
        if name not in known:
            raise SettingsError(f"{where}: there is no setting {name!r}")
        try:
            typed[name] = _typed(value, known[name])
        except msgspec.ValidationError as error:
            raise SettingsError(f"{where}: {name}: {error}") from error
    return typed


def _typed(value: Any, line: SettingLine) -> Any:
    """A value of a setting's type; text is read as that type, lists with commas."""
    if not isinstance(value, str):
        return msgspec.convert(value, line.kind)
    if isinstance(line.default, tuple | list):
        parts = [part.strip() for part in value.split(",") if part.strip()]
        return msgspec.convert(parts, line.kind)
    return msgspec.convert(value, line.kind, strict=False)
