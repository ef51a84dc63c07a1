"""Everything of a person in one archive that any program can read: docs/data-export.md.

The archive has rows and secrets in the clear: it is the person's to keep. On import nothing in it
is believed or unpacked: each batch is held to its attestation and to the ledger, as if it had just
come from its source.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import jcs
from tongbao.rights.batch import Batch, batch_is_true
from tongbao.rights.batch_text import BatchText, batch_text
from tongbao.rights.limits import ATTESTATION_BYTES_LIMIT
from tongbao.sdk.zip_form import BYTES_LIMIT, Members, ZipError, read_zip, zip_pieces
from tongbao.services.my_data.agents import AgentError
from tongbao.services.my_data.collecting import keep
from tongbao.services.my_data.delivery import attested_by, attested_is_of
from tongbao.services.my_data.ledger import Owned
from tongbao.services.my_data.notebook import Kept, TwoContents, Wrong
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.refusals import NotTaken, Why
from tongbao.services.my_data.statement import statement

FORMAT: Final = "tongbao-mydata-export/1"
BATCHES: Final = "batches/"
MANIFEST: Final = "manifest.json"


class BadArchive(Exception):
    """A file is no archive of this format; nothing of it was taken."""

    exit_code = 65
    advice = "take an archive that `tongbao mydata export` made, or see docs/data-export.md"


class Listed(Struct, frozen=True, forbid_unknown_fields=True):
    """A file of the archive, and the SHA-256 of its bytes."""

    name: str
    sha256: str


class Manifest(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What the archive is, whose, and what it holds."""

    account: str
    chain: str
    files: tuple[Listed, ...]
    format: str
    made_at: int


class BatchFile(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    """One batch: as a source sends it. Rows that the person told have no attestation."""

    attestation: (
        Annotated[str, Meta(pattern=r"^[A-Za-z0-9._-]+\Z", max_length=ATTESTATION_BYTES_LIMIT)]
        | None
    ) = None
    batch: BatchText


_batch_decoder = jcs.decoder(BatchFile)


class Imported(Struct, kw_only=True):
    """What came of an import."""

    taken: list[Kept]
    refused: list[Wrong]
    proofs: int = 0


def export(person: Person, path: Path) -> Manifest:
    """Write the archive into a new file that its owner alone may read. Raises OSError, ZipError.

    The ledger's part is as it stands now. A batch that the store does not give as it was stops it.
    """
    members = dict(_members(person))
    files = tuple(Listed(name, sha256(text).hexdigest()) for name, text in members.items())
    manifest = Manifest(
        account=person.account,
        chain=person.chain.id,
        files=files,
        format=FORMAT,
        made_at=person.now(),
    )
    everything = {MANIFEST: _json(manifest), **members}
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(descriptor, "wb") as file:
            for piece in zip_pieces(everything.items()):
                file.write(piece)
            file.flush()
            os.fsync(file.fileno())
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return manifest


def _members(person: Person) -> Iterator[tuple[str, bytes]]:
    for number, kept in enumerate(person.notebook.batches, 1):
        text = batch_text(person.shelf.fetch(kept.commitment))
        start = b"{"
        if kept.attestation is not None:
            start += b'"attestation":' + msgspec.json.encode(kept.attestation) + b","
        yield f"{BATCHES}{number:06}.json", start + b'"batch":' + text + b"}"
    owned, notebook = person.owned(), person.notebook
    yield "consents.json", _json(notebook.consents)
    yield "erasures.json", _json(notebook.erasures)
    yield (
        "ledger.json",
        _json(
            {
                name: {row: jcs.to_builtins(value) for row, value in rows.items()}
                for name, rows in (
                    ("batches", owned.batches),
                    ("licences", owned.licences),
                    ("offers", owned.offers),
                    ("orders", owned.orders),
                )
            }
        ),
    )
    yield "proofs.json", _json(notebook.proofs)
    yield from _receipts(person, owned)
    yield "statement.json", _json(statement(owned))


def _receipts(person: Person, owned: Owned) -> Iterator[tuple[str, bytes]]:
    """The receipts of grants, from the agents that sealed; of those that answer."""
    number = 0
    for name, order in owned.orders.items():
        if order.seller not in person.notebook.agents:
            continue
        with suppress(AgentError):
            if text := person.door(order.seller).receipt(name):
                number += 1
                yield f"receipts/{number:06}.json", text


def _json(value: Any) -> bytes:
    return msgspec.json.encode(value, order="sorted")


def read_archive(path: Path) -> tuple[Manifest, Members]:
    """The files of an archive, in memory. Raises BadArchive, OSError."""
    with path.open("rb") as file:
        text = file.read(BYTES_LIMIT + 1)
    try:
        members = read_zip(text)
        manifest = msgspec.json.decode(members.pop(MANIFEST, b""), type=Manifest)
    except ZipError as error:
        raise BadArchive(f"no archive of this form: {error}") from None
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadArchive(f"its {MANIFEST} can't be read: {error}") from None
    if manifest.format != FORMAT:
        raise BadArchive(f"it has the format {manifest.format[:40]!a}, not {FORMAT}")
    listed = {one.name: one.sha256 for one in manifest.files}
    if listed != {name: sha256(text).hexdigest() for name, text in members.items()}:
        raise BadArchive("its files are not those that its manifest lists")
    return manifest, members


def take_archive(person: Person, path: Path) -> Imported:
    """Keep the batches of an archive that are true and on the ledger; others are told.

    Raises BadArchive, OSError.
    """
    manifest, members = read_archive(path)
    if (manifest.account, manifest.chain) != (person.account, person.chain.id):
        raise BadArchive("it is of another account or chain")
    done = Imported(taken=[], refused=[])
    for name, text in members.items():
        if not name.startswith(BATCHES):
            continue
        try:
            done.taken.append(_take_batch(person, text))
        except NotTaken as error:
            wrong = Wrong(at=person.now(), name=name, number=int(error.why), why=str(error))
            done.refused.append(wrong)
    done.proofs = _take_proofs(person, members.get("proofs.json", b"[]"))
    return done


def _take_batch(person: Person, text: bytes) -> Kept:
    try:
        read: BatchFile = jcs.decode_canonical(_batch_decoder, text)
        batch: Batch = read.batch.batch()
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise NotTaken(Why.IS_NO_BATCH, str(error)) from None
    if not batch_is_true(batch):
        raise NotTaken(Why.IS_NOT_TRUE)
    if read.attestation is None:
        return keep(person, batch, None, None)
    # The source's own commitment on the ledger says as much as a key that it has had since.
    attested = attested_by(read.attestation.encode("ascii"), None)
    attested_is_of(attested, batch)
    return keep(person, batch, (attested.version, attested.method), read.attestation)


def _take_proofs(person: Person, text: bytes) -> int:
    """Keep the proofs against sources that are proofs; how many were new."""
    try:
        proofs = msgspec.json.decode(text, type=tuple[TwoContents, ...])
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise BadArchive(f"its proofs can't be read: {error}") from None
    known = {(one.first, one.second) for one in person.notebook.proofs}
    new = tuple(one for one in proofs if (one.first, one.second) not in known and _proves(one))
    if new:
        person.home.note(proofs=(*person.notebook.proofs, *new))
    return len(new)


def _proves(proof: TwoContents) -> bool:
    try:
        one = attested_by(proof.first.encode("ascii"), None)
        other = attested_by(proof.second.encode("ascii"), None)
    except (NotTaken, UnicodeEncodeError):
        return False
    told = (proof.source, proof.schema, proof.period)
    return (
        one.subject_of_claim == other.subject_of_claim
        and one.batch != other.batch
        and (one.iss, one.schema, one.period) == told
    )
