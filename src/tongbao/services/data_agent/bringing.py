"""Copies that owners bring: what is taken, and what the agent destroys by itself.

An agent holds the keys of just the batches and fields that its offers name. It takes no copy that
shows more, and destroys one that shows more than the offers that are left, or whose batch was
retired or superseded on the ledger.
"""

from __future__ import annotations

from typing import Final

from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.rights.copies import BadCopy, Copy, read_copy
from tongbao.rights.parcel import BadParcel, open_parcel
from tongbao.services.data_agent.heard import Refused
from tongbao.services.data_agent.ledger import Ledger
from tongbao.services.data_agent.refusals import Refusal
from tongbao.services.data_agent.shelf import CopyLine, Erased, Shelf

COPIES_LIMIT: Final = 10_000
"""Copies of one owner's."""


class Bringing:
    """The copies of one agent. Any thread may call."""

    def __init__(self, shelf: Shelf, ledger: Ledger, account: str, secret: bytes) -> None:
        """`secret` is that of the key that parcels are sealed for."""
        self._shelf = shelf
        self._ledger = ledger
        self._account = account
        self._secret = secret

    def awaited(self, batch: str) -> str | None:
        """Whose copy of a batch would be taken, before any of it has come; None for nobody's."""
        found = self._ledger.batches([batch]).get(Id(batch))
        if found is None or not self._offered(found.owner):
            return None
        return found.owner

    def bring(self, owner: str, batch: str, parcel: bytes) -> CopyLine:
        """Take a parcel of kind `copy`, in the place of an earlier one. Raises Refused."""
        try:
            opened = open_parcel("copy", self._secret, parcel)
            copy = read_copy(opened.text)
        except (BadParcel, BadCopy) as error:
            raise Refused(Refusal.COPY_IS_WRONG, str(error)) from None
        found = self._ledger.batches([batch]).get(Id(batch))
        if found is None or found.owner != owner or copy.owner != owner:
            raise Refused(Refusal.OWNER_DIFFERS)
        self._check(copy, found, (batch, opened.context))
        offered = self._offered(owner).get(found.schema, set())
        # A month without rows hides nothing, and shows nothing either.
        fields = tuple(name for name in copy.fields if copy.rows or name in offered)
        if not set(fields) <= offered:
            raise Refused(Refusal.COPY_SAYS_TOO_MUCH)
        known = self._shelf.line(batch)
        if known is None and self._shelf.count(owner) >= COPIES_LIMIT:
            raise Refused(Refusal.TOO_MANY_COPIES)
        line = CopyLine(batch=batch, owner=owner, fields=fields, at=self._ledger.now())
        self._shelf.keep(line, copy.commitment, opened.text)
        return line

    def _check(self, copy: Copy, batch: data.Batch, parcel: tuple[str, bytes]) -> None:
        """Whether a copy is of a batch that can be sold. Raises Refused."""
        name, context = parcel
        definition = self._ledger.chain.query(data.schema, batch.schema)
        cells = () if definition is None else definition.fields
        commitment = bytes.fromhex(batch.commitment)
        header = copy.header
        told: tuple[tuple[bytes | str, ...], ...] = (
            (copy.commitment, context),
            (copy.batch, *copy.cells[1:]),
            (header.source, header.subject, header.schema, header.period),
        )
        known: tuple[tuple[bytes | str, ...], ...] = (
            (commitment, commitment),
            (name, *cells),
            (batch.source, batch.subject, batch.schema, batch.period),
        )
        if told != known:
            raise Refused(Refusal.COPY_IS_WRONG)
        if batch.superseded or batch.retired:
            raise Refused(Refusal.BATCH_IS_NOT_SOLD)
        if (copy.attestation is None) != (batch.method == "self"):
            raise Refused(Refusal.COPY_IS_WRONG, "rows are attested, or told by the owner itself")

    def erase(self, owner: str, batch: str) -> Erased | None:
        """Destroy a copy as its owner wants; None where the owner never brought one.

        Raises what the store's client raises: then the key is gone, and the blob goes later.
        """
        line = self._shelf.line(batch)
        if line is None or line.owner != owner:
            return None
        receipt = self._shelf.erase(batch, self._account, self._ledger.now())
        self._shelf.tidy()
        return receipt

    def look_at(self, owner: str) -> None:
        """Destroy the copies of an owner's that are not to be sold any more."""
        lines = self._shelf.lines(owner, "", COPIES_LIMIT)
        if not lines:
            return
        offered = self._offered(owner)
        batches = dict(self._ledger.batches_of(owner))
        for line in lines:
            batch = batches.get(Id(line.batch))
            lives = batch is not None and not (batch.retired or batch.superseded)
            schema = "" if batch is None else str(batch.schema)
            if not lives or not set(line.fields) <= offered.get(schema, set()):
                self._shelf.erase(line.batch, self._account, self._ledger.now())

    def _offered(self, owner: str) -> dict[str, set[str]]:
        """By schema, the fields that the owner's offers to this agent name."""
        found: dict[str, set[str]] = {}
        for _, offer in self._ledger.offers(owner):
            if offer.agent == self._account:
                found.setdefault(offer.schema, set()).update(offer.fields)
        return found
