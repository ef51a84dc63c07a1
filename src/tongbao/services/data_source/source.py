"""An open source: its settings, the key that signs, and its journal."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from msgspec import Struct

from tongbao.kernel.identifiers import Address
from tongbao.sdk.key_file import Cost
from tongbao.sdk.signer import SoftwareKey
from tongbao.sdk.vault import FILE as VAULT_FILE
from tongbao.sdk.vault import Vault
from tongbao.services.data_source.journal import VAULT, Journal
from tongbao.services.data_source.settings import (
    Settings,
    place_of,
    read_settings,
    write_settings,
)


class Source(Struct, frozen=True, kw_only=True):
    """Everything that a source's steps need."""

    settings: Settings
    signer: SoftwareKey
    journal: Journal

    @property
    def account(self) -> Address:
        """Who attests."""
        return self.settings.account


def begin_source(
    folder: Path, settings: Settings, passphrase: str, cost: Cost | None = None
) -> None:
    """Make the place of a source; what there is already stays. Raises KeystoreError, OSError."""
    place = place_of(folder)
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (place / VAULT / VAULT_FILE).exists():
        Vault.create(place / VAULT, passphrase, cost).close()
    write_settings(folder, settings)


@contextmanager
def open_source(folder: Path, passphrase: str, signer: SoftwareKey) -> Iterator[Source]:
    """A source until the `with` statement ends. Raises SourceError, KeystoreError, OSError."""
    settings = read_settings(folder)
    with (
        Vault.open(place_of(folder) / VAULT, passphrase) as vault,
        Journal(place_of(folder), vault) as journal,
    ):
        yield Source(settings=settings, signer=signer, journal=journal)
