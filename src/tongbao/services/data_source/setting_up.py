"""Beginning a source, and telling it later of more schemas and stores: held to the ledger."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import msgspec
from msgspec.structs import replace

from tongbao.kernel.identifiers import Address
from tongbao.modules import data
from tongbao.modules.data.types import Schema as LedgerSchema
from tongbao.rights.attestation import About
from tongbao.sdk.client import Client
from tongbao.sdk.data.consents import StoreAddress
from tongbao.sdk.signed_requests import account_has_key
from tongbao.services.data_source.settings import (
    NO_INPUT,
    SCHEMAS_LIMIT,
    STORES_LIMIT,
    Settings,
    SourceError,
    Told,
    read_schema,
    read_settings,
)


def settled(folder: Path, chain: Client, account: Address, key: tuple[str, str]) -> Settings:
    """The settings of a source that is there, or of a new one. `key` are its name and its `kid`.

    Raises SourceError for another chain or account, and for a key that is not the account's.
    """
    name, key_id = key
    if not account_has_key(chain, account, key_id):
        raise SourceError(
            f"the key {name} does not sign alone for the account {account}",
            "name the account's key: --key NAME",
        )
    new = Settings(account=account, chain=chain.id, key=name)
    try:
        found = read_settings(folder)
    except SourceError as error:
        if error.exit_code != NO_INPUT:
            raise
        return new
    if (found.account, found.chain) != (account, chain.id):
        raise SourceError(
            f"the folder is of {found.account} on {found.chain}", "take another folder: --folder"
        )
    return replace(found, key=name)


def with_schemas(
    settings: Settings, chain: Client, files: Sequence[Path], about: About
) -> Settings:
    """The settings with schemas of files. Raises SourceError where the ledger has others."""
    told = {one.schema.name: one for one in settings.schemas}
    for path in files:
        schema = read_schema(path)
        on_ledger = chain.query(data.schema, LedgerSchema(schema.name))
        names = [str(field.name) for field in schema.fields]
        if on_ledger is None or list(map(str, on_ledger.fields)) != names:
            raise SourceError(
                f"the ledger has no schema {schema.name} of the fields {', '.join(names)}",
                "compare `tongbao data schema`, or ask a registrar to define it",
            )
        new = Told(about=about, schema=schema)
        if told.setdefault(schema.name, new) != new:
            raise SourceError(
                f"{schema.name} is told otherwise already", "a change is a new version: eggs.2"
            )
    if len(told) > SCHEMAS_LIMIT:
        raise SourceError(f"a source tells at most {SCHEMAS_LIMIT} schemas")
    return replace(settings, schemas=tuple(told.values()))


def with_stores(settings: Settings, stores: Sequence[str]) -> Settings:
    """The settings with stores that parcels may go to. Raises SourceError."""
    try:
        new = [msgspec.convert(store.rstrip("/"), StoreAddress) for store in stores]
    except msgspec.ValidationError as error:
        raise SourceError(f"no address of a store: {error}", "as https://store.example") from None
    known = tuple(dict.fromkeys((*settings.stores, *new)))
    if len(known) > STORES_LIMIT:
        raise SourceError(f"a source talks to at most {STORES_LIMIT} stores")
    return replace(settings, stores=known)
