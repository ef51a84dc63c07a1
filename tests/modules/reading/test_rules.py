"""Inspections: opened on a basis, counted for everybody, seen by whom they are about."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.modules.member_steps import FIRST
from tests.modules.reading_steps import (
    BASIS,
    BATCH,
    GROUND,
    HOUR_MS,
    counted,
    opened,
    opening,
    recording,
    supervised,
    tally_of,
)
from tests.modules.reasons_named import unnamed_reasons
from tongbao.kernel import Count, Hash, Id, Small, Time
from tongbao.modules import member, reading
from tongbao.modules.reading import CloseInspection, Inspection, Reads, Tally, Why
from tongbao.testing import Chain, alice, bank, bob, carol

NOWHERE = Id("ee" * 20)


@pytest.fixture
def chain() -> Chain:
    """A chain with a supervisor and an operator."""
    return supervised()


def test_the_inspected_sees_by_whom_on_which_basis_and_how_much_was_read(chain: Chain) -> None:
    """
    Given a supervisor who has opened an inspection of alice's account,
    when a node records two statements and a history,
    then her account's list tells the inspection and what was read, and the tally counts both.
    """
    began = Time(chain.time)
    found = opened(chain)
    reads = counted(chain, found, statements=2, histories=1)
    chain.apply("bank", recording(reads))

    view = chain.view(reading.module)
    until = Time(began + HOUR_MS)
    assert reading.current(view, carol, alice) == reading.Opening(inspection=found)
    (row,) = reading.inspections_of(view, alice).rows
    assert row[0] == found
    told = row[1]
    assert (told.by, told.account, told.reason, told.basis_hash) == (carol, alice, GROUND, BASIS)
    assert told.until == until
    assert reading.show(view, found) == told
    assert reading.reads_of(view, alice).rows == (
        ((found, bank, BATCH), Reads(account=alice, by=carol, recorder=bank, counted=reads)),
    )
    assert tally_of(chain) == Tally(inspections=Count(1), statements=Count(2), histories=Count(1))
    assert reading.tally(view, bob) is None


def test_who_is_no_supervisor_opens_no_inspection(chain: Chain) -> None:
    """
    Given an account without a role, and a supervisor whose role is about to go,
    when either opens an inspection,
    then both are refused.
    """
    with chain.refuses(Why.SENDER_IS_NOT_SUPERVISOR):
        chain.apply("bob", opening(chain))
    with chain.refuses(Why.SENDER_IS_NOT_SUPERVISOR):
        chain.apply("bank", opening(chain))


def test_an_inspection_has_a_ground_an_end_and_another_s_account(chain: Chain) -> None:
    """
    Given a supervisor,
    when its inspection is of its own account, has no ground, has ended, or is too long,
    then each is refused.
    """
    with chain.refuses(Why.ACCOUNT_IS_OWN):
        chain.apply("carol", opening(chain, carol))
    with chain.refuses(Why.REASON_IS_UNKNOWN):
        chain.apply("carol", replace(opening(chain), reason=Small(10)))
    with chain.refuses(Why.END_HAS_PASSED):
        chain.apply("carol", opening(chain, lasts_ms=-1))
    with chain.refuses(Why.INSPECTION_IS_TOO_LONG):
        chain.apply("carol", opening(chain, lasts_ms=31 * 24 * HOUR_MS))


def test_an_account_has_one_inspection_by_a_supervisor_at_a_time(chain: Chain) -> None:
    """
    Given an inspection of alice's,
    when the supervisor opens another before its end, and again after it,
    then the first is refused, and the second is counted.
    """
    chain.apply("carol", opening(chain))
    with chain.refuses(Why.INSPECTION_IS_OPEN):
        chain.apply("carol", opening(chain))
    chain.advance(HOUR_MS)
    chain.apply("carol", opening(chain))

    assert tally_of(chain) == Tally(inspections=Count(2))


def test_an_inspection_is_ended_by_who_has_opened_it_and_once(chain: Chain) -> None:
    """
    Given an inspection of alice's,
    when she ends it, when nobody knows it, and when the supervisor ends it twice,
    then only the supervisor's first end counts, and the time of the inspection is over.
    """
    found = opened(chain)
    with chain.refuses(Why.SENDER_IS_NOT_INSPECTOR):
        chain.apply("alice", CloseInspection(inspection=found))
    with chain.refuses(Why.INSPECTION_NOT_FOUND):
        chain.apply("carol", CloseInspection(inspection=NOWHERE))
    chain.apply("carol", CloseInspection(inspection=found))
    with chain.refuses(Why.INSPECTION_HAS_ENDED):
        chain.apply("carol", CloseInspection(inspection=found))

    ended = reading.show(chain.view(reading.module), found)
    assert isinstance(ended, Inspection)
    assert ended.until <= chain.time


def test_an_operator_alone_records_reads(chain: Chain) -> None:
    """
    Given an inspection,
    when the supervisor itself, or alice, records what was read under it,
    then both are refused.
    """
    found = opened(chain)
    for sender in ("carol", "alice"):
        with chain.refuses(Why.SENDER_IS_NOT_OPERATOR):
            chain.apply(sender, recording(counted(chain, found)))


def test_a_batch_counts_once_however_often_it_is_sent(chain: Chain) -> None:
    """
    Given a batch that was recorded,
    when its node sends it again, as it has not heard the answer, and then the next one,
    then the first is refused, and the tally counts two statements.
    """
    found = opened(chain)
    chain.apply("bank", recording(counted(chain, found)))
    with chain.refuses(Why.BATCH_IS_RECORDED):
        chain.apply("bank", recording(counted(chain, found)))
    chain.apply("bank", recording(counted(chain, found), batch=Hash("ee" * 32)))

    assert tally_of(chain) == Tally(inspections=Count(1), statements=Count(2))


def test_nobody_records_less_under_the_name_of_anothers_batch(chain: Chain) -> None:
    """
    Given a batch of nine statements that the bank's node has sent and no block has had,
    when another recorder puts one statement under its name first,
    then the bank's is recorded all the same, and the tally counts all that either has told.
    """
    found = opened(chain)
    chain.apply("mallory", recording(counted(chain, found)))
    chain.apply("bank", recording(counted(chain, found, statements=9)))

    assert tally_of(chain) == Tally(inspections=Count(1), statements=Count(10))


def test_a_batch_is_of_known_inspections_with_reads_and_times_in_order(chain: Chain) -> None:
    """
    Given an inspection,
    when a batch names it twice, counts nothing, ends before it begins, or names an unknown one,
    then each is refused.
    """
    found = opened(chain)
    one = counted(chain, found)
    for reads in (
        (one, one),
        (counted(chain, found, statements=0),),
        (replace(one, since=Time(one.until + 1)),),
    ):
        with chain.refuses(Why.READS_ARE_CONFUSED):
            chain.apply("bank", recording(*reads))
    with chain.refuses(Why.INSPECTION_NOT_FOUND):
        chain.apply("bank", recording(counted(chain, NOWHERE)))


def test_what_was_read_is_recorded_after_the_inspection_has_ended(chain: Chain) -> None:
    """
    Given an inspection that has ended meanwhile,
    when the node records what it had answered before,
    then it is counted.
    """
    found = opened(chain)
    chain.advance(2 * HOUR_MS)
    chain.apply("bank", recording(counted(chain, found)))

    assert tally_of(chain) == Tally(inspections=Count(1), statements=Count(1))


def test_the_person_hears_of_it_in_the_account_s_stream(chain: Chain) -> None:
    """
    Given a follower of what mentions alice,
    when an inspection of hers is opened and a read recorded,
    then the record's event names her, and the chain is one that answers everybody.
    """
    found = opened(chain)
    reads = counted(chain, found)
    chain.apply("bank", recording(reads))

    assert reading.ReadsRecorded(account=alice, by=carol, counted=reads) in chain.receipt.events
    assert not reading.is_for_members(chain.view(reading.module))
    assert member.show(chain.view(member.module), FIRST) is not None


def test_every_refusal_is_expected_somewhere() -> None:
    """
    Given the reasons of the module,
    when looking for them in its tests,
    then each is there.
    """
    assert not unnamed_reasons(reading.module, Path(__file__))
