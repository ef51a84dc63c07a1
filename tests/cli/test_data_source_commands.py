"""A club's months from the command line, on a chain in its folder, with a store on a socket."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.calling import Place
from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tests.services.data_source.inbox_server import InboxServer, inbox_server
from tests.services.data_source.shop import (
    SCHEMA,
    address_of,
    admit,
    consent_of,
    customer,
    exchange_secret,
    lay,
    opened,
    space_of,
)
from tongbao.cli.exits import Exit
from tongbao.rights.parcel import open_parcel
from tongbao.sdk.vault import Vault

CUSTOMERS = 3


class Club:
    """The club's folder, its store, and what it was given."""

    def __init__(self, folder: Path, store: InboxServer) -> None:
        """Begin the chain, and write what customers have signed."""
        self.place = Place(folder, PASSPHRASE)
        self.store = store
        lay(folder, CUSTOMERS)
        # As a start cut short leaves it: with a passphrase that costs little.
        Vault.create(folder / "data-source" / "vault", PASSPHRASE, CHEAP).close()
        with opened(folder) as chain:
            admit(chain)
            names = [customer(number) for number in range(CUSTOMERS)]
            self.consents = {name: consent_of(chain, name, store=store.address) for name in names}
        for signed in self.consents.values():
            store.tokens[signed.consent.inbox] = signed.consent.drop
        (folder / "eggs.json").write_bytes(msgspec.json.encode(SCHEMA))
        lines = [
            json.dumps({"customer": name, "consent": signed.text.decode()})
            for name, signed in self.consents.items()
        ]
        (folder / "consents.jsonl").write_text("\n".join(lines))
        (folder / "march.csv").write_text(
            "customer,event,day,eggs,note,fresh\n"
            "customer-0,bon-1/1,2026-03-02,10,brown,true\n"
            "customer-0,bon-1/2,2026-03-02,6,=1+1,false\n"
            "customer-9,bon-2/1,2026-03-05,12,white,true\n"
        )

    def file(self, name: str) -> str:
        """A file of the folder."""
        return str(self.place.folder / name)

    def do(self, *words: str) -> Any:
        """A command that succeeds."""
        return self.place.do("data-source", *words)

    def begin(self) -> None:
        """The source with its consents."""
        schema = ("--schema", self.file("eggs.json"))
        self.do("init", "--account", "club", *schema, "--store", self.store.address)
        self.do("consents", "add", self.file("consents.jsonl"))


@pytest.fixture
def club(tmp_path: Path) -> Iterator[Club]:
    """A club before its first command."""
    with inbox_server() as store:
        yield Club(tmp_path / "club", store)


def test_a_month_goes_from_a_till_s_file_to_the_customers(club: Club) -> None:
    """
    Given a club with three customers' consents and a file of March,
    when it adds the file, makes the month, and pushes twice,
    then each customer has one parcel, whoever withdrew is told of, and status has it all.
    """
    club.begin()
    club.begin()
    added = club.do(
        "events", "add", club.file("march.csv"), "--schema", "eggs.1", "--period", "2026-03"
    )
    assert added == {"new": 2, "changed": 0, "known": 0, "without_consent": 1}
    made = club.do("month", "2026-03")
    assert (made["drawn"], made["committed"], made["refused"]) == (3, 3, {})
    club.store.closed.add(club.consents[customer(1)].consent.inbox)
    pushed = club.do("push")
    assert (pushed["delivered"], pushed["withdrawn"]) == (2, 1)
    assert club.do("push")["delivered"] == 0
    [parcel] = club.store.left[space_of(customer(0)).public_key.hex()]
    secret = exchange_secret(customer(0)).private_bytes_raw()
    assert b'"brown"' in open_parcel("batch", secret, parcel).text
    listed = club.do("consents", "list")["consents"]
    assert {one["customer"] for one in listed} == {customer(0), customer(2)}
    status = club.do("status")
    assert status["consents"] == {"in force": 2, "withdrawn": 1}
    assert status["admissions"][0]["volume"] == 10_000
    told = club.place.call("data-source", "status")
    assert told.last == "2 consents in force; 0 events not told yet; 0 months missing"


def test_who_has_no_store_gets_a_file(club: Club, tmp_path: Path) -> None:
    """Given a month, when exported whole, then each customer's parcel is a file, once."""
    club.begin()
    club.do("month", "2026-03")
    out = tmp_path / "out"
    assert club.do("export", str(out))["delivered"] == 0
    assert club.do("export", str(out), "--all")["delivered"] == 3
    assert club.do("export", str(out), "--all")["delivered"] == 0
    assert len(list(out.glob("*/2026-03-eggs.1-1-*.parcel"))) == 3


def test_a_correction_and_a_removal_are_commands(club: Club) -> None:
    """Given a month, when an event is taken back and a consent removed, then each has its way."""
    club.begin()
    words = ("events", "add", club.file("march.csv"), "--schema", "eggs.1", "--period", "2026-03")
    club.do(*words)
    club.do("month", "2026-03")
    assert club.do("events", "remove", "bon-1/1") == {"removed": True}
    assert club.place.call("data-source", "events", "remove", "bon-7").code == Exit.NOTHING
    assert club.do("correct", "2026-03")["committed"] == 1
    rows = club.place.do("data", "batches-of", "--owner", address_of(customer(0)))["rows"]
    assert sorted(row["value"]["version"] for row in rows) == [1, 2]
    first = club.do("consents", "list")["consents"][0]["id"]
    club.do("consents", "remove", first[:12])
    assert len(club.do("consents", "list")["consents"]) == 2
    assert len(club.do("consents", "list", "--all")["consents"]) == 3
    assert club.place.call("data-source", "consents", "remove", first).code == Exit.USAGE


def test_what_is_wrong_is_told_with_a_code(club: Club) -> None:
    """Given wrong words, files and accounts, when a command is given them, then it says so."""
    no_source = club.place.call("data-source", "status")
    assert (no_source.code, "data-source init" in no_source.err) == (Exit.NO_INPUT, True)
    schema = ("--schema", club.file("eggs.json"))
    other = club.place.call("data-source", "init", "--account", "rival", "--key", "club", *schema)
    assert (other.code, "does not sign alone" in other.err) == (Exit.USAGE, True)
    club.begin()
    bad = club.place.folder / "bad.csv"
    bad.write_text("customer,event,day,eggs,note,fresh\ncustomer-0,e,2026-03-02,canary,x,true\n")
    for words, code in (
        (("month", "March"), Exit.USAGE),
        (("month", "9999-01"), Exit.USAGE),
        (("events", "add", str(bad), "--schema", "eggs.1", "--period", "2026-03"), Exit.WRONG),
        (("events", "add", str(bad), "--schema", "eggs.2", "--period", "2026-03"), Exit.USAGE),
        (("events", "add", "no", "--schema", "eggs.1", "--period", "2026-03"), Exit.NO_INPUT),
        (("consents", "add", str(bad), "--customer", "x"), Exit.WRONG),
        (("consents", "add", str(bad)), Exit.WRONG),
    ):
        told = club.place.call("data-source", *words)
        assert (told.code, "canary" in told.err) == (code, False), (words, told)
    wrong = Place(club.place.folder, "another passphrase")
    assert wrong.call("data-source", "push").code == Exit.NO_KEY
