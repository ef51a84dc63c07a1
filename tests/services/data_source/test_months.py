"""What a source says of its customers' months, and that it is on the ledger."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rights.material import fixed
from tests.services.data_source.shop import (
    APRIL,
    CLUB,
    DAY_MS,
    EGGS,
    MARCH,
    SCHEMA,
    Shop,
    address_of,
    admission,
    consent_of,
    customer,
    egg,
    exchange_secret,
    key_of,
    send,
    settings_on,
    shop,
    silent,
)
from tongbao.modules import data
from tongbao.rights.attestation import read_attestation
from tongbao.rights.batch import commitment_of
from tongbao.rights.cells import Salt
from tongbao.rights.delivered_batch import BadDelivery, read_batch_parcel
from tongbao.rights.parcel import BadParcel, open_parcel
from tongbao.sdk.data.consents import Consent
from tongbao.services.data_source.consents import (
    add_consent,
    check_consent,
    consents,
    end_consent,
)
from tongbao.services.data_source.delivering import NotLeft, Withdrawn, export, push
from tongbao.services.data_source.events import add_events, remove_event
from tongbao.services.data_source.looking import standing
from tongbao.services.data_source.monthly import correct_month
from tongbao.services.data_source.settings import SourceError

ALICE, BOB, CAROL = (customer(number) for number in range(3))


class Mailbox:
    """A store's inboxes; spaces in `closed` have withdrawn, and `down` takes nothing."""

    def __init__(self) -> None:
        """Nothing was left yet."""
        self.parcels: dict[str, list[bytes]] = {}
        self.closed: set[str] = set()
        self.down = False

    def leave(self, consent: Consent, parcel: bytes) -> None:
        """Take a parcel."""
        if self.down:
            raise NotLeft("answered with status 503", is_away=True)
        if consent.inbox in self.closed:
            raise Withdrawn("answered with 403")
        self.parcels.setdefault(consent.inbox, []).append(parcel)


def test_each_month_is_attested_committed_and_delivered_also_without_rows(tmp_path: Path) -> None:
    """
    Given two customers with consents, of whom one bought eggs,
    when the month is made and pushed,
    then each has one batch on the ledger, and a parcel that opens to it and to its attestation.
    """
    with shop(tmp_path) as club:
        signed = {name: club.consent(name) for name in (ALICE, BOB)}
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


def test_events_without_a_consent_are_counted_and_not_kept(tmp_path: Path) -> None:
    """Given customers who have not consented, when their events come, then none is kept."""
    with shop(tmp_path) as club:
        club.consent(ALICE)
        added = club.events(BOB, 5)
        assert (added.new, added.without_consent) == (0, 5)
        for file in tmp_path.glob("data-source/**/*"):
            if file.is_file():
                assert b"customer-" not in file.read_bytes(), file


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


def test_who_withdraws_at_the_store_is_told_no_more(tmp_path: Path) -> None:
    """
    Given a customer who has deleted the drop,
    when months are pushed,
    then the consent ends, its rows are forgotten, and no further month is made for it.
    """
    with shop(tmp_path) as club:
        signed = {name: club.consent(name) for name in (ALICE, BOB)}
        club.events(ALICE, 3)
        club.month()
        box = Mailbox()
        box.closed.add(signed[ALICE].consent.inbox)
        delivery = push(club.source, club.chain.now(), box.leave, silent)
        assert (delivery.delivered, delivery.withdrawn, delivery.undone) == (1, 1, 0)
        assert [held.customer for held in consents(club.source)] == [BOB]
        bodies = club.source.journal.database.execute(
            "SELECT count(*) FROM events WHERE body NOT NULL"
        ).fetchone()
        assert bodies == (0,)
        assert club.month(APRIL).drawn == 1
        assert [str(row.period) for row in club.batches(ALICE)] == [MARCH]
        with pytest.raises(SourceError, match="has ended"):
            add_consent(club.source, ALICE, signed[ALICE])


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


def test_a_consent_that_has_ended_makes_no_month(tmp_path: Path) -> None:
    """Given a consent whose time is over, when the month is made, then it has ended instead."""
    with shop(tmp_path) as club:
        club.consent(ALICE, ends=club.chain.now() - 1)
        club.consent(BOB)
        month = club.month()
        assert (month.ended, month.drawn) == (1, 1)
        assert club.batches(ALICE) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"source": address_of("rival")},
        {"ends": 1},
        {"account": address_of(BOB)},
        {"method": "device"},
        {"schema": "shoes.1"},
        {"chain": "other-00000000"},
    ],
)
def test_a_consent_of_others_is_refused(tmp_path: Path, changes: dict[str, object]) -> None:
    """Given a consent for another source, chain, account or method, when checked, then no."""
    with shop(tmp_path) as club:
        good = consent_of(club.chain, ALICE)
        settings = settings_on(club.chain)
        assert check_consent(good.text, settings, club.chain, club.chain.now()) == good
        bad = consent_of(club.chain, ALICE, **changes)
        with pytest.raises(SourceError):
            check_consent(bad.text, settings, club.chain, club.chain.now())


def test_a_customer_has_one_consent_in_force(tmp_path: Path) -> None:
    """
    Given alice's consent,
    when it comes again, another of hers comes, or somebody's else under her reference,
    then it is known, it replaces the first and takes over what was not told, and it is refused.
    """
    with shop(tmp_path) as club:
        first = club.consent(ALICE)
        assert not add_consent(club.source, ALICE, first)
        club.events(ALICE, 2)
        renewed = consent_of(club.chain, ALICE, subject_salt=Salt(fixed("new").hex()[:32]))
        assert add_consent(club.source, ALICE, renewed)
        with pytest.raises(SourceError):
            add_consent(club.source, ALICE, consent_of(club.chain, BOB))
        with pytest.raises(SourceError):
            add_consent(club.source, BOB, consent_of(club.chain, ALICE, ends=9_999_999_999_999))
        club.month()
        [row] = club.batches(ALICE)
        assert row.subject == renewed.subject
        [held] = consents(club.source)
        end_consent(club.source, held.id, "removed")
        assert list(consents(club.source)) == []


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


def test_after_so_many_days_a_consent_is_over(tmp_path: Path) -> None:
    """Given a consent for 60 days, when pushed on day 61, then nothing leaves, and it has ended."""
    with shop(tmp_path) as club:
        club.consent(ALICE)
        club.month()
        box = Mailbox()
        delivery = push(club.source, club.chain.now() + 61 * DAY_MS, box.leave, silent)
        assert (delivery.delivered, delivery.ended, box.parcels) == (0, 1, {})
