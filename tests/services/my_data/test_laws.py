"""What the law asks of the person's side, acted on from outside: over HTTP, files and the wire."""

from __future__ import annotations

import base64
import zlib
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.services.data_agent.buying import Bought
from tests.services.data_agent.market import ADDRESSES
from tests.services.my_data.people import CLUB, People, Told
from tests.services.my_data.test_selling import agent_of, bought
from tongbao.kernel import Hash, Id
from tongbao.modules import data
from tongbao.rights.at_rest import wrap_key
from tongbao.sdk.client import Refused
from tongbao.sdk.data.changes import changes_of
from tongbao.sdk.verification import VerificationError
from tongbao.services.my_data.collecting import collect
from tongbao.services.my_data.erasing import erase, erase_all
from tongbao.services.my_data.offering import offer, withdraw
from tongbao.services.my_data.person import Person
from tongbao.testing.keys import named_key

CANARY = "zinnia-4711-canary"


@pytest.fixture
def seller(people: People, alice: Person) -> Person:
    """Alice with a month on offer."""
    people.told(people.consented(alice), "2026-01", (4, 7, 11))
    collect(alice)
    offer(alice, people.terms(), agent_of(people))
    return alice


def test_a_withdrawn_offer_is_none_from_the_next_block_on(people: People, seller: Person) -> None:
    """
    Given a request that was heard while an offer stood,
    when the offer is withdrawn by one action, and then an order and another request come,
    then the agent refuses the request, seals nothing, and the ledger refuses a seal by the offer.
    """
    (name,) = seller.owned().offers
    batches = tuple(Id(one.batch) for one in seller.notebook.batches)
    request = people.market.request(*batches, owner=seller.account)
    assert people.market.ask(request).status_code == 200
    withdraw(seller, name)
    order = people.market.order(request, b"k" * 32)
    later = replace(request, delete_by=request.delete_by + 1)
    assert people.market.ask(later).status_code == 403
    with pytest.raises(Refused) as refused:
        people.market.wallets["carol"].send(
            data.Seal(
                order=order,
                offer=Id(name),
                grant_hash=data_hash(1),
                package_root=data_hash(2),
                chunks=data.Chunks(1),
                a_commit=data_hash(3),
                b_lock=data_hash(4),
            )
        )
    assert refused.value.number in (
        data.Why.OFFER_NOT_FOUND.number,
        data.Why.SENDER_MAY_NOT_SEAL.number,
    )
    assert people.market.shown(order).phase == "open"
    withdraw(seller, order)


def data_hash(number: int) -> Hash:
    """A hash for each number."""
    return Hash(f"{number:064x}")


def test_a_correction_is_told_to_the_buyer_and_buyers_to_the_owner(
    people: People, seller: Person
) -> None:
    """
    Given a month that bob bought,
    when its source corrects it, and then its owner erases both,
    then bob is told each of it by the ledger, and the owner that bob keeps what was corrected.
    """
    sale: Bought = bought(people, seller)
    sale.fetch()
    sale.confirm()
    people.market.reach(sale.order, "revealed", "settled")
    (kept,) = seller.notebook.batches
    consented = seller.notebook.consent(CLUB, kept.schema)
    assert consented is not None
    given = people.read(consented.jws)
    second = Told(given, "2026-01", (5,), version=2, supersedes=kept.commitment)
    people.commit(second, Id(kept.batch))
    second.leave()
    (corrected,) = collect(seller).corrected
    assert [(one.order, one.buyer) for one in corrected.holders] == [
        (sale.order, sale.request.buyer)
    ]
    chain, buyer = people.market.chain, sale.request.buyer
    [told] = changes_of(chain, buyer)
    assert (told.order, told.batch, told.what, told.by) == (
        sale.order,
        kept.batch,
        "corrected",
        corrected.batch,
    )
    erase_all(seller)
    assert [(one.order, one.what, one.by) for one in changes_of(chain, buyer)] == [
        (sale.order, "erased", None)
    ]


def test_no_value_leaves_the_folder_in_the_clear(
    people: People, alice: Person, tmp_path: Path
) -> None:
    """
    Given rows with a canary in the names of their events and days,
    when they were collected, offered and noted,
    then no file of the folder and of the store has it, plain or encoded in any common way.
    """
    del tmp_path
    told = Told(people.consented(alice), "2026-01", (1,), event=CANARY)
    people.commit(told)
    told.leave()
    collect(alice)
    offer(alice, people.terms(), agent_of(people))
    plain = told.batch.rows[0].event.encode()
    day = b"2026-01-01"
    needles = [
        form
        for text in (CANARY.encode(), plain, bytes.fromhex(plain.decode()), day)
        for form in (
            text,
            text.hex().encode(),
            base64.b64encode(text).rstrip(b"=")[:-1],
            text.decode("latin-1").encode("utf-16-le"),
            zlib.compress(text),
        )
    ]
    for folder in (alice.home.folder, people.place / "store"):
        for path in folder.rglob("*"):
            if path.is_file():
                content = path.read_bytes()
                assert not any(needle in content for needle in needles), path


def test_a_batch_that_was_put_half_is_put_whole_later(people: People, alice: Person) -> None:
    """Given a program that was killed between key and blob, when it collects, then it opens."""
    told = people.told(people.consented(alice), "2026-01", (1,))
    name = told.commitment.hex()
    alice.store.put_key(name, wrap_key(alice.keys.owner_key, told.commitment, b"k" * 32))
    collect(alice)
    assert alice.shelf.fetch(name) == told.batch
    alice.shelf.keep(told.batch)
    assert alice.shelf.fetch(name) == told.batch


def test_a_node_is_held_to_a_trust_file_where_there_is_one(people: People, alice: Person) -> None:
    """
    Given a person who believes the node by its chain's trust file, and one by another's,
    when the one collects, sells and erases, and the other begins,
    then all is done, with proofs, and the other is told that the node can't be believed.
    """
    del alice
    trust = (people.place / "chain" / "trust.json").read_bytes()
    person = people.new(trust)
    people.told(people.consented(person), "2026-01", (1, 2))
    collect(person)
    offer(person, people.terms(), agent_of(people))
    (kept,) = person.notebook.batches
    assert person.door(ADDRESSES["carol"]).copies() == {kept.batch: ("count",)}
    (done,) = erase(person, kept.batch)
    assert done.done_at is not None and person.owned().offers == {}
    keys = msgspec.json.decode(trust)
    keys["keys"] = [named_key("mallory").key_id]
    with pytest.raises(VerificationError):
        people.new(msgspec.json.encode(keys))
