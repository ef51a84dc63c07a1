"""What a source is set up with: its account and key, the schemas it tells, the stores it talks to.

It stands in `FOLDER/data-source/settings.json` and holds no secret. FOLDER is one of names and
keys, as all commands have it.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel.identifiers import Address, ChainId
from tongbao.rights.attestation import About
from tongbao.rights.batch import Period
from tongbao.rights.schema import BadRow, Schema, SchemaName
from tongbao.sdk.data.consents import StoreAddress
from tongbao.sdk.folder import sync_folder

PLACE: Final = "data-source"
FILE: Final = "settings.json"
VERSION: Final = 1
SCHEMAS_LIMIT: Final = 64
STORES_LIMIT: Final = 64
FILE_BYTES_LIMIT: Final = 1_048_576
BUSY: Final = 75
WRONG: Final = 65
NO_INPUT: Final = 66


class SourceError(Exception):
    """Something that a source can't do; the text says what is wrong, and `advice` what to do."""

    def __init__(self, text: str, advice: str = "", exit_code: int = 2) -> None:
        """Carry what is wrong, what to do, and how a command ends by it."""
        super().__init__(text)
        self.advice = advice
        self.exit_code = exit_code


class Told(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A schema that the source tells rows of, and whether its customers are persons."""

    about: About
    schema: Schema


class Settings(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What a source is set up with. `key` is the name of its key in the keystore."""

    account: Address
    chain: ChainId
    key: str
    schemas: Annotated[tuple[Told, ...], Meta(max_length=SCHEMAS_LIMIT)] = ()
    stores: Annotated[tuple[StoreAddress, ...], Meta(max_length=STORES_LIMIT)] = ()
    version: Annotated[int, Meta(ge=VERSION, le=VERSION)] = VERSION

    def told(self, name: str) -> Told:
        """The schema of a name. Raises SourceError."""
        for one in self.schemas:
            if one.schema.name == name:
                return one
        known = ", ".join(one.schema.name for one in self.schemas) or "none yet"
        raise SourceError(
            f"the source tells no rows of {name!r} (it tells: {known})",
            "add it: `tongbao data-source init --schema FILE`",
        )


def place_of(folder: Path) -> Path:
    """Where a source keeps what is its own."""
    return folder / PLACE


def read_settings(folder: Path) -> Settings:
    """The settings of a source. Raises SourceError."""
    path = place_of(folder) / FILE
    try:
        return msgspec.json.decode(_small(path), type=Settings)
    except FileNotFoundError:
        raise SourceError(
            f"there is no source in {folder}",
            "begin one: `tongbao data-source init`, or name another folder: --folder",
            NO_INPUT,
        ) from None
    except (msgspec.DecodeError, ValueError) as error:
        raise SourceError(f"{path} can't be read: {error}", "repair it", WRONG) from None


def write_settings(folder: Path, settings: Settings) -> None:
    """Put settings in the place of what was there, whole and durable. Raises OSError."""
    place = place_of(folder)
    partial = place / f"{FILE}.part"
    partial.write_bytes(msgspec.json.format(msgspec.json.encode(settings)) + b"\n")
    partial.chmod(0o600)
    partial.replace(place / FILE)
    sync_folder(place)


def read_schema(path: Path) -> Schema:
    """The schema in a file. Raises SourceError."""
    try:
        return msgspec.json.decode(_small(path), type=Schema)
    except OSError as error:
        raise SourceError(f"{path}: {error.strerror}", "check the path", NO_INPUT) from None
    except (msgspec.DecodeError, BadRow, ValueError) as error:
        raise SourceError(
            f"{path} is no schema: {error}",
            'write {"fields":[{"kind":"integer","name":"eggs"}],"name":"eggs.1"}',
            WRONG,
        ) from None


def check_period(text: str) -> Period:
    """A month as it is written. Raises SourceError."""
    try:
        return msgspec.convert(text, Period)
    except msgspec.ValidationError:
        raise SourceError(f"{text!r} is no month", "write it as 2026-03") from None


def check_schema_name(text: str) -> SchemaName:
    """The name of a schema. Raises SourceError."""
    try:
        return msgspec.convert(text, SchemaName)
    except msgspec.ValidationError:
        raise SourceError(f"{text!r} names no schema", "write it as eggs.1") from None


def _small(path: Path) -> bytes:
    with path.open("rb") as file:
        text = file.read(FILE_BYTES_LIMIT + 1)
    if len(text) > FILE_BYTES_LIMIT:
        raise ValueError(f"longer than {FILE_BYTES_LIMIT} bytes")
    return text
