"""Whose months a source may tell, from when a consent comes until it ends."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.rights.material import fixed
from tests.services.data_source.mailbox import Mailbox
from tests.services.data_source.shop import (
    APRIL,
    DAY_MS,
    MARCH,
    address_of,
    consent_of,
    customer,
    settings_on,
    shop,
    silent,
)
from tongbao.rights.cells import Salt
from tongbao.services.data_source.consents import (
    add_consent,
    check_consent,
    consents,
    end_consent,
)
from tongbao.services.data_source.delivering import push
from tongbao.services.data_source.settings import SourceError

ALICE, BOB, CAROL = (customer(number) for number in range(3))


def test_events_without_a_consent_are_counted_and_not_kept(tmp_path: Path) -> None:
    """Given customers who have not consented, when their events come, then none is kept."""
    with shop(tmp_path) as club:
        club.consent(ALICE)
        added = club.events(BOB, 5)
        assert (added.new, added.without_consent) == (0, 5)
        for file in tmp_path.glob("data-source/**/*"):
            if file.is_file():
                assert b"customer-" not in file.read_bytes(), file


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


def test_after_so_many_days_a_consent_is_over(tmp_path: Path) -> None:
    """Given a consent for 60 days, when pushed on day 61, then nothing leaves, and it has ended."""
    with shop(tmp_path) as club:
        club.consent(ALICE)
        club.month()
        box = Mailbox()
        delivery = push(club.source, club.chain.now() + 61 * DAY_MS, box.leave, silent)
        assert (delivery.delivered, delivery.ended, box.parcels) == (0, 1, {})
