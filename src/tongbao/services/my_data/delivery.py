"""What is asked of a batch before it is taken: a pure function of what came and what is known.

Nothing that a source says is believed: who signed, whose rows, which month and which root are held
to the ledger, to the person's consent and to what the source said before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct

from tongbao.kernel import InvalidTransaction
from tongbao.kernel.envelope import decode_compact
from tongbao.modules import data
from tongbao.rights.attestation import (
    TYPE,
    Attestation,
    BadAttestation,
    check_attested,
    read_attestation,
)
from tongbao.rights.batch import Batch, batch_is_true, commitment_of, repeated_events
from tongbao.sdk.data.consents import read_consent
from tongbao.services.my_data.ledger import Owned
from tongbao.services.my_data.notebook import Kept, Notebook
from tongbao.services.my_data.refusals import NotTaken, Why


class Delivery(Struct, frozen=True, kw_only=True):
    """What came: the batch, its attestation, and the context it was sealed under."""

    attestation: bytes
    batch: Batch
    context: bytes


class TwoAttestations(NotTaken):
    """A source has signed two contents for one month and version; both texts are kept."""

    def __init__(self, first: str, second: str, attested: Attestation) -> None:
        """Carry both, and what they are of."""
        super().__init__(Why.TWO_CONTENTS, "both attestations are kept as a proof")
        self.first = first
        self.second = second
        self.attested = attested


def attested_by(jws: bytes, keys: frozenset[str] | None) -> Attestation:
    """What a source attests; `keys` are its keys on the ledger, None where any will do.

    Raises NotTaken. Any key will do where the ledger has the source's own commitment to the same.
    """
    try:
        _, signature = decode_compact(jws, TYPE)
        found = read_attestation(jws, signature.public_key)
    except (BadAttestation, InvalidTransaction) as error:
        raise NotTaken(Why.IS_NO_BATCH, str(error)) from None
    if keys is not None and signature.kid not in keys:
        raise NotTaken(Why.IS_NOT_SIGNED)
    return found


def check_delivery(
    delivery: Delivery, attested: Attestation, notebook: Notebook, now_ms: int
) -> None:
    """Whether a batch is what its source attests of this person. Raises NotTaken."""
    batch, header = delivery.batch, delivery.batch.header
    attested_is_of(attested, batch)
    if commitment_of(header) != delivery.context:
        raise NotTaken(Why.DIFFERS, "the parcel was sealed for another commitment")
    consent = notebook.consent(header.source, header.schema)
    if consent is None or consent.withdrawn or consent.ends <= now_ms:
        raise NotTaken(Why.NO_CONSENT)
    if attested.method != consent.method:
        raise NotTaken(Why.NO_CONSENT, f"consented to {consent.method}, not {attested.method}")
    if header.subject != read_consent(consent.jws.encode("ascii")).subject:
        raise NotTaken(Why.IS_ANOTHERS)
    if not batch_is_true(batch):
        raise NotTaken(Why.IS_NOT_TRUE)
    refuse_two_contents(attested, delivery.attestation, notebook.batches)


def attested_is_of(attested: Attestation, batch: Batch) -> None:
    """Whether an attestation is of this batch. Raises NotTaken."""
    try:
        check_attested(attested, batch.header)
    except BadAttestation as error:
        raise NotTaken(Why.DIFFERS, str(error)) from None


def refuse_two_contents(attested: Attestation, jws: bytes, kept: Iterable[Kept]) -> None:
    """Compare with what the same source attested before. Raises TwoAttestations."""
    for one in kept:
        same = (one.source, one.schema, one.period, one.version) == (
            attested.iss,
            attested.schema,
            attested.period,
            attested.version,
        )
        if not same or one.attestation is None or one.commitment == attested.batch:
            continue
        before = attested_by(one.attestation.encode("ascii"), None)
        if before.subject_of_claim == attested.subject_of_claim:
            raise TwoAttestations(one.attestation, jws.decode("ascii"), attested)


Said = tuple[int, str]
"""Version and method, as a source has said them."""


def on_ledger(batch: Batch, said: Said | None, owned: Owned) -> tuple[str, data.Batch]:
    """The batch of the ledger that this one is, with its id. Raises NotTaken.

    `said` is None for what the person has said itself.
    """
    header = batch.header
    found = owned.of_commitment(commitment_of(header).hex())
    if found is None:
        raise NotTaken(Why.IS_NOT_ON_LEDGER)
    name, row = found
    known = (row.source, row.owner, row.subject, str(row.schema), str(row.period))
    told = (header.source, owned.owner, header.subject, str(header.schema), str(header.period))
    if known != told:
        raise NotTaken(Why.LEDGER_DIFFERS)
    if said is None:
        if row.method != "self" or row.source != owned.owner:
            raise NotTaken(Why.LEDGER_DIFFERS, "rows of a source come with its attestation")
    elif said != (row.version, row.method):
        raise NotTaken(Why.LEDGER_DIFFERS, "version or method is another")
    if owned.is_erased(name):
        raise NotTaken(Why.IS_ERASED)
    if row.superseded:
        raise NotTaken(Why.IS_TOO_OLD)
    return name, row


def refuse_repeats(batch: Batch, others: Mapping[str, Batch]) -> None:
    """No event of this batch stands in another month of its source. Raises NotTaken."""
    repeated = repeated_events([batch, *others.values()])
    if repeated:
        raise NotTaken(Why.EVENT_IS_REPEATED, f"{len(repeated)} of its events were told before")
