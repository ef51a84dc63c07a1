"""Leaving parcels over real connections: what a store says, and what something before it says."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import pytest

from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tests.services.data_source.inbox_server import InboxServer, inbox_server
from tests.services.data_source.shop import (
    MARCH,
    SCHEMA,
    Shop,
    admit,
    customer,
    lay,
    opened,
    settings_on,
    silent,
    source_in,
)
from tongbao.sdk.data.consents import SignedConsent
from tongbao.services.data_source.consents import consents
from tongbao.services.data_source.delivering import Delivery, push
from tongbao.services.data_source.event_files import Event
from tongbao.services.data_source.events import add_events
from tongbao.services.data_source.source import begin_source
from tongbao.services.data_source.stores import Stores

CUSTOMERS = 20


def pushed(club: Shop) -> Delivery:
    """The club pushes."""
    with Stores() as stores:
        return push(club.source, club.chain.now(), stores.leave, silent)


def with_month(club: Shop, server: InboxServer) -> list[SignedConsent]:
    """Consents of all customers to be left at a server, and their month."""
    found = [club.consent(customer(place), store=server.address) for place in range(CUSTOMERS)]
    for signed in found:
        server.tokens[signed.consent.inbox] = signed.consent.drop
    club.month()
    return found


@pytest.mark.parametrize("status", [507, 404])
def test_one_full_inbox_stops_nobody_else(tmp_path: Path, status: int) -> None:
    """Given one inbox that takes nothing, when pushed, then all others are, and it is later."""
    lay(tmp_path, CUSTOMERS)
    with opened(tmp_path) as chain, inbox_server() as server:
        admit(chain)
        begin_source(tmp_path, settings_on(chain, (server.address,)), PASSPHRASE, CHEAP)
        with source_in(tmp_path) as source:
            club = Shop(chain, source)
            first, *_ = with_month(club, server)
            server.answers[first.consent.inbox] = (status, "application/problem+json")
            found = pushed(club)
            assert (found.delivered, found.undone, found.withdrawn) == (CUSTOMERS - 1, 1, 0)
            assert found.failed == {server.address: f"answered with status {status}"}
            server.answers.clear()
            assert pushed(club).delivered == 1
            assert all(len(left) == 1 for left in server.left.values())


def test_only_a_store_itself_says_that_somebody_has_withdrawn(tmp_path: Path) -> None:
    """
    Given something before the store that forbids everything, a store that is gone, and then one
    that says that a drop was deleted,
    when pushed,
    then only the last ends a consent; a store that takes nothing is not asked for each customer.
    """
    lay(tmp_path, CUSTOMERS)
    with opened(tmp_path) as chain, inbox_server() as server:
        admit(chain)
        begin_source(tmp_path, settings_on(chain, (server.address,)), PASSPHRASE, CHEAP)
        with source_in(tmp_path) as source:
            club = Shop(chain, source)
            signed = with_month(club, server)
            for one in signed:
                server.answers[one.consent.inbox] = (403, "text/html")
            found = pushed(club)
            assert (found.delivered, found.undone, found.withdrawn) == (0, CUSTOMERS, 0)
            assert len(list(consents(source))) == CUSTOMERS
            server.answers.clear()
            server.closed.add(signed[0].consent.inbox)
            found = pushed(club)
            assert (found.delivered, found.undone, found.withdrawn) == (CUSTOMERS - 1, 0, 1)
            assert len(list(consents(source))) == CUSTOMERS - 1


def test_the_folder_holds_nothing_of_a_customer_that_can_be_read(tmp_path: Path) -> None:
    """
    Given an event with canaries in customer, id and values, told and delivered,
    when every file of the source's folder is looked through while it is open and after,
    then no canary is there, plain, in hex, base64 or UTF-16, nor any consent.
    """
    canaries = [b"canary-customer", b"canary-event", b"canary in a note"]
    lay(tmp_path, 1)
    with opened(tmp_path) as chain, inbox_server() as server:
        admit(chain)
        begin_source(tmp_path, settings_on(chain, (server.address,)), PASSPHRASE, CHEAP)
        with source_in(tmp_path) as source:
            club = Shop(chain, source)
            [signed] = [club.consent(customer(0), store=server.address)]
            server.tokens[signed.consent.inbox] = signed.consent.drop
            canaries += [customer(0).encode(), signed.consent.drop.encode(), signed.text[-40:]]
            day = ("2026-03-02", 17, "canary in a note", True)
            lines = [(1, Event(customer(0), "canary-event", day))]
            assert add_events(source, SCHEMA, MARCH, lines).new == 1
            club.month()
            _look(tmp_path / "data-source", canaries)
            assert pushed(club).delivered == 1
            _look(tmp_path / "data-source", canaries)
        _look(tmp_path / "data-source", canaries)


def _look(folder: Path, canaries: list[bytes]) -> None:
    files = [path for path in folder.glob("**/*") if path.is_file()]
    assert len(files) > 3
    for path in files:
        text = path.read_bytes()
        assert path.stat().st_mode & 0o077 == 0, path
        for canary in canaries:
            for form in (
                canary,
                canary.hex().encode(),
                base64.b64encode(canary)[:-4],
                canary.decode().encode("utf-16-le"),
                zlib.compress(canary)[2:-4],
            ):
                assert form not in text, (path, canary)
