"""The agent as a program: folder, ledger, store and threads behind one HTTP address."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final

from msgspec import Struct
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response

from tongbao.sdk.data.store_client import StoreAway, StoreLied, StoreRefused
from tongbao.sdk.errors import NodeError, Unreachable
from tongbao.sdk.http import HttpChain
from tongbao.sdk.signed_requests import account_has_key
from tongbao.sdk.vault import Vault
from tongbao.sdk.wallet import Wallet
from tongbao.services.data_agent.api import Api
from tongbao.services.data_agent.bringing import Bringing
from tongbao.services.data_agent.folder import VAULT, FolderError, keys_of, read_settings
from tongbao.services.data_agent.following import Following
from tongbao.services.data_agent.heard import Requests
from tongbao.services.data_agent.journal import Journal
from tongbao.services.data_agent.ledger import Ledger
from tongbao.services.data_agent.selling import Selling
from tongbao.services.data_agent.shelf import Blobs, Shelf
from tongbao.services.data_agent.stored import StoredBlobs
from tongbao.services.serving.app import service_app
from tongbao.services.serving.bodies import sweep
from tongbao.services.serving.listening import run_service
from tongbao.services.serving.problems import Problem
from tongbao.services.serving.tls import Tls
from tongbao.store.lock import lock_folder

PARCELS_AT_ONCE: Final = 2
"""Copies that come at once: each is in memory for a moment."""


class Listening(Struct, frozen=True, kw_only=True):
    """Where and how the agent is asked, and how it is let in at a node."""

    host: str = "127.0.0.1"
    port: int = 0
    tls: Tls | None = None
    origin: str | None = None
    behind_tls_proxy: bool = False
    api_key: str | None = None


class Parts(Struct, frozen=True, kw_only=True):
    """Everything that an agent consists of, open."""

    api: Api
    chain: HttpChain
    following: Following


@contextmanager
def opened(
    folder: Path,
    passphrase: str,
    *,
    api_key: str | None = None,
    vault: type[Vault] = Vault,
    blobs: type[StoredBlobs] = StoredBlobs,
    wallet: type[Wallet] = Wallet,
) -> Iterator[Parts]:
    """An agent out of its folder, which nobody else has open; nothing runs yet.

    `api_key` lets in at a node that answers members alone. Of what kind the parts are that keep,
    send and sign may be said: for hosts of an agent's own.

    Raises FolderError, FolderInUse, KeystoreError, JournalError, Unreachable.
    """
    settings = read_settings(folder)
    held = lock_folder(folder)
    with ExitStack() as ending:
        ending.callback(os.close, held)
        kept = ending.enter_context(vault.open(folder / VAULT, passphrase))
        journal = Journal(folder)
        ending.callback(journal.close)
        keys = keys_of(kept)
        session = None if api_key else (settings.account, keys.account)
        chain = ending.enter_context(HttpChain(settings.node, session=session, api_key=api_key))
        if chain.id != settings.chain:
            raise FolderError(f"{settings.node} serves {chain.id}, not {settings.chain}")
        space = blobs(settings.store, keys.space)
        ending.callback(space.close)
        sender = wallet(chain, settings.account, (keys.account,))
        yield parts_of(folder, kept, journal, sender, space)


def parts_of(folder: Path, vault: Vault, journal: Journal, wallet: Wallet, blobs: Blobs) -> Parts:
    """The parts of an agent, put together."""
    chain, account = wallet.chain, wallet.address
    assert isinstance(chain, HttpChain)
    keys, ledger = keys_of(vault), Ledger(chain)
    shelf = Shelf(journal, vault, blobs, folder)
    requests = Requests(journal, ledger, shelf, account)
    selling = Selling(journal, vault, shelf, requests)
    selling.act_as(ledger, wallet)
    bringing = Bringing(shelf, ledger, account, keys.exchange)
    following = Following(journal, shelf, selling, bringing, ledger)
    incoming = folder / "incoming"
    incoming.mkdir(mode=0o700, exist_ok=True)
    sweep(incoming)
    api = Api(
        account=account,
        keys=keys,
        folder=incoming,
        journal=journal,
        ledger=ledger,
        shelf=shelf,
        requests=requests,
        selling=selling,
        bringing=bringing,
        following=following,
        parcels=asyncio.Semaphore(PARCELS_AT_ONCE),
    )
    return Parts(api=api, chain=chain, following=following)


def run_agent(
    folder: Path, passphrase: str, listening: Listening, ready: Callable[[str], None]
) -> None:
    """Sell for owners until told to stop."""
    with opened(folder, passphrase, api_key=listening.api_key) as parts:
        parts.api.selling.tidy()
        ends = _Ending()
        try:
            parts.following.start(parts.chain, ends)
            run_service(
                app_of(parts),
                listening.host,
                listening.port,
                tls=listening.tls,
                ready=ready,
                origin=listening.origin,
                behind_tls_proxy=listening.behind_tls_proxy,
                nonces=folder / "nonces",
                stopping=ends.by,
            )
        finally:
            parts.following.stop()


def app_of(parts: Parts) -> Starlette:
    """The application of an agent: a node or store that is away is told as such."""
    app = service_app(
        parts.api.routes(),
        has_key=lambda account, kid: account_has_key(parts.chain, account, kid),
    )
    for kind in (Unreachable, NodeError, StoreAway, StoreLied, StoreRefused):
        app.add_exception_handler(kind, _away)
    return app


async def _away(request: Request, error: Exception) -> Response:
    detail = "the node or the store is away: nothing was done; ask again in a moment"
    headers = {"Retry-After": "2"}
    return Problem(HTTPStatus.SERVICE_UNAVAILABLE, detail, headers=headers).response()


class _Ending:
    """Stops the service when a thread of the agent ends, also where that is before it begins."""

    def __init__(self) -> None:
        self._stop: Callable[[], None] | None = None
        self._has_ended = False

    def by(self, stop: Callable[[], None]) -> None:
        self._stop = stop
        if self._has_ended:
            stop()

    def __call__(self) -> None:
        self._has_ended = True
        if self._stop is not None:
            self._stop()
