"""What sources leave: checked against the ledger, kept or refused, and the rest goes on."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.modules.data_steps import DAY_MS, EGGS
from tests.services.my_data.people import CLUB, People, Told
from tongbao.kernel import Hash, Id
from tongbao.modules import data
from tongbao.rights.attestation import proves_two_contents
from tongbao.rights.schema import Row
from tongbao.sdk.data.store_client import StoreRefused, leave_parcel
from tongbao.services.my_data.collecting import collect, receive
from tongbao.services.my_data.consenting import NoConsent, consent, withdraw_consent
from tongbao.services.my_data.notebook import OldDrop, Wrong
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.proving import prove
from tongbao.services.my_data.refusals import Why
from tongbao.testing.keys import named_key


def numbers(found: Sequence[Wrong]) -> list[int]:
    """The reasons of what was not taken."""
    return [one.number for one in found]


def test_what_the_source_left_is_kept_and_comes_back_as_it_was(
    people: People, alice: Person
) -> None:
    """Given two months of the club's, when collected, then both are at the store, and no parcel."""
    given = people.consented(alice)
    months = [people.told(given, "2026-01"), people.told(given, "2026-02", ())]
    found = collect(alice)
    assert (len(found.taken), found.refused, found.waiting, found.gaps) == (2, [], [], [])
    for told in months:
        assert alice.shelf.fetch(told.commitment.hex()) == told.batch
    assert alice.shelf.inbox() == []
    assert [one.count for one in alice.notebook.batches] == [3, 0]


def test_what_is_wrong_is_refused_by_its_rule_and_the_rest_is_taken(
    people: People, alice: Person
) -> None:
    """
    Given parcels that are wrong in each way, between two that are right,
    when collected,
    then each is refused for its own reason, and both right ones are kept.
    """
    given = people.consented(alice)
    other = people.consented(people.new())
    right = people.told(given, "2026-03")
    altered = Told(given, "2026-04", (1, 2))
    people.commit(altered)
    more = replace(
        altered.batch, rows=(*altered.batch.rows[:1], Row(Hash("ab" * 32), ("2026-04-01", 9)))
    )
    strangers = Told(given, "2026-05", (1,), seed=named_key("mallory").seed)
    people.commit(strangers)
    repeated = Told(given, "2026-06", (1, 2, 3), event="2026-03")
    people.commit(repeated)
    uncommitted = Told(given, "2026-07", (1,))
    left = {
        altered.leave(altered.parcel(more)): Why.IS_NO_BATCH,
        altered.leave(b"\x00\x00\x00\x05hello"): Why.DOES_NOT_OPEN,
        strangers.leave(): Why.IS_NOT_SIGNED,
        Told(other, "2026-05", (1,)).leave_to(given): Why.IS_ANOTHERS,
        repeated.leave(): Why.EVENT_IS_REPEATED,
        uncommitted.leave(): Why.IS_NOT_ON_LEDGER,
    }
    last = people.told(given, "2026-08")
    found = collect(alice)
    told = {one.name: one.number for one in (*found.refused, *found.waiting)}
    assert told == {name: int(why) for name, why in left.items()}
    taken = {one.commitment for one in found.taken}
    assert taken == {right.commitment.hex(), last.commitment.hex()}
    assert {one.number for one in found.waiting} == {Why.IS_NOT_SIGNED, Why.IS_NOT_ON_LEDGER}
    assert len(alice.shelf.inbox()) == 2


def test_a_parcel_that_came_too_early_is_taken_later(people: People, alice: Person) -> None:
    """Given a parcel before its commitment, when collected after it, then it is taken."""
    told = Told(people.consented(alice), "2026-01", (4,))
    told.leave()
    assert numbers(collect(alice).waiting) == [Why.IS_NOT_ON_LEDGER]
    people.commit(told)
    assert [one.commitment for one in collect(alice).taken] == [told.commitment.hex()]


def test_two_contents_of_one_month_are_kept_as_a_proof(people: People, alice: Person) -> None:
    """Given a month that was told twice, when collected, then both signatures prove it."""
    given = people.consented(alice)
    people.told(given, "2026-01", (1,))
    collect(alice)
    Told(given, "2026-01", (2,)).leave()
    assert numbers(collect(alice).refused) == [Why.TWO_CONTENTS]
    (proof,) = alice.notebook.proofs
    key = named_key("club").public_key
    assert proves_two_contents(proof.first.encode(), proof.second.encode(), {key})
    assert (proof.source, proof.schema, proof.period) == (CLUB, "eggs.1", "2026-01")


def test_a_proof_against_a_source_ends_it_once(people: People, alice: Person) -> None:
    """Given a proof, when the ledger is shown it, then the source attests no more; again: none."""
    given = people.consented(alice)
    people.told(given, "2026-01", (1,))
    collect(alice)
    Told(given, "2026-01", (2,)).leave()
    collect(alice)
    try:
        assert (prove(alice), prove(alice)) == (1, 0)
        assert not alice.chain.query(data.admitted, source=CLUB).rows
    finally:
        people.admit_again()


def test_a_month_that_was_left_out_is_seen(people: People, alice: Person) -> None:
    """Given March after January, when collected, then February is told to be missing."""
    given = people.consented(alice)
    for month in ("2026-01", "2026-03"):
        people.told(given, month)
    assert collect(alice).gaps == [(CLUB, "eggs.1", "2026-02")]


def test_a_correction_takes_the_place_of_what_it_corrects(people: People, alice: Person) -> None:
    """Given a second version of a month, when collected, then it alone can be sold."""
    given = people.consented(alice)
    first = people.told(given, "2026-01", (1, 2))
    collect(alice)
    before = Id(alice.notebook.batches[0].batch)
    second = Told(
        given, "2026-01", (1, 3), version=2, supersedes=first.commitment.hex(), event="2026-01"
    )
    after = people.commit(second, before)
    second.leave()
    found = collect(alice)
    assert [(one.batch, one.before, one.holders) for one in found.corrected] == [
        (after, before, ())
    ]
    owned = alice.owned()
    assert (owned.is_live(before), owned.is_live(after)) == (False, True)


def test_a_source_whose_consent_was_withdrawn_can_leave_nothing(
    people: People, alice: Person
) -> None:
    """Given a withdrawn consent, when the club leaves a parcel, then 403; a file is refused too."""
    given = people.consented(alice)
    told = Told(given, "2026-01", (1,))
    people.commit(told)
    withdraw_consent(alice, CLUB, EGGS)
    with pytest.raises(StoreRefused, match="403"):
        told.leave()


def test_a_source_that_lacks_the_renewed_consent_goes_on_by_the_old(
    people: People, alice: Person
) -> None:
    """
    Given a consent that alice renews to a later end,
    when the club, which has not the new one yet, leaves a month, and she withdraws,
    then the month is taken, and after it neither consent's drop lets in.
    """
    first = people.consented(alice)
    renewed = people.consented(alice)
    people.told(first, "2026-01", (1,))
    assert len(collect(alice).taken) == 1
    assert [one.ends for one in alice.notebook.old_drops] == [first.consent.ends]
    withdraw_consent(alice, CLUB, EGGS)
    assert list(alice.notebook.old_drops) == []
    for given in (first, renewed):
        with pytest.raises(StoreRefused, match="403"):
            Told(given, "2026-02", (1,)).leave()


def test_a_renewal_to_an_earlier_end_ends_the_old_consent_at_once(
    people: People, alice: Person
) -> None:
    """Given a consent for a year, when renewed to end next month, then the old lets in no more."""
    first = people.consented(alice)
    given = consent(alice, CLUB, EGGS, alice.now() + 30 * DAY_MS)
    with pytest.raises(StoreRefused, match="403"):
        Told(first, "2026-01", (1,)).leave()
    people.told(people.read(given.jws), "2026-01", (1,))
    assert len(collect(alice).taken) == 1


def test_an_old_drop_is_forbidden_once_its_own_end_has_passed(
    people: People, alice: Person
) -> None:
    """Given a renewed consent whose old end has passed since, when she collects, then 403."""
    given = people.consented(alice).consent
    old = OldDrop(ends=alice.now() - 1, schema=EGGS, source=CLUB)
    token = alice.keys.drop_token(CLUB, EGGS, old.ends)
    alice.shelf.allow_drop(token)
    alice.home.note(old_drops=(old,))
    leave_parcel(given.store, given.inbox, token, b"in time")
    collect(alice)
    assert list(alice.notebook.old_drops) == []
    with pytest.raises(StoreRefused, match="403"):
        leave_parcel(given.store, given.inbox, token, b"too late")


def test_a_renewed_consent_is_not_given_again(people: People, alice: Person) -> None:
    """Given a renewed consent, when one to the old end is asked for, then another time is asked."""
    first = people.consented(alice)
    people.consented(alice)
    with pytest.raises(NoConsent, match="just then"):
        consent(alice, CLUB, EGGS, first.consent.ends)


def test_a_file_is_taken_as_a_parcel_of_the_store(
    people: People, alice: Person, tmp_path: Path
) -> None:
    """Given parcels in files, when received, then a right one is kept, and another's is not."""
    told, mine = Told(people.consented(alice), "2026-01", (1,)), tmp_path / "mine"
    people.commit(told)
    mine.write_bytes(told.parcel())
    assert len(receive(alice, mine).taken) == 1
    stranger = Told(people.consented(people.new()), "2026-01", (1,))
    mine.write_bytes(stranger.parcel())
    assert numbers(receive(alice, mine).refused) == [Why.DOES_NOT_OPEN]
    # The same again is no change.
    mine.write_bytes(told.parcel())
    assert len(receive(alice, mine).taken) == 1
    assert len(alice.notebook.batches) == 1


def test_an_unknown_token_leaves_nothing(people: People, alice: Person) -> None:
    """Given a token that nobody allowed, when a parcel is left by it, then 403."""
    given = people.consented(alice).consent
    with pytest.raises(StoreRefused, match="403"):
        leave_parcel(given.store, given.inbox, b"x" * 32, b"parcel")
