"""The crash campaign: its quick lane, and whether it can fail."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from random import Random

import pytest

from tongbao.kernel import Address, AssetId, ChainId
from tongbao.simulation.crash.book import Book, Ground, Place, Sent, Wrong
from tongbao.simulation.crash.campaign import Report, run_campaign
from tongbao.simulation.crash.checking import check_status
from tongbao.simulation.crash.page import page_of, write_page
from tongbao.simulation.crash.plan import Kind, plan
from tongbao.simulation.crash.points import points

KILLS = 30
GROUND = Ground(
    ChainId("crash-01234567"),
    AssetId(f"CNY.{'0' * 40}"),
    Address("1" * 40),
    (Address("2" * 40),),
)


def test_a_killed_node_loses_and_doubles_nothing(tmp_path: Path) -> None:
    """
    Given a real node under load from several clients over HTTP,
    when it is killed at every point of its disk, at random, in its starts and while it is stopped,
    then every answer that was given stands, every cent moved once, and a start mends the rest.
    """
    report = run_campaign(1, KILLS)
    write_page(report, tmp_path)
    assert report.is_good, report.verdict()
    assert report.kills >= KILLS
    assert set(report.points) == set(map(str, points()))
    assert report.acknowledged > KILLS and report.audits > 0
    assert (tmp_path / "index.html").read_text(encoding="utf-8") == page_of(report)


def sent(number: int = 0, *, is_short: bool = False) -> tuple[Book, Sent]:
    """A book with one transaction that must come to a number."""
    book = Book(GROUND, Random(1))
    one = Sent(b"wire", "5e" * 32, 1, 0, number, is_short)
    book.sent.append(one)
    return book, one


LOST = {"state": "unknown", "never": False}
STANDS = {"state": "applied", "height": 7, "index": 0, "number": 0}
MOVED = {"state": "applied", "height": 8, "index": 0, "number": 0}
REFUSED = {"state": "refused", "height": 7, "index": 0, "number": 1}
PENDING = {"state": "pending"}


@pytest.mark.parametrize("status", [LOST, MOVED, REFUSED, PENDING])
def test_an_acknowledged_transaction_that_changed_is_found(status: dict[str, object]) -> None:
    """
    Given a payment that was acknowledged at a place,
    when a node says after its start that it is unknown, elsewhere, refused or pending,
    then the campaign calls that wrong; what stands as it was is right.
    """
    book, one = sent()
    book.acknowledge(one, 0, Place(7, 0))
    check_status(book, one, STANDS)
    with pytest.raises(Wrong):
        check_status(book, one, status)


def test_what_was_said_never_to_happen_and_did_is_found() -> None:
    """
    Given a payment with a short life of which a node has said that it never happens,
    when a node says that it was applied, and when one that lives long is said never to happen,
    then the campaign calls both wrong.
    """
    book, one = sent(is_short=True)
    book.give_up(one)
    with pytest.raises(Wrong):
        check_status(book, one, STANDS)
    book, one = sent()
    with pytest.raises(Wrong):
        book.give_up(one)


def test_a_point_without_a_kill_is_a_failure() -> None:
    """
    Given a campaign in which a node has died at every point but one,
    when it is judged,
    then it has failed, and names the point on its page.
    """
    first, *others = map(str, points())
    report = Report(seed=1, wanted=1, kills=len(others), points=Counter(others))
    assert not report.is_good
    assert report.verdict() == f"crash: FAILED: no node has died {first}"
    assert report.verdict() in page_of(report)
    assert "<td class=bad>0</td>" in page_of(report)


def test_plans_are_of_the_seed_and_come_by_every_point() -> None:
    """
    Given a seed,
    when the plans of two hundred kills are made twice,
    then they are equal, come by every point, and hold every kind of end.
    """
    plans = [plan(7, number) for number in range(200)]
    assert plans == [plan(7, number) for number in range(200)]
    assert {str(one.death) for one in plans if one.death} == set(map(str, points()))
    assert {one.kind for one in plans} == set(Kind)
