"""Opening the chain of a folder as a node writes it, whichever engine orders its blocks."""

from __future__ import annotations

from pathlib import Path

from tongbao.node.settings import Settings
from tongbao.sdk.local import Chain


def opened(folder: Path, settings: Settings, passphrase: str | None) -> Chain:
    """The chain of a folder, open to write: by the authority's passphrase, or a network's node.

    Raises what `open_chain` and `open_network` do.
    """
    if passphrase is None:
        from tongbao.node.network import network_options
        from tongbao.sdk.network import open_network

        return open_network(folder, network_options(settings))
    from tongbao.engines.solo import Options
    from tongbao.sdk.opening import open_chain

    options = Options(queue_transactions=settings.queue_transactions)
    return open_chain(folder, passphrase=passphrase, options=options)
