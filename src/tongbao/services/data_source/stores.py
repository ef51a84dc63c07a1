"""Leaving parcels at the stores that consents name, one connection to each."""

from __future__ import annotations

from http import HTTPStatus
from threading import Lock
from typing import Final

import httpx2

from tongbao.sdk.data.consents import Consent
from tongbao.services.data_source.delivering import NotLeft, Withdrawn

TIMEOUT_S: Final = 60.0
PROBLEM: Final = "application/problem+json"
"""What a store answers in; a proxy or a wall before it that forbids everything does not."""
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
            why = f"it does not answer: {type(error).__name__}"
            raise NotLeft(why, is_away=True) from None
        status = answer.status_code
        kind = answer.headers.get("content-type", "").partition(";")[0]
        if status == HTTPStatus.FORBIDDEN and kind == PROBLEM:
            raise Withdrawn("nothing may be left there any more")
        if not answer.is_success:
            raise NotLeft(f"answered with status {status}", is_away=status not in THIS_INBOX)

    def _client(self, store: str) -> httpx2.Client:
        with self._lock:
            if store not in self._clients:
                self._clients[store] = httpx2.Client(base_url=store, timeout=TIMEOUT_S)
            return self._clients[store]
