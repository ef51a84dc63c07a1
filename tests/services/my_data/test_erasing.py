"""Erasure survives what backups bring back, agents that are away, and a program that was killed."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.data_agent.programs import program
from tests.services.my_data.people import People, Told
from tests.services.my_data.people import people as open_people
from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.sdk.data.store_client import StoreRefused
from tongbao.services.my_data.collecting import collect
from tongbao.services.my_data.erasing import NothingToErase, erase, erase_all
from tongbao.services.my_data.offering import offer
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.refusals import Why


@pytest.fixture
def own(tmp_path: Path) -> Iterator[People]:
    """A market of this test alone, whose programs it ends and whose folders it puts back."""
    with open_people(tmp_path) as found:
        yield found
        found.close()


def test_what_a_backup_of_the_agent_brought_back_is_erased_again(own: People) -> None:
    """
    Given a copy of the agent's folder from before an erasure,
    when it is put back, the agent starts, and the person's program collects,
    then the agent has the copy no more.
    """
    person = own.new()
    own.told(own.consented(person), "2026-01")
    collect(person)
    market = own.market
    assert market.agent is not None
    offer(person, own.terms(), market.agent.address)
    market.end()
    shutil.copytree(market.agent_folder, own.place / "backup")
    market.start()
    moved(person, own)
    (kept,) = person.notebook.batches
    erase(person, kept.batch)
    market.end()
    shutil.rmtree(market.agent_folder)
    shutil.copytree(own.place / "backup", market.agent_folder)
    market.start()
    moved(person, own)
    collect(person)
    (agent,) = person.notebook.agents
    assert person.door(agent).copies() == {}
    (done,) = person.notebook.erasures
    assert done.left == () and done.done_at is not None


def moved(person: Person, own: People) -> None:
    """The agent listens elsewhere now."""
    assert own.market.agent is not None
    person.meet(own.market.agent.address)


def test_what_a_backup_of_the_store_brought_back_is_erased_again(own: People) -> None:
    """
    Given a backup of the store from before an erasure, with the list of what was erased lost too,
    when it serves, and the person's program collects,
    then blob and key are gone again, for good.
    """
    person = own.new()
    own.told(own.consented(person), "2026-01")
    collect(person)
    (kept,) = person.notebook.batches
    backup = own.place / "old-store"
    for ending in ("", ".erased"):
        shutil.copytree(own.place / f"store{ending}", own.place / f"old-store{ending}")
    erase(person, kept.batch)
    with program("data-store", "run", "--folder", str(backup), "--port", "0") as old:
        person.home.note(store=old.address)
        person = own.again(person)
        assert kept.commitment in person.shelf.names()
        collect(person)
        assert kept.commitment not in person.shelf.names()
        with pytest.raises(StoreRefused, match="410"):
            person.store.get_blob(kept.commitment)
        with pytest.raises(StoreRefused, match="410"):
            person.store.get_key(kept.commitment)


def test_an_agent_that_is_away_is_asked_again_until_it_has_erased(own: People) -> None:
    """Given an agent that is down, when a month is erased, then it is done when it is up."""
    person = own.new()
    own.told(own.consented(person), "2026-01")
    collect(person)
    market = own.market
    assert market.agent is not None
    offer(person, own.terms(), market.agent.address)
    (kept,) = person.notebook.batches
    market.end()
    (done,) = erase(person, kept.batch)
    assert done.left == tuple(person.notebook.agents) and done.done_at is None
    assert done.retired and done.store is not None
    market.start()
    moved(person, own)
    collect(person)
    (done,) = person.notebook.erasures
    assert done.left == () and done.done_at is not None


def test_an_erased_month_is_never_taken_again(people: People, alice: Person) -> None:
    """Given an erased month, when its source leaves it once more, then it is refused."""
    told = people.told(people.consented(alice), "2026-01")
    collect(alice)
    erase(alice, told.commitment.hex())
    told.leave(told.parcel())
    assert [one.number for one in collect(alice).refused] == [Why.IS_ERASED]


def test_erasing_goes_on_where_it_was_killed(people: People, alice: Person) -> None:
    """
    Given a program that was killed when it had told the ledger, and nothing else,
    when it collects,
    then the erasure is found on the ledger, and done to its end.
    """
    told = people.told(people.consented(alice), "2026-01")
    collect(alice)
    (kept,) = alice.notebook.batches
    alice.wallet.send(data.Retire(batch=Id(kept.batch)))
    alice = people.again(alice)
    collect(alice)
    (done,) = alice.notebook.erasures
    assert (done.batch, done.retired, done.left) == (kept.batch, True, ())
    assert told.commitment.hex() not in alice.shelf.names()
    assert alice.notebook.batches == ()


def test_all_versions_of_a_month_go_together(people: People, alice: Person) -> None:
    """Given a corrected month, when it is erased, then neither version is at the store."""
    given = people.consented(alice)
    first = people.told(given, "2026-01", (1,))
    collect(alice)
    before = Id(alice.notebook.batches[0].batch)
    second = Told(given, "2026-01", (2,), version=2, supersedes=first.commitment.hex())
    people.commit(second, before)
    second.leave()
    collect(alice)
    erase(alice, second.commitment.hex())
    assert not alice.shelf.names() & {first.commitment.hex(), second.commitment.hex()}
    assert len(alice.notebook.erasures) == 2


def test_everything_is_erased_in_one_action(people: People, alice: Person) -> None:
    """Given two months, when all is erased, then none is left, and again is no change."""
    given = people.consented(alice)
    for month in ("2026-01", "2026-02"):
        people.told(given, month)
    collect(alice)
    assert len(erase_all(alice)) == 2
    assert alice.notebook.batches == ()
    assert [one.done_at is not None for one in erase_all(alice)] == [True, True]
    with pytest.raises(NothingToErase):
        erase(alice, "00" * 20)
