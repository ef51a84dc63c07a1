"""What a source says of its customers' months, and that it is on the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.rights.material import fixed
from tests.services.data_source.mailbox import Mailbox
from tests.services.data_source.shop import (
    APRIL,
    CLUB,
    EGGS,
    MARCH,
    SCHEMA,
    STORE,
    Shop,
    address_of,
    admission,
    customer,
    egg,
    exchange_secret,
    key_of,
    send,
    shop,
    silent,
)
from tongbao.modules import data
from tongbao.rights.attestation import read_attestation
from tongbao.rights.batch import commitment_of
from tongbao.rights.delivered_batch import BadDelivery, read_batch_parcel
from tongbao.rights.parcel import BadParcel, open_parcel
from tongbao.sdk.signer import SoftwareKey
from tongbao.services.data_source.delivering import export, push
from tongbao.services.data_source.event_files import Event
from tongbao.services.data_source.events import add_events, remove_event
from tongbao.services.data_source.looking import standing
from tongbao.services.data_source.monthly import correct_month
from tongbao.services.data_source.settings import SourceError

ALICE, BOB, CAROL = (customer(number) for number in range(3))


def test_each_month_is_attested_committed_and_delivered_also_without_rows(tmp_path: Path) -> None:
    """
    Given two customers with consents, of whom one bought eggs,
    when the month is made and pushed,
    then each has one batch on the ledger, and a parcel that opens to it and to its attestation.
    """
    with shop(tmp_path) as club:
        signed = {name: club.consent(name, store=STORE + "/") for name in (ALICE, BOB)}
        club.events(ALICE, 40)
        month = club.month()
        assert (month.drawn, month.committed, month.undone) == (2, 2, 0)
        box = Mailbox()
        assert push(club.source, club.chain.now(), box.leave, silent).delivered == 2
        for name, rows in ((ALICE, 40), (BOB, 0)):
            [on_ledger] = club.batches(name)
            [parcel] = box.parcels[signed[name].consent.inbox]
            opened = open_parcel("batch", exchange_secret(name).private_bytes_raw(), parcel)
            jws, batch = read_batch_parcel(opened.text)
            told = read_attestation(jws, key_of("club").public_key)
            assert len(batch.rows) == rows
            assert commitment_of(batch.header).hex() == on_ledger.commitment == told.batch
            assert opened.context.hex() == on_ledger.commitment
            assert (told.about, told.method, told.version) == ("household", "scan", 1)
            assert told.sub == on_ledger.subject == signed[name].subject
        assert push(club.source, club.chain.now(), box.leave, silent).delivered == 0
        assert club.month().committed == 0


def test_an_altered_cell_does_not_open(tmp_path: Path) -> None:
    """
    Given a parcel that was exported,
    when any of its bytes is another, or a cell within is,
    then it is no parcel, or no batch of its attestation.
    """
    with shop(tmp_path / "chain") as club:
        club.consent(ALICE)
        club.events(ALICE, 3)
        club.month()
        now = club.chain.now()
        assert export(club.source, now, tmp_path / "out", silent, whole=True).delivered == 1
        [path] = (tmp_path / "out").glob("*/*.parcel")
        parcel = path.read_bytes()
        secret = exchange_secret(ALICE).private_bytes_raw()
        for place in (0, 10, 200, 1_000, len(parcel) - 1):
            changed = bytearray(parcel)
            changed[place] ^= 1
            with pytest.raises(BadParcel):
                open_parcel("batch", secret, bytes(changed))
        text = open_parcel("batch", secret, parcel).text
        assert b"=1+1" in text
        with pytest.raises(BadDelivery):
            read_batch_parcel(text.replace(b"=1+1", b"=1+2", 1))


def test_a_month_that_is_left_out_is_seen(tmp_path: Path) -> None:
    """
    Given months of January and March,
    when February was never made,
    then the ledger's list has the gap, status tells it, and it can be made up for.
    """
    with shop(tmp_path) as club:
        club.consent(ALICE)
        club.month("2026-01")
        club.month(MARCH)
        assert [row.period for row in club.batches(ALICE)] == ["2026-01", "2026-03"]
        missing = {one.period: one.missing for one in standing(club.source, club.chain).months}
        assert missing == {"2026-01": 0, "2026-02": 1, "2026-03": 0}
        club.month("2026-02")
        assert sum(one.missing for one in standing(club.source, None).months) == 0


def test_an_event_is_one_customer_s_alone(tmp_path: Path) -> None:
    """
    Given an event that alice was given,
    when a file gives it to bob as well, in this month or another, or as another value,
    then nothing of the file is taken; the same again for alice is no change.
    """
    with shop(tmp_path) as club:
        for name in (ALICE, BOB):
            club.consent(name)
        club.events(ALICE, 2)
        stolen = egg(ALICE, 1)
        for event, period in (
            ((BOB, stolen.event, stolen.values), MARCH),
            ((BOB, stolen.event, stolen.values), APRIL),
            ((ALICE, stolen.event, stolen.values), APRIL),
            ((ALICE, stolen.event, egg(ALICE, 3).values), MARCH),
        ):
            lines = [(1, egg(BOB, 7, period)), (2, type(stolen)(*event))]
            with pytest.raises(SourceError, match="line 2"):
                add_events(club.source, SCHEMA, period, lines)
        again = club.events(ALICE, 2)
        assert (again.new, again.known) == (0, 2)
        club.month()
        counts = club.source.journal.database.execute("SELECT count(*) FROM events").fetchone()
        assert counts == (2,)


def test_a_correction_is_a_version_that_names_the_last(tmp_path: Path) -> None:
    """
    Given a month that was told,
    when an event has other values, one is new and one is taken back, and the month is corrected,
    then version 2 names version 1, which is superseded; who did not change has no new version.
    """
    with shop(tmp_path) as club:
        for name in (ALICE, BOB):
            club.consent(name)
            club.events(name, 3)
        club.month()
        corrected = [(1, egg(ALICE, 0, eggs=99)), (2, egg(ALICE, 9))]
        with pytest.raises(SourceError, match="--replace"):
            add_events(club.source, SCHEMA, MARCH, corrected)
        added = add_events(club.source, SCHEMA, MARCH, corrected, replace=True)
        assert (added.changed, added.new) == (1, 1)
        assert remove_event(club.source, egg(ALICE, 1).event)
        found = correct_month(club.source, club.chain, MARCH, silent)
        assert (found.drawn, found.committed) == (1, 1)
        first, second = club.batches(ALICE)
        assert (first.superseded, second.version) == (True, 2)
        assert first.commitment != second.commitment
        assert [row.version for row in club.batches(BOB)] == [1]
        box = Mailbox()
        push(club.source, club.chain.now(), box.leave, silent)
        told = []
        for parcels in box.parcels.values():
            for parcel in parcels:
                try:
                    secret = exchange_secret(ALICE).private_bytes_raw()
                    jws, batch = read_batch_parcel(open_parcel("batch", secret, parcel).text)
                except BadParcel:
                    continue
                read = read_attestation(jws, key_of("club").public_key)
                told.append((read.version, read.supersedes, [row.values[1] for row in batch.rows]))
        assert told == [(1, None, [0, 1, 2]), (2, first.commitment, [99, 2, 4])]
        assert correct_month(club.source, club.chain, MARCH, silent).drawn == 0


def test_a_store_that_is_away_gets_the_same_parcel_later(tmp_path: Path) -> None:
    """Given a store that answers nothing, when pushed again later, then what was made is left."""
    with shop(tmp_path) as club:
        signed = club.consent(ALICE)
        club.month()
        box = Mailbox()
        box.down = True
        delivery = push(club.source, club.chain.now(), box.leave, silent)
        assert (delivery.delivered, delivery.undone) == (0, 1)
        [(made,)] = club.source.journal.database.execute("SELECT parcel FROM statements").fetchall()
        box.down = False
        push(club.source, club.chain.now(), box.leave, silent)
        assert box.parcels == {signed.consent.inbox: [made]}


def test_a_store_that_nobody_has_listed_is_not_talked_to(tmp_path: Path) -> None:
    """Given a consent that names a strange store, when pushed, then it is only exported."""
    with shop(tmp_path / "chain") as club:
        club.consent(ALICE, store="http://169.254.169.254/latest")
        club.consent(BOB)
        club.month()
        box = Mailbox()
        delivery = push(club.source, club.chain.now(), box.leave, silent)
        assert (delivery.delivered, delivery.elsewhere) == (1, 1)
        written = export(club.source, club.chain.now(), tmp_path / "out", silent, whole=False)
        assert written.delivered == 1
        assert len(list((tmp_path / "out").glob("*/*.parcel"))) == 1


def test_what_the_ledger_refuses_is_told_and_tried_again(tmp_path: Path) -> None:
    """
    Given a volume of 2 and three customers,
    when the month is made, and made again after the volume has grown,
    then the third is refused first, and the same batch is taken later.
    """
    with shop(tmp_path, volume=2) as club:
        for name in (ALICE, BOB, CAROL):
            club.consent(name)
        month = club.month()
        assert (month.committed, sum(month.refused.values())) == (2, 1)
        assert next(iter(month.refused)).startswith("11016 ")
        assert list(standing(club.source, club.chain).refusals.values()) == [1]
        before = _commitments(club)
        send(club.chain, "bank", data.EndSource(source=CLUB, schema=EGGS))
        assert next(iter(club.month().refused)).startswith("11013 ")
        send(club.chain, "bank", admission("club", 3))
        again = club.month()
        assert (again.drawn, again.committed, dict(again.refused)) == (0, 1, {})
        assert _commitments(club) == before


def _commitments(club: Shop) -> list[bytes]:
    rows = club.source.journal.database.execute("SELECT commitment FROM statements ORDER BY 1")
    return [one for (one,) in rows]


def test_a_month_that_is_not_over_is_not_told(tmp_path: Path) -> None:
    """Given a month that is to come, when it is made, then it is refused."""
    with shop(tmp_path) as club, pytest.raises(SourceError, match="not over"):
        club.month("9999-12")


def test_a_batch_that_its_owner_erased_is_not_corrected(tmp_path: Path) -> None:
    """Given a batch that alice retired, when her month is corrected, then nothing is said."""
    with shop(tmp_path) as club:
        club.consent(ALICE)
        club.events(ALICE, 1)
        club.month()
        page = club.chain.query(data.batches_of, address_of(ALICE))
        send(club.chain, ALICE, data.Retire(batch=page.rows[0][0]))
        club.events(ALICE, 2)
        found = correct_month(club.source, club.chain, MARCH, silent)
        assert (found.drawn, found.retired) == (0, 1)


def test_a_new_key_forgets_no_event_and_attests_what_is_not_delivered(tmp_path: Path) -> None:
    """
    Given a month that was told by one key and not delivered,
    when the source goes on with another,
    then an event is still one customer's alone, and parcels are attested by the new key.
    """
    with shop(tmp_path) as club:
        signed = {name: club.consent(name) for name in (ALICE, BOB)}
        club.events(ALICE, 2)
        club.month()
        new = SoftwareKey(fixed("another key of the club"))
        club.source = replace(club.source, signer=new)
        stolen = Event(BOB, egg(ALICE, 1).event, egg(ALICE, 1).values)
        with pytest.raises(SourceError, match="another customer"):
            add_events(club.source, SCHEMA, MARCH, [(1, stolen)])
        assert club.events(ALICE, 3).new == 1
        box = Mailbox()
        push(club.source, club.chain.now(), box.leave, silent)
        [parcel] = box.parcels[signed[ALICE].consent.inbox]
        opened = open_parcel("batch", exchange_secret(ALICE).private_bytes_raw(), parcel)
        jws, batch = read_batch_parcel(opened.text)
        assert read_attestation(jws, new.public_key).batch == club.batches(ALICE)[0].commitment
        assert len(batch.rows) == 2
