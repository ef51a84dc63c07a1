"""A buyer's way from asking to deleting, against a node and an agent over real sockets."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.data.market import ADDRESSES, BOND, COUNT
from tests.sdk.data.shop import Shop
from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.sdk.client import Refused
from tongbao.sdk.data.agent_client import AgentRefused
from tongbao.sdk.data.buyer import RequestIsUsed
from tongbao.sdk.data.ending import StillUnderWay
from tongbao.sdk.data.facts import NotFetched, NotThere


def test_a_buyer_asks_orders_fetches_confirms_opens_and_accepts(shop: Shop, tmp_path: Path) -> None:
    """
    Given a month of 19 rows,
    when bob buys it step by step,
    then the rows are those, and alice has earned the price less the fee.
    """
    before = shop.market.earned("alice")
    order = shop.revealed()
    values = [row.values for row in shop.buyer.rows(order)]
    shop.buyer.accept(order)

    assert values == [{COUNT: row % 3} for row in range(19)]
    assert (shop.market.phase(order), shop.market.earned("alice") - before) == ("settled", 1_900)


def test_nothing_is_confirmed_that_was_not_fetched(shop: Shop) -> None:
    """
    Given a sealed order,
    when bob would confirm it unseen,
    then his program refuses, and nothing is owed.
    """
    order = shop.sealed()
    with pytest.raises(NotFetched):
        shop.buyer.confirm(order)

    assert shop.market.phase(order) == "sealed"


def test_what_was_not_sealed_or_revealed_yet_is_said_to_be_so(shop: Shop) -> None:
    """
    Given an open order and a confirmed one,
    when bob would fetch the one and open the other,
    then he is told that it is too early.
    """
    with pytest.raises(NotThere):
        shop.buyer.fetch(shop.ordered())
    with pytest.raises(NotThere):
        shop.buyer.rows(shop.confirmed())


def test_a_rule_by_which_the_agent_refuses_comes_with_its_number(shop: Shop) -> None:
    """
    Given an agent that refuses by rule 7,
    when bob asks,
    then he gets the number, and can't order.
    """
    shop.agent.refuses = 7
    with pytest.raises(AgentRefused) as told:
        shop.ordered()

    assert (told.value.status, told.value.number) == (403, 7)


def test_rows_are_written_as_lines_of_json_and_as_csv(shop: Shop, tmp_path: Path) -> None:
    """
    Given a bought package,
    when its rows are written in both forms, and the order deleted,
    then both have all rows, and are gone after it.
    """
    order = shop.revealed()
    paths = [tmp_path / "rows.jsonl", tmp_path / "rows.csv"]
    written = [shop.buyer.write(order, path) for path in paths]
    lines = [path.read_text(encoding="utf-8").splitlines() for path in paths]
    shop.buyer.attest_deletion(order)

    assert (written, [len(each) for each in lines]) == ([19, 19], [19, 20])
    assert lines[1][0] == "source,subject,period,row,count"
    assert not any(path.exists() for path in paths)


def test_deletion_removes_files_and_keys_and_gives_the_bond_back(shop: Shop) -> None:
    """
    Given an accepted order,
    when bob deletes it, twice,
    then package, key and `a` are gone, the bond is back once, and the attestation is kept.
    """
    order = shop.revealed()
    shop.buyer.accept(order)
    before = shop.market.held("bob")
    first, second = shop.buyer.attest_deletion(order), shop.buyer.attest_deletion(order)
    deal = shop.folder.deal(order)

    assert (first, deal.secret, deal.a, deal.files) == (second, "", "", ())
    assert deal.receipt and deal.attestation == first.decode()
    assert shop.market.held("bob") - before == 500
    assert list((shop.path / "packages").iterdir()) == []
    with pytest.raises(NotFetched):
        shop.buyer.package(order)


def test_an_order_is_cancelled_before_it_is_confirmed_only(shop: Shop) -> None:
    """
    Given a sealed order and a confirmed one,
    when bob cancels both,
    then the first is, and the ledger refuses the second.
    """
    first, second = shop.sealed(), shop.confirmed()
    shop.buyer.cancel(first)
    with pytest.raises(Refused):
        shop.buyer.cancel(second)

    assert (shop.market.phase(first), shop.market.phase(second)) == ("cancelled", "confirmed")


def test_a_package_that_is_damaged_here_is_fetched_again_and_not_claimed(shop: Shop) -> None:
    """
    Given a revealed order whose package is damaged on bob's own disk,
    when he would claim, and fetches again instead,
    then the claim is not sent, and the rows are right.
    """
    order = shop.revealed()
    path = shop.folder.package(order)
    text = bytearray(path.read_bytes())
    text[-1] ^= 1
    path.write_bytes(bytes(text))
    with pytest.raises(NotFetched):
        shop.buyer.claim(order)
    shop.buyer.fetch(order)

    assert len(list(shop.buyer.rows(order))) == 19
    assert shop.market.phase(order) == "revealed"


def test_a_download_goes_on_with_whole_chunks(shop: Shop) -> None:
    """
    Given a package of 128 chunks of which 64 and a half are here, or 64 with another bit,
    when bob fetches,
    then only the missing ones are asked for, or all of them once more; and the package is right.
    """
    shop.agent.least_chunks = 128
    order = shop.sealed()
    part = shop.folder.package(order).with_name(f"{order}.part")
    chunks = shop.agent.sold[order].chunks
    part.write_bytes(b"".join(chunks[:64]) + chunks[64][:30_000])
    shop.buyer.fetch(order)
    first = shop.agent.served
    other = shop.sealed()
    wrong = shop.folder.package(other).with_name(f"{other}.part")
    wrong.write_bytes(b"".join(chunks[:64]))
    shop.buyer.fetch(other)

    assert (first, shop.agent.served - first) == (64, 64 + 128)
    assert shop.buyer.is_fetched(order) and shop.buyer.is_fetched(other)


def test_a_nonce_that_another_program_took_stops_no_step(shop: Shop) -> None:
    """
    Given bob's program, and another one of his account,
    when the other sends between two steps, so that the next nonce is taken,
    then the step is sent with another one, once.
    """
    first = shop.ordered()
    other = shop.market.chain.wallet(ADDRESSES["bob"], *shop.market.wallets["bob"].signers)
    other.send(data.CancelOrder(order=Id(first)))
    second = shop.ordered()

    assert (shop.market.phase(first), shop.market.phase(second)) == ("cancelled", "open")
    assert shop.folder.under_way() == []


def test_pull_fetches_what_was_sealed_once_each(shop: Shop) -> None:
    """
    Given two sealed orders,
    when bob pulls, seals come in, and he pulls again after a new start,
    then each delivery is looked at once.
    """
    first = [shop.sealed(), shop.sealed()]
    pulled = [one.order for one in shop.buyer.pull()]
    third = shop.sealed()
    again = [one.order for one in shop.again().pull()]

    assert (pulled, again) == (first, [third])
    assert all(shop.buyer.is_fetched(order) for order in (*first, third))


def test_one_request_binds_money_once(shop: Shop) -> None:
    """
    Given an order that is open, as after a command that was killed, and one that was sealed,
    when bob orders by the same request again,
    then the open one is the answer, and of the other he is told to ask anew.
    """
    order = shop.ordered()
    request = shop.folder.deal(order).request_hash
    before = shop.market.held("bob")
    assert shop.buyer.order(request, deletion_bond=BOND) == order
    shop.agent.seal(order)
    with pytest.raises(RequestIsUsed):
        shop.buyer.order(request, deletion_bond=BOND)
    assert shop.market.held("bob") == before


def test_what_a_kill_left_of_rows_goes_with_the_deletion(shop: Shop, tmp_path: Path) -> None:
    """
    Given rows that a killed command has written in part, and a link to a file of something else,
    when they are written again, and when the order is deleted,
    then no row is left, and the other file is as it was.
    """
    order = shop.revealed()
    place = tmp_path / "rows"
    place.mkdir()
    other, part, out = (place / name for name in ("other", "rows.csv.part", "rows.csv"))
    other.write_text("mine", encoding="utf-8")
    part.symlink_to(other)
    shop.buyer.write(order, out)
    part.write_text("half of them", encoding="utf-8")
    shop.buyer.attest_deletion(order)
    assert [path.name for path in place.iterdir()] == ["other"]
    assert other.read_text(encoding="utf-8") == "mine"


def test_a_file_of_something_else_is_neither_replaced_nor_deleted(
    shop: Shop, tmp_path: Path
) -> None:
    """
    Given a file that the buyer has,
    when rows would be written there, and the order is deleted,
    then the file is as it was.
    """
    order, mine = shop.revealed(), tmp_path / "mine.csv"
    mine.write_text("mine", encoding="utf-8")
    with pytest.raises(FileExistsError):
        shop.buyer.write(order, mine)
    shop.buyer.attest_deletion(order)
    assert mine.read_text(encoding="utf-8") == "mine"


def test_an_order_that_is_under_way_keeps_its_key(shop: Shop) -> None:
    """
    Given an order that is confirmed,
    when bob would delete it,
    then he is told to wait, and opens it when `b` is published.
    """
    order = shop.confirmed()
    with pytest.raises(StillUnderWay):
        shop.buyer.attest_deletion(order)
    shop.agent.reveal(order)
    assert len(list(shop.buyer.rows(order))) == 19
