"""Audit bundles over HTTP: whole, of a period, believed on proof; and what is refused."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from tests.fixed_chain import BEGIN
from tests.node.conftest import Served, serving
from tongbao.sdk.bundle_verification import VerifiedBundle, verify_bundle
from tongbao.sdk.http import HttpChain
from tongbao.sdk.http_asynchronous import AsyncHttpChain
from tongbao.sdk.periods import moment_of
from tongbao.sdk.proofs import to_json


def asked(served: Served, **query: str) -> httpx2.Response:
    """Ask for alice's bundle in CNY."""
    fixed = served.fixed
    path = f"/v1/accounts/{fixed.alice}/bundle"
    return served.client.get(path, params={"asset": fixed.cny, **query})


def verified(served: Served, content: bytes) -> VerifiedBundle:
    """What a bundle proves."""
    return verify_bundle(content, to_json(served.chain.trust()))


def test_a_bundle_comes_as_an_archive_that_proves_its_statement(served: Served) -> None:
    """
    Given payments that were just made,
    when the bundle is asked for, by HTTP and by both clients,
    then it is an archive to be kept under a name, proven up to the last block.
    """
    for amount in ("1.00", "2.50", "3.00"):
        served.send(served.fixed.pay(amount))
    found = asked(served)
    assert found.status_code == 200
    assert found.headers["content-type"] == "application/zip"
    assert found.headers["content-disposition"].startswith(
        f'attachment; filename="bundle-CNY-{served.fixed.alice[:8]}-2026-09-21.zip'
    )
    said = verified(served, found.content)
    assert (said.proven, said.statement.closing, said.height) == (
        4,
        "93.50",
        served.chain.head().height,
    )
    with HttpChain(served.address) as chain:
        again = chain.bundle(served.fixed.alice, served.fixed.cny)

    async def once_more() -> bytes:
        async with await AsyncHttpChain.connect(served.address) as chain:
            return await chain.bundle(served.fixed.alice, served.fixed.cny)

    assert again == found.content == asyncio.run(once_more())


def test_a_period_is_named_by_dates_times_and_milliseconds(served: Served) -> None:
    """
    Given a chain of one day,
    when bundles of that day, of the day before and of some milliseconds are asked for,
    then each has the movements of its period.
    """
    served.send(served.fixed.pay("1.00"))
    day = verified(served, asked(served, **{"from": "2026-09-21", "to": "2026-09-22"}).content)
    assert len(day.statement.movements) == 2
    before = verified(served, asked(served, to="2026-09-21").content)
    assert (before.statement.movements, len(before.statement.since)) == ((), 2)
    first = verified(
        served, asked(served, **{"from": str(BEGIN), "to": "2026-09-21T14:13:22Z"}).content
    )
    assert (len(first.statement.movements), len(first.statement.since)) == (1, 1)
    assert first.statement.first_time == BEGIN


@pytest.mark.parametrize(
    ("query", "status", "part"),
    [
        ({"from": "yesterday"}, 400, "is no time"),
        ({"from": "2026-09-21T00:00:00"}, 400, "names no time zone"),
        ({"to": "1969-12-31"}, 400, "1970 to 9999"),
        ({"from": "2999-01-01"}, 400, "begins after the last block"),
        ({"first": "0"}, 400, "there is no parameter"),
        ({"asset": f"GOLD.{'0' * 40}"}, 404, "no asset is called"),
        ({"asset": "CNY"}, 400, "asset"),
    ],
)
def test_what_can_t_be_bundled_is_refused(
    served: Served, query: dict[str, str], status: int, part: str
) -> None:
    """Given an odd question, when it is asked, then a problem says what to ask instead."""
    found = asked(served, **query)
    assert found.status_code == status
    assert part in found.json()["detail"]


def test_without_an_index_there_are_no_bundles() -> None:
    """Given a node without an index, when a bundle is asked for, then it says so."""
    with serving(index="none") as served:
        found = asked(served)
        assert (found.status_code, found.json()["detail"]) == (
            503,
            "this node keeps no history: its setting `index` is none",
        )


def test_bundles_count_as_streams() -> None:
    """
    Given a node that serves one stream at once, with one open,
    when a bundle is asked for, and again after the stream has ended,
    then the first is put off, and the second comes.
    """
    with serving(streams=1) as served:
        with served.client.stream("GET", "/v1/events") as stream:
            lines = stream.iter_raw()
            next(lines)
            assert asked(served).status_code == 503
        with HttpChain(served.address) as chain:  # which asks again for a while
            assert chain.bundle(served.fixed.alice, served.fixed.cny)


def test_times_are_read_in_three_forms() -> None:
    """Given a date, a time with a zone and milliseconds, when read, then all are one moment."""
    assert {moment_of(text) for text in ("2026-09-21", "2026-09-21T02:00:00+02:00")} == {
        1_789_948_800_000
    }
    assert moment_of("1789948800000") == 1_789_948_800_000
    for odd in ("", "-1", "1e3", "2026-13-01", "0001-01-01T00:00:00+14:00", "9" * 15, "tomorrow"):
        with pytest.raises(ValueError, match=r"give|write"):
            moment_of(odd)
