"""Running a node as several processes, from its folder to its end."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tongbao.node.access.tokens import KEY, new_token
from tongbao.node.processes import layout
from tongbao.node.processes.orders import Orders, Ready
from tongbao.node.processes.supervisor import Supervisor
from tongbao.node.server import address_of
from tongbao.node.settings import Settings
from tongbao.sdk.presence import present


def run_processes(
    folder: Path,
    settings: Settings,
    passphrase: str | None,
    listening: socket.socket,
    served: Callable[[Ready, str], None],
) -> Ready:
    """Serve a chain until told to stop; the last block, or no chain where none was open yet.

    `served` is called once everything works, with what the core has told and the layout as a line.
    Raises what opening the chain raises, by name, and GaveUp.
    """
    counts = layout.counts_of(settings)
    address = address_of(listening, settings)
    local_token = new_token(KEY)
    sockets = Path(tempfile.mkdtemp(prefix="tongbao-"))  # a socket's whole name has 107 bytes
    orders = Orders(
        role=layout.CORE,
        number=0,
        folder=str(folder.absolute()),
        sockets=str(sockets),
        settings=settings,
        address=address,
        counts=counts,
        passphrase=passphrase,
        local_token=local_token,
    )
    with ExitStack() as said:
        said.callback(shutil.rmtree, sockets, ignore_errors=True)

        def begun(core: Ready) -> None:
            said.enter_context(
                present(folder, core.chain, address, local_token, settings.tls_certificate)
            )
            served(core, layout.told(counts))

        supervisor = Supervisor(orders, listening, begun)
        height = supervisor.run()
    return Ready(supervisor.chain, height)
