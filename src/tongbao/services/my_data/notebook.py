"""The notebook: what a person's program knows besides the rows, kept in the vault and at the store.

It names batches, consents, agents and erasures; values of rows never stand in it. Each state of it
has a number one higher; the store has the newest, sealed, so that a lost folder can be made again.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta, Struct

WRONG_LIMIT: Final = 1_000
"""Refusals of parcels that are remembered; older ones go."""

OLD_DROPS_LIMIT: Final = 100
"""Drops of renewed consents that have not ended yet."""

NOTEBOOK_BYTES_LIMIT: Final = 64 * 1024 * 1024

Url = Annotated[str, Meta(pattern=r"^https?://", max_length=2_048)]


class BadNotebook(Exception):
    """A notebook can't be read; the text says why."""

    exit_code = 65
    advice = "make the folder again from the recovery file: `tongbao mydata recover FILE`"


class Consented(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A consent that was given to a source: `jws` is what the source has."""

    ends: int
    jws: str
    method: str
    schema: str
    source: str
    withdrawn: bool = False


class OldDrop(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A drop of a consent that another took the place of: the store may still allow its token."""

    ends: int
    schema: str
    source: str


class Kept(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A batch that is at the store: its id on the ledger, what it is of, and who attested it."""

    attestation: str | None
    batch: str
    commitment: str
    count: int
    method: str
    period: str
    schema: str
    source: str
    version: int

    @property
    def month(self) -> tuple[str, str, str]:
        """What versions follow each other about: source, schema and month."""
        return (self.source, self.schema, self.period)


class TwoContents(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Two attestations of one source that contradict each other: a proof that it lied."""

    first: str
    found_at: int
    period: str
    schema: str
    second: str
    shown: bool = False
    source: str


class Holder(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Who still keeps rows that were sold, and until when."""

    buyer: str
    delete_by: int
    order: str


class Erasure(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """An erasure that was asked for, how far it is, and the receipts of who has erased.

    `due_at` is when it has to be done. `left` names agents and the store that have not answered.
    """

    agents: dict[str, dict[str, str | int]]
    asked_at: int
    batch: str
    commitment: str
    done_at: int | None = None
    due_at: int
    holders: tuple[Holder, ...] = ()
    left: tuple[str, ...] = ()
    retired: bool = False
    store: dict[str, str | int] | None = None


class Wrong(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """Something that was sent and not taken, and why."""

    at: int
    name: str
    number: int
    why: str


class Notebook(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One state of all that is noted."""

    account: str | None
    agents: dict[str, Url] = {}
    batches: tuple[Kept, ...] = ()
    chain: str
    consents: tuple[Consented, ...] = ()
    erasures: tuple[Erasure, ...] = ()
    node: Url
    number: int = 0
    old_drops: tuple[OldDrop, ...] = ()
    proofs: tuple[TwoContents, ...] = ()
    store: Url
    trust: str | None = None
    wrong: tuple[Wrong, ...] = ()

    def kept(self, batch: str) -> Kept | None:
        """The batch of this id or commitment, if it is kept."""
        return next((one for one in self.batches if batch in (one.batch, one.commitment)), None)

    def consent(self, source: str, schema: str) -> Consented | None:
        """The consent that was last given to a source for a schema."""
        found = [one for one in self.consents if (one.source, one.schema) == (source, schema)]
        return found[-1] if found else None


def write_notebook(notebook: Notebook) -> bytes:
    """A notebook as JSON."""
    return msgspec.json.encode(notebook)


def read_notebook(text: bytes) -> Notebook:
    """The notebook that JSON tells. Raises BadNotebook."""
    try:
        return msgspec.json.decode(text, type=Notebook)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadNotebook(f"the notebook can't be read: {error}") from None
