"""Three adjudicators, each with a program of its own on a real socket."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from tests.sdk.data.market import ADDRESSES, PANEL, Market
from tests.sdk.kept_chain import CHEAP
from tests.services.serving.served import serving
from tongbao.sdk.http import HttpChain
from tongbao.sdk.vault import Vault
from tongbao.services.data_panel.cases import PanelFolder
from tongbao.services.data_panel.panel import Panel
from tongbao.services.data_panel.program import panel_app
from tongbao.testing.keys import named_key

PASSPHRASE: Final = "we decide what was claimed"


def panel_folder(path: Path) -> PanelFolder:
    """An adjudicator's folder whose passphrase costs little."""
    path.mkdir(mode=0o700)
    path.chmod(0o700)
    Vault.create(path / "vault", PASSPHRASE, CHEAP).close()
    (path / "evidence").mkdir(mode=0o700)
    return PanelFolder.open(path, PASSPHRASE)


@contextmanager
def sitting(
    market: Market, path: Path, name: str, *, votes: bool, after: str = ""
) -> Iterator[tuple[Panel, str]]:
    """One adjudicator's panel, and where it is, while it serves; it hears of what comes after."""
    chain = HttpChain(market.address)
    with panel_folder(path / name) as folder:
        panel = Panel(chain, chain.wallet(ADDRESSES[name], named_key(name)), folder)
        folder.follow_from(after or f"{chain.head().height}.0")
        with serving(panel_app(panel, votes=votes)) as url:
            yield panel, url


@contextmanager
def panels(market: Market, path: Path, *, votes: bool = True) -> Iterator[dict[str, str]]:
    """Where the programs of all three are, while they serve."""
    with ExitStack() as stack:
        yield {
            ADDRESSES[name]: stack.enter_context(sitting(market, path, name, votes=votes))[1]
            for name in PANEL
        }
