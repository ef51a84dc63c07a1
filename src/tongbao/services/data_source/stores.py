"""Leaving parcels at the stores that consents name, one connection to each."""

from __future__ import annotations

from http import HTTPStatus
from threading import Lock
from typing import Final

import httpx2

from tongbao.sdk.data.consents import Consent
from tongbao.services.data_source.delivering import NotLeft, Withdrawn

TIMEOUT_S: Final = 60.0
GONE: Final = frozenset({HTTPStatus.FORBIDDEN, HTTPStatus.NOT_FOUND})
"""What a store answers to a drop that its space has deleted, and about a space that is no more."""


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
        """Leave a parcel where a consent says. Raises Withdrawn, NotLeft."""
        try:
            answer = self._client(consent.store).post(
                f"/v1/spaces/{consent.inbox}/inbox",
                content=parcel,
                headers={
                    "authorization": f"Drop {consent.drop}",
                    "content-type": "application/octet-stream",
                },
            )
        except httpx2.RequestError as error:
            raise NotLeft(f"it does not answer: {type(error).__name__}") from None
        if answer.status_code in GONE:
            raise Withdrawn(f"answered with {answer.status_code}")
        if not answer.is_success:
            raise NotLeft(f"answered with status {answer.status_code}")

    def _client(self, store: str) -> httpx2.Client:
        with self._lock:
            if store not in self._clients:
                self._clients[store] = httpx2.Client(base_url=store, timeout=TIMEOUT_S)
            return self._clients[store]
