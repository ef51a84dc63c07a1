"""Inboxes without a network: what was left, and what a store would say."""

from __future__ import annotations

from tongbao.sdk.data.consents import Consent
from tongbao.services.data_source.delivering import NotLeft, Withdrawn


class Mailbox:
    """A store's inboxes; spaces in `closed` have withdrawn, and `down` takes nothing."""

    def __init__(self) -> None:
        """Nothing was left yet."""
        self.parcels: dict[str, list[bytes]] = {}
        self.closed: set[str] = set()
        self.down = False

    def leave(self, consent: Consent, parcel: bytes) -> None:
        """Take a parcel."""
        if self.down:
            raise NotLeft("answered with status 503", is_away=True)
        if consent.inbox in self.closed:
            raise Withdrawn("answered with 403")
        self.parcels.setdefault(consent.inbox, []).append(parcel)
