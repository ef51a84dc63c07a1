"""Opening the chain of a folder as a node writes it, whichever engine orders its blocks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from tongbao.node.settings import Settings
from tongbao.sdk.local import Chain


@contextmanager
def opened(folder: Path, settings: Settings, passphrase: str | None) -> Iterator[Chain]:
    """The chain of a folder, open to write until the `with` statement ends.

    Blocks are signed by the signer that a setting names, else by the authority's key under the
    passphrase; without either it is a network's node. Raises what `open_signer`, `open_chain` and
    `open_network` do.
    """
    with ExitStack() as to_close:
        if settings.signer or passphrase is not None:
            chain = _solo(folder, settings, passphrase, to_close)
        else:
            from tongbao.node.network import network_options
            from tongbao.sdk.network import open_network

            chain = open_network(folder, network_options(settings))
        yield to_close.enter_context(chain)


def _solo(folder: Path, settings: Settings, passphrase: str | None, to_close: ExitStack) -> Chain:
    from tongbao.engines.solo import Options
    from tongbao.sdk.opening import open_chain
    from tongbao.sdk.signers import open_signer

    options = Options(queue_transactions=settings.queue_transactions)
    if not settings.signer:
        return open_chain(folder, passphrase=passphrase, options=options)
    signer = open_signer(settings.signer, os.environ)
    to_close.callback(signer.close)
    return open_chain(folder, authority=signer, options=options)
