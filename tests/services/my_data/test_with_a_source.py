"""A person and a source, both by their own programs: consent, a month, a correction, its end."""

from __future__ import annotations

from pathlib import Path

import msgspec

from tests.cli.calling import Place
from tests.sdk.kept_chain import CHEAP
from tests.services.data_agent.market import SCHEMA
from tests.services.my_data.people import CLUB, CLUB_KEY, PASSPHRASE, People
from tongbao.sdk.keystore import Keystore
from tongbao.services.my_data.collecting import collect
from tongbao.services.my_data.consenting import withdraw_consent
from tongbao.services.my_data.person import Person


def test_what_a_shop_attests_by_its_program_comes_to_the_person(
    people: People, alice: Person, tmp_path: Path
) -> None:
    """
    Given a club that uses `tongbao data-source`, and alice's consent,
    when it tells two months and corrects one, and she collects,
    then she has both; and when she withdraws her consent, then it can leave nothing more.
    """
    market, place = people.market, Place(tmp_path, PASSPHRASE)
    Keystore(tmp_path / "keys", CHEAP).store("club", CLUB_KEY.seed, PASSPHRASE)

    def club(*words: str, code: int = 0) -> None:
        """A command of the club's."""
        told = place.call("data-source", *words, "--node", market.node)
        assert told.code == code, told

    (tmp_path / "eggs.json").write_bytes(msgspec.json.encode(SCHEMA))
    schema = ("--schema", str(tmp_path / "eggs.json"))
    store = ("--store", market.store)
    club("init", "--account", CLUB, "--key", "club", *schema, "--about", "person", *store)
    (tmp_path / "consent.jws").write_bytes(people.consented(alice).text)
    club("consents", "add", str(tmp_path / "consent.jws"), "--customer", "4711")

    def events(text: str, *more: str) -> None:
        """What the club's till knows of January."""
        (tmp_path / "events.csv").write_text("customer,event,day,count\n" + text)
        rows = ("--schema", "eggs.1", "--period", "2026-01", *more)
        place.call("data-source", "events", "add", str(tmp_path / "events.csv"), *rows)

    events("4711,bon-1/1,2026-01-02,6\n4711,bon-2/1,2026-01-09,10\n")
    for month in ("2026-01", "2026-02"):
        club("month", month)
    club("push")
    found = collect(alice)
    assert [(one.period, one.count) for one in found.taken] == [("2026-01", 2), ("2026-02", 0)]
    events("4711,bon-1/1,2026-01-02,4\n4711,bon-2/1,2026-01-09,10\n", "--replace")
    club("correct", "2026-01")
    club("push")
    (corrected,) = collect(alice).corrected
    kept = alice.notebook.kept(corrected.batch)
    assert kept is not None and kept.version == 2
    rows = alice.shelf.fetch(kept.commitment).rows
    assert sorted(row.values for row in rows) == [("2026-01-02", 4), ("2026-01-09", 10)]
    withdraw_consent(alice, CLUB, "eggs.1")
    club("month", "2026-03")
    place.call("data-source", "push", "--node", market.node)
    assert alice.shelf.inbox() == []
