"""What one caller may use, what a node remembers, and what it answers about what waits."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from typing import Final

import pytest

from tests.node.conftest import Served, serving
from tests.node.flood import request
from tests.node.test_door import talk
from tongbao.engines.solo import Options
from tongbao.node.limits import ADDRESSES_LIMIT, Buckets

HOG: Final = "127.0.0.2"
HONEST: Final = "127.0.0.3"


def statuses(served: Served, source: str, count: int) -> Counter[bytes]:
    """How requests from an address are answered, by status."""
    host, _, port = served.address.removeprefix("http://").rpartition(":")
    last = request("/v1", None, "Connection: close")
    with socket.create_connection((host, int(port)), 30, (source, 0)) as connection:
        answers = talk(connection, request("/v1") * (count - 1) + last)
    return Counter(answer[:3] for answer in answers.split(b"HTTP/1.1 ")[1:])


def test_one_address_uses_up_nobody_elses_rate() -> None:
    """
    Given a node that takes 5 requests a second from one address,
    when one address sends 200 at once, and another sends two meanwhile,
    then most of the first's are answered 429, the second's are served, and so is health.
    """
    with serving(rate_per_s=5) as served:
        hog = statuses(served, HOG, 200)
        honest = statuses(served, HONEST, 2)
        health = served.client.get("/readyz").json()
        refused = served.client.get("/metrics").text

    assert hog[b"429"] > 150 and set(hog) == {b"200", b"429"}
    assert honest == {b"200": 2}
    assert health == {"ready": True, "reasons": []}
    assert f'tongbao_refused_total{{status="429"}} {hog[b"429"]}.0' in refused


@pytest.mark.parametrize(
    ("first", "second", "share"),
    [
        ("10.0.0.1", "10.0.0.1", True),
        ("10.0.0.1", "10.0.0.2", False),
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("::ffff:10.0.0.1", "::ffff:10.0.0.2", False),
        ("fe80::1%eth0", "fe80::2%eth0", True),
    ],
)
def test_a_caller_is_what_it_can_not_change_at_will(first: str, second: str, share: bool) -> None:
    """
    Given two addresses of IPv4, or of one or two networks of IPv6,
    when the first has used up its rate,
    then the second is refused where it may be the same caller, and only there.
    """
    buckets = Buckets(1)
    assert buckets.take(first, 1)
    assert buckets.take(second, 1) is not share


def test_addresses_that_are_remembered_are_limited() -> None:
    """
    Given more addresses than a node remembers,
    when each has asked once,
    then only the last ones are remembered.
    """
    buckets = Buckets(1)
    for place in range(ADDRESSES_LIMIT + 500):
        buckets.take(f"10.{place >> 16}.{place >> 8 & 255}.{place & 255}", 1)

    assert len(buckets) == ADDRESSES_LIMIT
    assert buckets.take("10.0.0.0", 1), "the one that was quiet for longest is forgotten"


def test_what_was_taken_in_is_never_unknown() -> None:
    """
    Given a node whose blocks take a moment, and transactions that do not wait,
    when their status is asked again and again until they are applied,
    then each is pending and then applied: at no moment is it unknown.
    """
    with serving(Options(linger_ms=5)) as served:
        wires = [served.fixed.pay("0.01") for _ in range(100)]
        seen: set[str] = set()

        def ask(identifier: str) -> None:
            state = ""
            while state != "applied":
                state = served.chain.status(identifier).state
                seen.add(state)

        askers = []
        for wire in wires:
            taken = served.send(wire, wait="none")
            askers.append(threading.Thread(target=ask, args=(taken.json()["id"],)))
            askers[-1].start()
        for asker in askers:
            asker.join()

    assert seen == {"pending", "applied"}
