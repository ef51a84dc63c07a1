"""A node's settings as those of its part in a network."""

from __future__ import annotations

from tongbao.node.settings import Settings
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
    )
