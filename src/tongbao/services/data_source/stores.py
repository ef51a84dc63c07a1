"""Leaving parcels at the stores that consents name, one connection to each."""

from __future__ import annotations

from http import HTTPStatus
from threading import Lock
from typing import Final

import httpx2

from tongbao.sdk.data.consents import Consent
from tongbao.sdk.data.store_client import (
    TIMEOUT_S,
    StoreAway,
    StoreLied,
    StoreRefused,
    leave_parcel,
)
from tongbao.services.data_source.delivering import NotLeft, Withdrawn

THIS_INBOX: Final = frozenset({HTTPStatus.INSUFFICIENT_STORAGE, HTTPStatus.NOT_FOUND})
"""Answers that are about one person's inbox: it is full, or its space is not there."""


class Stores:
    """Open connections; use it in `with`. Threads may share it."""

    def __init__(self) -> None:
        """Connect to nobody yet."""
        self._clients: dict[str, httpx2.Client] = {}
        self._lock = Lock()

    def __enter__(self) -> Stores:
        """The stores themselves."""
        return self

    def __exit__(self, *_: object) -> None:
        """Close all connections."""
        for client in self._clients.values():
            client.close()

    def leave(self, consent: Consent, parcel: bytes) -> None:
        """Leave a parcel where a consent says. Raises Withdrawn, NotLeft.

        A proxy or a wall before the store that forbids everything ends no consent.
        """
        store, token = consent.store, bytes.fromhex(consent.drop)
        try:
            leave_parcel(store, consent.inbox, token, parcel, client=self._client(store))
        except StoreRefused as error:
            if error.status == HTTPStatus.FORBIDDEN and error.by_store:
                raise Withdrawn("nothing may be left there any more") from None
            why = f"answered with status {error.status}"
            raise NotLeft(why, is_away=error.status not in THIS_INBOX) from None
        except (StoreAway, StoreLied) as error:
            raise NotLeft(str(error), is_away=True) from None

    def _client(self, store: str) -> httpx2.Client:
        with self._lock:
            if store not in self._clients:
                self._clients[store] = httpx2.Client(timeout=TIMEOUT_S)
            return self._clients[store]
