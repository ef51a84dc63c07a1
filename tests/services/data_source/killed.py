"""A source that is killed in the middle: `python -m ... FOLDER WHERE`, for test_killed.py."""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from tests.services.data_source.shop import MARCH, opened, silent, source_in
from tongbao.sdk.client import Applied
from tongbao.sdk.data.consents import Consent
from tongbao.sdk.local import Chain
from tongbao.sdk.signer import Signer
from tongbao.sdk.wallet import Wallet
from tongbao.services.data_source.consents import consents
from tongbao.services.data_source.delivering import push
from tongbao.services.data_source.monthly import make_month
from tongbao.services.data_source.statements import draw

MONTH_PLACES: Final = ("drawing", "drawn", "attested", "sending", "sent")
PUSH_PLACES: Final = ("leaving", "left")


def die() -> None:
    """End at once, as by kill -9."""
    os.kill(os.getpid(), signal.SIGKILL)


class Deadly:
    """A chain in front of which the program dies: as it gets a wallet, before or after it sends."""

    def __init__(self, chain: Chain, where: str) -> None:
        """Pass everything on to a chain."""
        self._chain = chain
        self._where = where

    def __getattr__(self, name: str) -> Any:
        """What the chain has."""
        return getattr(self._chain, name)

    def wallet(self, address: str, *signers: Signer, lane: int = 0) -> Wallet:
        """A wallet that sends here."""
        if self._where == "attested":
            die()
        wallet = self._chain.wallet(address, *signers, lane=lane)
        return Wallet(self, wallet.address, signers, lane=lane)

    def submit_many(self, transactions: Iterable[bytes]) -> list[Applied | Exception]:
        """Send, and perhaps die."""
        if self._where == "sending":
            die()
        found = self._chain.submit_many(transactions)
        if self._where == "sent":
            die()
        return found


def told(where: str) -> Callable[[str, int, int], None]:
    """Progress that dies once everything is drawn."""

    def tell(stage: str, done: int, total: int) -> None:
        if where == stage == "drawn":
            die()

    return tell


def main() -> None:
    """Work until it dies."""
    folder, where = Path(sys.argv[1]), sys.argv[2]
    with opened(folder) as chain, source_in(folder) as source:
        if where == "drawing":
            with_death = list(consents(source))
            database: sqlite3.Connection = source.journal.database
            database.create_function("die", 0, die)
            database.execute(
                "CREATE TEMP TRIGGER t AFTER UPDATE ON main.events BEGIN SELECT die(); END"
            )
            draw(source, with_death, MARCH, 1)
        make_month(source, Deadly(chain, where), MARCH, told(where))
        left = Path(sys.argv[3])

        def leave(consent: Consent, parcel: bytes) -> None:
            if where == "leaving":
                die()
            # Whole or not at all, as a store does: another thread may be dying.
            partial = left / f"{consent.inbox}.part"
            partial.write_bytes(parcel)
            partial.rename(left / consent.inbox)
            if where == "left":
                die()

        push(source, chain.now(), leave, silent)


if __name__ == "__main__":
    main()
