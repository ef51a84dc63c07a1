"""Every row of the table of deviations that a buyer can bring about or suffer, with real bytes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.rights.hpke_by_the_book import public_key_of
from tests.rights.material import fixed
from tests.sdk.data.lying_agent import LyingAgent, spoiled
from tests.sdk.data.market import ADDRESSES, BOND, DAY
from tests.sdk.data.panels import panels, sitting
from tests.sdk.data.shop import Shop
from tongbao.kernel import Id, PublicKey
from tongbao.kernel.envelope import encode_base64url
from tongbao.modules import data
from tongbao.modules.data.keys import LOW_ORDER
from tongbao.rights.batch import Batch
from tongbao.rights.envelope import BadEnvelope, envelope_info, put_into_envelope
from tongbao.rights.judge import Verdict
from tongbao.rights.opened import Faulty
from tongbao.rights.schema import Row
from tongbao.sdk.client import Refused
from tongbao.sdk.data.agent_client import AgentRefused
from tongbao.sdk.data.ending import NothingToClaim
from tongbao.sdk.data.evidence import PanelClient
from tongbao.sdk.data.facts import NotThere
from tongbao.sdk.data.fetching import DeliveryDiffers
from tongbao.sdk.data.orders_folder import Placing

UPHELD, REJECTED = "upheld", "rejected"


def money(shop: Shop) -> tuple[int, int]:
    """Cents that bob holds, and that alice has earned."""
    return shop.market.held("bob"), shop.market.earned("alice")


def lapses(shop: Shop, name: str) -> int:
    """How many orders somebody has let lapse."""
    row = shop.market.chain.query(data.party, ADDRESSES[name])
    return 0 if row is None else row.lapses


def test_buyer_takes_package_and_a_and_never_confirms(hurry: Shop) -> None:
    """
    Given a sealed order whose package and `a` bob has,
    when he does not confirm until the deadline,
    then his money is back, the lapse is his, and what he has does not open.
    """
    before, lapsed = money(hurry), lapses(hurry, "bob")
    order = hurry.sealed()
    hurry.buyer.fetch(order)
    hurry.market.await_phase(order, "lapsed")

    assert (money(hurry), lapses(hurry, "bob")) == (before, lapsed + 1)
    with pytest.raises(NotThere):
        hurry.buyer.rows(order)


def test_wrong_a_delivered_is_not_confirmed(shop: Shop) -> None:
    """
    Given a sealed order,
    when the agent's envelope has another `a`,
    then nothing is confirmed, and the buyer cancels and has all back.
    """
    before = money(shop)
    order = shop.sealed()
    sold = shop.agent.sold[order]
    row = shop.market.row(order)
    assert row.grant_hash is not None
    info = envelope_info(bytes.fromhex(order), bytes.fromhex(row.grant_hash), sold.sealed)
    secret = bytes.fromhex(shop.folder.deal(order).secret)
    other = put_into_envelope(public_key_of(secret), fixed("another a"), info)
    shop.agent.sold[order] = spoiled(sold, envelope=other)
    with pytest.raises(DeliveryDiffers):
        shop.buyer.fetch(order)
    shop.buyer.cancel(order)

    assert (money(shop), shop.market.phase(order)) == (before, "cancelled")


def test_an_altered_chunk_is_not_confirmed_and_the_right_one_is(shop: Shop) -> None:
    """
    Given a sealed order,
    when the agent delivers a chunk with another bit, and later the right one,
    then the first is refused and leaves nothing, and the second is fetched.
    """
    order = shop.sealed()
    sold = shop.agent.sold[order]
    bad = bytes([sold.chunks[0][0] ^ 1]) + sold.chunks[0][1:]
    shop.agent.sold[order] = spoiled(sold, chunks=[bad])
    with pytest.raises(DeliveryDiffers):
        shop.buyer.fetch(order)
    left = list((shop.path / "packages").iterdir())
    shop.agent.sold[order] = sold
    shop.confirm(order)

    assert (left, shop.market.phase(order)) == ([], "confirmed")


@pytest.mark.parametrize("sealed", [False, True])
def test_another_receipt_is_not_confirmed(shop: Shop, sealed: bool) -> None:
    """
    Given an order,
    when the agent delivers the receipt of another grant, or has even sealed it,
    then the buyer does not confirm.
    """
    other = shop.sealed()
    foreign = shop.agent.sold[other].receipt
    order = shop.ordered()
    sold = shop.agent.seal(order, receipt=foreign if sealed else None)
    shop.agent.sold[order] = spoiled(sold, receipt=foreign)
    with pytest.raises(DeliveryDiffers):
        shop.buyer.fetch(order)

    assert shop.market.phase(order) == "sealed"


def shortened(agent: LyingAgent, order: str) -> None:
    """Seal a batch without its last row."""
    batch = own_batch(agent, order)
    agent.seal(order, [replace(batch, rows=batch.rows[:-1])])


def altered(agent: LyingAgent, order: str) -> None:
    """Seal a batch with another value in a row."""
    batch = own_batch(agent, order)
    first = Row(batch.rows[0].event, (batch.rows[0].values[0], 99))
    agent.seal(order, [replace(batch, rows=(first, *batch.rows[1:]))])


def foreign(agent: LyingAgent, order: str) -> None:
    """Seal another month."""
    batch = own_batch(agent, order)
    agent.seal(order, [next(one for one in agent.market.batches.values() if one != batch)])


def hidden(agent: LyingAgent, order: str) -> None:
    """Open another field than was granted."""
    agent.seal(order, fields=(DAY,))


def unreadable(agent: LyingAgent, order: str) -> None:
    """Seal a text that is no package."""
    agent.seal_text(order, b"[\nthese are no rows\n]")


def empty(agent: LyingAgent, order: str) -> None:
    """Seal no batch."""
    agent.seal_text(order, b"[\n]")


def own_batch(agent: LyingAgent, order: str) -> Batch:
    """The one batch of an order."""
    return agent.market.batches[agent.market.row(order).batches[0]]


GROUNDS: list[tuple[Verdict, Callable[[LyingAgent, str], None]]] = [
    (Verdict.PACKAGE_DOES_NOT_OPEN, unreadable),
    (Verdict.HEADER_IS_NOT_COMMITTED, foreign),
    (Verdict.ROWS_ARE_MISSING, shortened),
    (Verdict.ROWS_ARE_MISSING, empty),
    (Verdict.GRANTED_CELL_IS_HIDDEN, hidden),
    (Verdict.ROW_IS_NOT_COMMITTED, altered),
]


@pytest.mark.parametrize(
    ("ground", "sell"), GROUNDS, ids=[f"{sell.__name__}" for _, sell in GROUNDS]
)
def test_faulty_package_claim_upheld(
    shop: Shop, tmp_path: Path, ground: Verdict, sell: Callable[[LyingAgent, str], None]
) -> None:
    """
    Given a package that is faulty in each way,
    when bob claims, and three panels judge the evidence that comes to them,
    then price and deposit are back, the owner earns nothing, and the agent's bond pays who voted.
    """
    shop.batch()
    with panels(shop.market, tmp_path) as places:
        before, paid = money(shop), voters(shop)
        order = shop.ordered()
        sell(shop.agent, order)
        shop.revealed(order)
        with pytest.raises(Faulty) as told:
            shop.buyer.rows(order)
        found = shop.buyer.claim(order)
        answers = shop.buyer.show_panel(order, places)
        ended = shop.market.await_phase(order, UPHELD, REJECTED)

    assert (told.value.verdict, found, ended) == (ground, ground, UPHELD)
    assert list(answers.values()).count("told") >= 2
    assert set(answers.values()) <= {"told", "the claim was decided without it"}
    assert money(shop) == (before[0] - BOND.units, before[1])
    assert voters(shop) - paid == 2_000


def voters(shop: Shop) -> int:
    """Cents that the panel has earned."""
    return sum(shop.market.earned(name) for name in ("ann", "ben", "cid"))


def test_false_claim_is_rejected_and_its_deposit_goes_to_voters(shop: Shop, tmp_path: Path) -> None:
    """
    Given a package that is right,
    when bob claims in spite of his own judge,
    then the panel rejects, alice is paid, and the deposit is the voters'.
    """
    with panels(shop.market, tmp_path) as places:
        before, paid = money(shop), voters(shop)
        order = shop.revealed()
        with pytest.raises(NothingToClaim):
            shop.buyer.claim(order)
        shop.buyer.claim(order, in_spite=True)
        shop.buyer.show_panel(order, places)
        ended = shop.market.await_phase(order, UPHELD, REJECTED)

    spent = 2_000 + 1_000 + BOND.units
    assert (ended, money(shop)) == (REJECTED, (before[0] - spent, before[1] + 1_900))
    assert voters(shop) - paid == 1_000


def test_forged_evidence_is_rejected(shop: Shop, tmp_path: Path) -> None:
    """
    Given a right package of which bob alters a chunk afterwards,
    when he claims with what he altered,
    then each panel finds evidence that nobody committed to, and rejects.
    """
    with panels(shop.market, tmp_path) as places:
        order = shop.revealed()
        path = shop.folder.package(order)
        text = bytearray(path.read_bytes())
        text[0] ^= 1
        path.write_bytes(bytes(text))
        found = shop.buyer.claim(order, in_spite=True)
        shop.buyer.show_panel(order, places)
        ended = shop.market.await_phase(order, UPHELD, REJECTED)

    assert (found, ended) == (Verdict.EVIDENCE_IS_NOT_COMMITTED, REJECTED)


def test_buyer_silent_after_reveal_owner_is_paid_at_the_deadline(hurry: Shop) -> None:
    """
    Given a revealed order,
    when bob says nothing until the deadline,
    then alice has earned the price less the fee, and bob has the rows.
    """
    before = hurry.market.earned("alice")
    order = hurry.revealed()
    hurry.market.await_phase(order, "settled")

    assert hurry.market.earned("alice") - before == 1_900
    assert len(list(hurry.buyer.rows(order))) == 19


def test_the_agent_never_reveals_and_the_buyer_has_all_back(hurry: Shop) -> None:
    """
    Given a confirmed order,
    when the agent lets its deadline pass,
    then bob has all back, and the agent's bond pays alice the price.
    """
    before = money(hurry)
    order = hurry.confirmed()
    hurry.market.await_phase(order, "lapsed")

    assert money(hurry) == (before[0], before[1] + 2_000)


@pytest.mark.parametrize("number", LOW_ORDER)
def test_keys_of_low_order_are_neither_ordered_with_nor_written_to(shop: Shop, number: int) -> None:
    """
    Given a key of low order,
    when it would stand in an order, or an envelope be made for it,
    then the ledger refuses the one, and nothing is left under way; and nobody makes the other.
    """
    key = number.to_bytes(32, "little")
    asked = shop.buyer.request(shop.market.request(shop.batch()))
    good = shop.buyer.order(asked, deletion_bond=BOND)
    row = shop.market.row(good)
    public = encode_base64url(key)
    message = data.PlaceOrder(
        **{
            name: getattr(row, name)
            for name in data.PlaceOrder.__struct_fields__
            if hasattr(row, name)
        }
        | {"buyer_key": PublicKey(public), "seal_by": row.deadline}
    )
    with pytest.raises(Refused):
        shop.buyer.sender.place(message, Placing(request_hash=asked, secret="", public=public))
    with pytest.raises(BadEnvelope):
        put_into_envelope(key, fixed("a"), b"info")

    assert shop.folder.under_way() == []


def test_no_evidence_is_waited_for_until_a_quarter_is_left(shop: Shop, tmp_path: Path) -> None:
    """
    Given a claim of which no evidence came,
    when an adjudicator judges it at once,
    then there is no vote yet; and of garbage neither.
    """
    with sitting(shop.market, tmp_path, "ann", votes=False) as (ann, url):
        order = shop.revealed()
        shop.buyer.claim(order, in_spite=True)
        first = ann.judge(order)
        garbage = tmp_path / "garbage"
        garbage.write_bytes(b"\x00" * 70_000)
        with PanelClient(url, shop.buyer.signer, ADDRESSES["bob"]) as client:
            client.leave(order, garbage)
        second = ann.judge(order)

    assert (first.vote, second.vote) == ("", "")
    assert first.ground.startswith("NO_EVIDENCE") and second.ground.startswith("NO_EVIDENCE")


def test_without_evidence_the_panel_rejects_in_time(hurry: Shop, tmp_path: Path) -> None:
    """
    Given a faulty package,
    when bob claims and shows nothing,
    then the panel rejects before the deadline, and alice is paid.
    """
    with panels(hurry.market, tmp_path):
        order = hurry.ordered()
        altered(hurry.agent, order)
        hurry.revealed(order)
        hurry.buyer.claim(order)
        ended = hurry.market.await_phase(order, UPHELD, REJECTED)
    row = hurry.market.row(order)

    assert (ended, row.late, row.votes.count(data.Verdict(REJECTED))) == (REJECTED, False, 2)


def test_evidence_is_taken_of_the_buyer_of_an_open_case_alone(shop: Shop, tmp_path: Path) -> None:
    """
    Given a claim, and an order that nobody claimed,
    when another enterprise brings evidence on the one, and the buyer on the other,
    then both are told that there is nothing here.
    """
    parcel = tmp_path / "parcel"
    parcel.write_bytes(b"evidence")
    with sitting(shop.market, tmp_path, "ann", votes=False) as (_, url):
        claimed, other = shop.revealed(), shop.revealed()
        shop.buyer.claim(claimed, in_spite=True)
        mallory = shop.market.wallets["mallory"]
        with (
            PanelClient(url, mallory.signers[0], mallory.address) as stranger,
            pytest.raises(AgentRefused) as first,
        ):
            stranger.leave(claimed, parcel)
        with (
            PanelClient(url, shop.buyer.signer, ADDRESSES["bob"]) as client,
            pytest.raises(AgentRefused) as second,
        ):
            client.leave(Id(other), parcel)

    assert (first.value.status, second.value.status) == (404, 404)
    assert str(first.value) == str(second.value)
