"""A node's settings as those of its part in a network."""

from __future__ import annotations

from tongbao.engines.cometbft.configuration import StateSync
from tongbao.engines.cometbft.statesync.options import SyncOptions
from tongbao.node.settings import Settings, SettingsError
from tongbao.sdk.network import NetworkOptions


def network_options(settings: Settings) -> NetworkOptions:
    """What the settings say of CometBFT and its peers."""
    return NetworkOptions(
        moniker=settings.moniker,
        p2p_listen=settings.p2p_listen,
        p2p_external=settings.p2p_external,
        persistent_peers=settings.persistent_peers,
        timeout_commit_ms=settings.timeout_commit_ms,
        cometbft_metrics=settings.cometbft_metrics,
        remote_signer=settings.remote_signer,
        cometbft=settings.cometbft,
        queue_transactions=settings.queue_transactions,
        snapshots=SyncOptions(
            interval=settings.snapshot_interval,
            keep=settings.snapshots_kept,
            retain_blocks=settings.retain_blocks,
        ),
        rpc_listen=settings.rpc_listen,
        state_sync=_state_sync(settings),
    )


def _state_sync(settings: Settings) -> StateSync | None:
    """Where a fresh node begins; None where nothing is said. Raises SettingsError."""
    if not settings.state_sync_servers:
        return None
    if not settings.state_sync_height or not settings.state_sync_hash:
        raise SettingsError(
            "state_sync_servers needs state_sync_height and state_sync_hash: ask people whom you "
            "trust for the hash of a recent block, not the servers"
        )
    return StateSync(
        rpc_servers=settings.state_sync_servers,
        trust_height=settings.state_sync_height,
        trust_hash=settings.state_sync_hash,
        trust_period_ms=settings.state_sync_period_ms,
    )
