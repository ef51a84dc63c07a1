"""The words of the data market: schemas, fields, purposes, periods, phases. Never renumber."""

from typing import Annotated, Final, NewType

from msgspec import Meta

from tongbao.kernel import Address, Id, PublicKey, Value

FIELDS_LIMIT: Final = 64
PURPOSES_LIMIT: Final = 16
ASKS_LIMIT: Final = 16
REGIONS_LIMIT: Final = 32
BATCHES_LIMIT: Final = 36
CHUNKS_LIMIT: Final = 65_536
ATTESTATION_BYTES_LIMIT: Final = 4_096
SOURCE_KEYS_LIMIT: Final = 64
EVENT: Final = "event"
"""The first cell of every row, which is never granted: no field is named so."""

LONGEST_MS: Final = 3_660 * 86_400_000

Schema = NewType(
    "Schema", Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}[.][1-9][0-9]{0,2}\Z")]
)
"""A kind of rows and its version: `eggs.1`."""

Field = NewType("Field", Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,31}\Z")])
"""A column of a schema."""

Purpose = NewType("Purpose", Annotated[str, Meta(pattern=r"^dpv:[A-Z][A-Za-z]{0,62}\Z")])
"""What data is used for: a term of the W3C Data Privacy Vocabulary, as `dpv:AcademicResearch`."""

Region = NewType("Region", Annotated[str, Meta(pattern=r"^[A-Z]{2}\Z")])
"""A country (ISO 3166-1 alpha-2)."""

Period = NewType("Period", Annotated[str, Meta(pattern=r"^[0-9]{4}-(?:0[1-9]|1[0-2])\Z")])
"""A calendar month: `2026-11`."""

Version = NewType("Version", Annotated[int, Meta(ge=1, le=1_000)])
"""Which statement about a month a batch is; a correction is the next one."""

Method = NewType("Method", Annotated[str, Meta(pattern=r"^(?:scan|device|check-in|self)\Z")])
"""How rows came about; `self` is said by the person and attested by nobody."""

Mode = NewType("Mode", Annotated[str, Meta(pattern=r"^(?:view|store|stream)\Z")])
"""What a grant lets a buyer do. Statistics (`query`) are no grants of rows."""

Chunks = NewType("Chunks", Annotated[int, Meta(ge=1, le=CHUNKS_LIMIT)])
"""How many chunks of 64 KiB a package has."""

Volume = NewType("Volume", Annotated[int, Meta(ge=1, le=100_000_000)])
"""Batches that a source may commit about one month."""

DailyCap = NewType("DailyCap", Annotated[int, Meta(ge=1, le=10_000)])
"""Grants that an offer allows in one day (UTC)."""

Lasting = NewType("Lasting", Annotated[int, Meta(ge=1, le=LONGEST_MS)])
"""Milliseconds for which a buyer may keep what it got."""

Nonce = NewType("Nonce", Annotated[str, Meta(pattern=r"^[0-9a-f]{32}\Z")])
"""16 bytes in lowercase hex."""

SignedText = NewType(
    "SignedText",
    Annotated[
        str,
        Meta(
            pattern=r"^[A-Za-z0-9_-]{1,256}[.][A-Za-z0-9_-]{1,3752}[.][A-Za-z0-9_-]{86}\Z",
            max_length=ATTESTATION_BYTES_LIMIT,
        ),
    ],
)
"""A JWS in compact form with an Ed25519 signature, such as an attestation."""

Verdict = NewType("Verdict", Annotated[str, Meta(pattern=r"^(?:upheld|rejected)\Z")])
"""What an adjudicator says of a claim."""

Phase = NewType(
    "Phase",
    Annotated[
        str,
        Meta(
            pattern=r"^(?:open|sealed|confirmed|revealed|claimed|settled|cancelled|withdrawn|lapsed"
            r"|upheld|rejected)\Z"
        ),
    ],
)
"""How far an order is."""

Fields = Annotated[tuple[Field, ...], Meta(min_length=1, max_length=FIELDS_LIMIT)]
Purposes = Annotated[tuple[Purpose, ...], Meta(min_length=1, max_length=PURPOSES_LIMIT)]
Regions = Annotated[tuple[Region, ...], Meta(min_length=1, max_length=REGIONS_LIMIT)]
Batches = Annotated[tuple[Id, ...], Meta(min_length=1, max_length=BATCHES_LIMIT)]
Panel = Annotated[tuple[Address, ...], Meta(max_length=3)]
SourceKeys = Annotated[tuple[PublicKey, ...], Meta(max_length=SOURCE_KEYS_LIMIT)]
Votes = Annotated[tuple[Verdict | None, ...], Meta(max_length=3)]


class Ask(Value):
    """The fields of one schema that an enterprise may ask for."""

    schema: Schema
    fields: Fields


Asks = Annotated[tuple[Ask, ...], Meta(min_length=1, max_length=ASKS_LIMIT)]
