"""An order from its commitment to its verdict, with the ledger's rows and a real package."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from msgspec.structs import replace

from tests.modules.data_steps import COUNT, DAY, EGGS, MARCH, NONCE, Market
from tests.rights.hpke_by_the_book import public_key_of
from tests.rights.material import fixed
from tongbao.kernel import Hash, Id, PublicKey
from tongbao.modules import data
from tongbao.modules.data.keys import LOW_ORDER, PRIME, key_is_acceptable
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.envelope import envelope_info, put_into_envelope, take_out_of_envelope
from tongbao.rights.exchange_key import exchange_key_is_acceptable
from tongbao.rights.halves import Halves
from tongbao.rights.judge import Commitments, Order, Verdict, delivery_is_committed, judge
from tongbao.rights.opened import bought_rows
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash
from tongbao.rights.seal import Sealed, seal_package
from tongbao.sdk.data.facts import ordered_batch

SCHEMA = Schema(
    SchemaName(EGGS), (Field(FieldName(DAY), "date"), Field(FieldName(COUNT), "integer"))
)
HALVES = Halves(fixed("a"), fixed("b"))
SECRET = fixed("buyer")
GRANT = fixed("grant")


def hash_of(data_: bytes) -> Hash:
    """Bytes as the ledger writes them."""
    return Hash(data_.hex())


class Deal:
    """Alice's eggs of a month, from the club; bob orders the count, and carol seals."""

    def __init__(self) -> None:
        self.market = Market()
        club = self.market.address("club")
        rows = [
            Row(event_hash(fixed("club"), b"%d" % day), (f"2026-03-{day:02}", day % 3))
            for day in range(1, 20)
        ]
        subject = hash_of(fixed("alice at the club"))
        origin = Origin(period=Period(MARCH), source=club, subject=subject)
        self.batch = make_batch(SCHEMA, origin, rows, fixed("secret"), fixed("salt")[:16])
        commit = self.market.committing(
            subject=subject, commitment=hash_of(commitment_of(self.batch.header))
        )
        batch = self.market.must(self.market.apply("club", commit))
        key = urlsafe_b64encode(public_key_of(SECRET)).decode().rstrip("=")
        self.order = self.market.opened(batches=(batch,), buyer_key=PublicKey(key))

    def seal(self, *batches: Batch) -> list[bytes]:
        """Seal what carol would sell, and tell the ledger of it."""
        chunks: list[bytes] = []
        sealed = seal_package(bytes.fromhex(self.order), HALVES, batches, (COUNT,), chunks.append)
        self.market.apply(
            "carol",
            self.market.sealing(
                self.order,
                grant_hash=hash_of(GRANT),
                package_root=hash_of(sealed.package_root),
                chunks=data.Chunks(sealed.chunk_count),
                a_commit=hash_of(sealed.a_commit),
                b_lock=hash_of(sealed.b_lock),
            ),
        )
        return chunks

    def sealed(self) -> Sealed:
        """What was sealed, as the ledger has it."""
        row = self.market.shown(self.order)
        assert row.package_root and row.chunks and row.a_commit and row.b_lock
        return Sealed(
            package_root=bytes.fromhex(row.package_root),
            chunk_count=row.chunks,
            a_commit=bytes.fromhex(row.a_commit),
            b_lock=bytes.fromhex(row.b_lock),
        )

    def ordered(self) -> Order:
        """What was ordered, out of rows of the ledger alone."""
        view = self.market.view(data.module)
        row = self.market.shown(self.order)
        definition = data.schema(view, row.schema)
        assert definition is not None
        batches = [data.batch(view, batch) for batch in row.batches]
        return Order(
            id=bytes.fromhex(self.order),
            schema=row.schema,
            schema_fields=definition.fields,
            fields=row.fields,
            batches=tuple(ordered_batch(one) for one in batches if one),
        )

    def confirm_and_reveal(self) -> Commitments:
        """Bob confirms, carol reveals; what the ledger then has for the judge."""
        root = self.market.shown(self.order).package_root
        assert root
        confirm = data.Confirm(
            order=self.order, grant_hash=hash_of(GRANT), package_root=root, nonce=NONCE
        )
        self.market.apply("bob", confirm)
        self.market.apply("carol", data.Reveal(order=self.order, b=hash_of(HALVES.b)))
        b = self.market.shown(self.order).b
        assert b
        return Commitments(sealed=self.sealed(), b=bytes.fromhex(b))


def test_what_was_sold_over_the_ledger_opens_and_is_what_was_ordered() -> None:
    """Given an order, when sealed, delivered, confirmed and revealed, then its rows are bought."""
    deal = Deal()
    chunks = deal.seal(deal.batch)
    order, sealed = bytes.fromhex(deal.order), deal.sealed()
    key = urlsafe_b64decode(deal.market.shown(deal.order).buyer_key + "=")
    envelope = put_into_envelope(key, HALVES.a, envelope_info(order, GRANT, sealed))
    a = take_out_of_envelope(SECRET, envelope, order, GRANT, sealed)
    assert delivery_is_committed(order, sealed, a, chunks)
    commitments = deal.confirm_and_reveal()
    bought = bought_rows(deal.ordered(), commitments, a, chunks)
    assert [row.values for row in bought] == [{COUNT: day % 3} for day in range(1, 20)]


@pytest.mark.parametrize("lies", [True, False])
def test_the_panel_s_votes_follow_from_judge_over_the_ledger_s_rows(lies: bool) -> None:
    """Given a package without its last row, or a whole one, when claimed, then as judged."""
    deal = Deal()
    sold = replace(deal.batch, rows=deal.batch.rows[:-1]) if lies else deal.batch
    chunks = deal.seal(sold)
    commitments = deal.confirm_and_reveal()
    verdict = judge(deal.ordered(), commitments, HALVES.a, chunks)
    assert verdict is (Verdict.ROWS_ARE_MISSING if lies else Verdict.OK)
    deal.market.apply("bob", data.Claim(order=deal.order, evidence_hash=hash_of(fixed("e"))))
    vote = data.Verdict("upheld" if verdict.upheld else "rejected")
    for name in ("ann", "ben"):
        deal.market.apply(name, data.Vote(order=Id(deal.order), verdict=vote))
    assert str(deal.market.shown(deal.order).phase) == vote
    assert deal.market.earned("alice") == ("0.00" if lies else "19.00")


def test_ledger_and_envelope_take_the_same_keys() -> None:
    """Given keys of small order, second spellings and good ones, when asked, then both agree."""
    numbers = (*LOW_ORDER, PRIME, PRIME + 1, PRIME - 2, 2, 9, 2**255 - 1, 2**256 - 1)
    for number in numbers:
        key = number.to_bytes(32, "little")
        written = urlsafe_b64encode(key).decode().rstrip("=")
        assert key_is_acceptable(written) == exchange_key_is_acceptable(key)
