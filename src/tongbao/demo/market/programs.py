"""The programs around the ledger, each in a process and a folder of its own.

`python -m tongbao.demo.market.programs KIND FOLDER ORIGIN` serves until its standard input ends: at
the latest when the process that started it is gone. It prints its address as one line.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Final

from tongbao.demo.failures import DemoError
from tongbao.demo.market.opening import CHEAP, STOPPED, Market
from tongbao.demo.market.wires import Wire
from tongbao.kernel.identifiers import Address
from tongbao.sdk.signer import SoftwareKey
from tongbao.store.closable import Closable

SECRET: Final = "TONGBAO_PASSPHRASE"
LOG_FILE: Final = "log"
STORE_BYTES: Final = 1 << 40
STORE_NAMES: Final = 1_000_000


class Program(Closable):
    """A program in a child process. Close it, or use it in a `with` statement."""

    def __init__(self, kind: str, folder: Path, secret: str, wire: Wire, *further: str) -> None:
        """Start to serve a folder that was laid out, behind a wire. Raises DemoError, OSError."""
        self.log = folder.with_name(f"{folder.name}.{LOG_FILE}")
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", __name__, kind, str(folder), wire.address, *further],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, SECRET: secret},
                start_new_session=True,
            )
        self.address = wire.address
        served_at = _pipe(self._process.stdout).readline().decode().strip()
        if not served_at:
            self.close()
            raise DemoError(f"the {kind} has ended before it served", f"see {self.log}", STOPPED)
        wire.to(served_at)

    def close(self) -> None:
        """Let it end. May be called again."""
        _pipe(self._process.stdin).close()
        self._process.wait()
        _pipe(self._process.stdout).close()


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def lay_out_store(folder: Path) -> None:
    """A store that serves any space."""
    from tongbao.services.data_store.folder import StoreFolder
    from tongbao.services.data_store.names import Quota

    StoreFolder(folder).lay_out(is_open=True, quota=Quota(bytes=STORE_BYTES, names=STORE_NAMES))


def lay_out_agent(folder: Path, market: Market, label: str, store: str, secret: str) -> None:
    """The folder of an institution's agent."""
    from tongbao.services.data_agent.folder import Settings, create

    party = market.parties[label]
    settings = Settings(
        account=party.address, chain=market.chain.id, node=market.address, store=store
    )
    create(folder, settings, party.key.seed, secret, CHEAP)


def lay_out_panel(folder: Path, secret: str) -> None:
    """The folder of an adjudicator."""
    from tongbao.sdk.vault import Vault

    folder.mkdir(mode=0o700)
    Vault.create(folder / "vault", secret, CHEAP).close()
    (folder / "evidence").mkdir(mode=0o700)


def _serve_store(folder: Path, secret: str, origin: str) -> None:
    from tongbao.services.data_store.folder import StoreFolder
    from tongbao.services.data_store.running import run_store

    run_store(StoreFolder(folder), ready=_say, origin=origin)


def _serve_agent(folder: Path, secret: str, origin: str) -> None:
    from tongbao.services.data_agent.program import Listening, run_agent

    run_agent(folder, secret, Listening(origin=origin), _say)


def _serve_panel(
    folder: Path, secret: str, origin: str, node: str, account: str, label: str
) -> None:
    from tongbao.sdk.http import HttpChain
    from tongbao.services.data_panel.cases import PanelFolder
    from tongbao.services.data_panel.panel import Panel
    from tongbao.services.data_panel.program import panel_app
    from tongbao.services.serving.listening import run_service

    chain = HttpChain(node)
    key = SoftwareKey.derive(bytes.fromhex(secret), label)
    with PanelFolder.open(folder, secret) as opened:
        panel = Panel(chain, chain.wallet(Address(account), key), opened)
        app = panel_app(panel, votes=True)
        run_service(app, ready=_say, nonces=folder / "nonces", origin=origin)


KINDS: Final[Mapping[str, Callable[..., None]]] = {
    "store": _serve_store,
    "agent": _serve_agent,
    "panel": _serve_panel,
}


def _say(url: str) -> None:
    sys.stdout.write(f"{url}\n")
    sys.stdout.flush()


def main(kind: str, folder: Path, *further: str) -> None:
    """The child: serve until standard input ends."""
    from tongbao.services.serving.logs import send_log

    def stop_at_the_end() -> None:
        sys.stdin.buffer.read()
        os.kill(os.getpid(), signal.SIGTERM)

    send_log()
    threading.Thread(target=stop_at_the_end, daemon=True).start()
    KINDS[kind](folder, os.environ[SECRET], *further)


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]), *sys.argv[3:])
