"""The buyer in TypeScript among real processes: it claims what is faulty, and may be killed."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.clients.data_buying import built, command
from tests.sdk.data import market as claims
from tests.sdk.data.lying_agent import Sold, agent, spoiled
from tests.sdk.data.panels import panels
from tests.services.data_agent.market import ADDRESSES, market
from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.rights.batch import Batch

pytestmark = pytest.mark.needs("node", "npm")

KILLED = Path(__file__).with_name("data_buyer_killed.mjs")
KILLS = 15
"""Records and answers of a purchase; it has to be started once more than that."""
CLAIMED, BROKEN = 65, 1
DECIDE = 2
"""Votes that decide: the third adjudicator may not be asked any more."""
DELETION_BOND = 500
"""Cents that come back when what was bought is deleted."""


def one_row_less(batch: Batch) -> Batch:
    """The same month with a row left out."""
    return replace(batch, rows=batch.rows[:-1])


def another_value(batch: Batch) -> Batch:
    """The same month with a value altered."""
    first = batch.rows[0]
    return replace(batch, rows=(replace(first, values=(first.values[0], 77)), *batch.rows[1:]))


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A market with a panel."""
    with claims.market(tmp_path_factory.mktemp("claims") / "chain") as found:
        found.attest("2026-03", 5)
        yield found


@pytest.mark.parametrize(
    ("spoil", "verdict"),
    [(one_row_less, "ROWS_ARE_MISSING"), (another_value, "ROW_IS_NOT_COMMITTED")],
)
def test_it_claims_a_faulty_package_and_a_panel_gives_its_money_back(
    tmp_path: Path, shop: claims.Market, spoil: Callable[[Batch], Batch], verdict: str
) -> None:
    """
    Given an agent that has sealed something else than was committed to,
    when the buyer has judged it,
    then it claims and brings the evidence, and three programs of adjudicators uphold it.
    """
    before = shop.held("bob")
    with agent(shop) as (lying, urls), panels(shop, tmp_path) as places:
        address = urls[claims.ADDRESSES["carol"]]
        words = command(tmp_path, shop.address, address, claims.ADDRESSES, panel=places)
        buying = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        order = ordered(buying)
        lying.seal(order, [spoil(shop.batches[name]) for name in shop.row(order).batches])
        shop.await_phase(order, "confirmed")
        lying.reveal(order)
        printed, said = buying.communicate(timeout=60)
        assert (buying.returncode, printed) == (CLAIMED, f"data_buyer: 0 rows, {verdict}\n"), said
        assert shop.await_phase(order, "upheld", "rejected") == "upheld"
    assert said.count("evidence is with") >= DECIDE
    assert shop.held("bob") == before - DELETION_BOND


def ordered(buying: subprocess.Popen[str]) -> str:
    """The order of a buyer, once it has told it."""
    assert buying.stderr is not None
    for line in buying.stderr:
        if line.startswith("ordered: "):
            return line.split()[1]
    raise AssertionError("it has ordered nothing")


class Spoiling(dict[str, Sold]):
    """What an agent delivers in the place of what it has sealed, from the first moment."""

    def __init__(self, what: str) -> None:
        """Spoil one part of each."""
        super().__init__()
        self.what = what

    def __setitem__(self, order: str, sold: Sold) -> None:
        """Have something else ready."""
        bad: dict[str, dict[str, Any]] = {
            "chunk": {"chunks": [bytes([sold.chunks[0][0] ^ 1]) + sold.chunks[0][1:]]},
            "envelope": {"envelope": sold.envelope[:-1] + bytes([sold.envelope[-1] ^ 1])},
            "receipt": {"receipt": sold.receipt.replace(b"20.00", b"10.00")},
        }
        super().__setitem__(order, spoiled(sold, **bad[self.what]))


@pytest.mark.parametrize("what", ["chunk", "envelope", "receipt"])
def test_it_does_not_confirm_what_was_not_sealed(
    tmp_path: Path, shop: claims.Market, what: str
) -> None:
    """
    Given a sealed order,
    when the agent delivers another chunk, envelope or receipt,
    then the buyer says so, and confirms nothing.
    """
    with agent(shop) as (lying, urls):
        words = command(tmp_path, shop.address, urls[claims.ADDRESSES["carol"]], claims.ADDRESSES)
        buying = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        order = ordered(buying)
        lying.sold = Spoiling(what)
        lying.seal(order)
        buying.communicate(timeout=60)
    assert (buying.returncode, shop.phase(order)) == (BROKEN, "sealed")
    shop.send("alice", data.WithdrawOrder(order=Id(order)))


def test_an_offer_that_is_withdrawn_after_the_seal_stops_no_purchase(
    tmp_path: Path, shop: claims.Market
) -> None:
    """
    Given a sealed order whose offer is gone before the buyer has its receipt,
    when the buyer checks the receipt,
    then it confirms: the ledger held the order to the offer at the seal.
    """
    offer = Id(shop.send("alice", claims.offer("store")))
    with agent(shop) as (lying, urls):
        shop.offers["store"] = offer
        address = urls[claims.ADDRESSES["carol"]]
        words = command(tmp_path, shop.address, address, claims.ADDRESSES, mode="store")
        buying = subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        order = ordered(buying)
        withheld = Withheld()
        lying.sold = withheld
        lying.seal(order)
        shop.send("alice", data.WithdrawOffer(offer=offer))
        withheld.is_ready = True
        shop.await_phase(order, "confirmed")
        lying.reveal(order)
        printed, said = buying.communicate(timeout=60)
    assert buying.returncode == 0, said
    assert printed.splitlines()[-1] == "data_buyer: 5 rows, OK"


class Withheld(dict[str, Sold]):
    """What an agent has sealed, and does not deliver until it is told to."""

    is_ready = False

    def __contains__(self, order: object) -> bool:
        """Whether it delivers an order."""
        return self.is_ready and super().__contains__(order)


def test_a_buyer_that_is_killed_after_every_effect_buys_once(tmp_path: Path) -> None:
    """
    Given a real agent and store,
    when the buyer is killed after each record and each answer, and started again,
    then there is one order, it is settled, and the rows are there until it deletes them.
    """
    died = tmp_path / "died"
    died.touch()
    with market(tmp_path) as shop:
        address = shop.start().address
        shop.bring(shop.committed("2026-03", [1, 2, 3])).raise_for_status()
        words = command(tmp_path, shop.node, address, ADDRESSES)
        wanted, key, folder = words[-3:]
        killed = ("node", "--no-warnings", str(KILLED), str(built()), wanted, key, folder)
        codes, printed = list[int](), ""
        while not codes or codes[-1] == -signal.SIGKILL:
            assert len(codes) <= KILLS, died.read_text()
            ended = subprocess.run(
                (*killed, str(died)), stdout=subprocess.PIPE, text=True, check=False, timeout=60
            )
            codes.append(ended.returncode)
            printed = ended.stdout
        rows = shop.chain.query(data.bought, ADDRESSES["bob"]).rows
        for _ in range(2):
            subprocess.run((*words, "--delete"), check=True, stdout=subprocess.DEVNULL)
        licences = shop.chain.query(data.licensed_to, ADDRESSES["bob"]).rows
        left = {one.name for one in Path(folder).iterdir()}
    assert json.loads(printed) == {
        "verdict": "OK",
        "rows": [{"count": 1}, {"count": 2}, {"count": 3}],
    }
    assert [row.phase for _, row in rows] == ["settled"]
    assert not licences and "deletion" in left and not left & {"package", "a", "secret"}
    names = died.read_text().split("\n")
    assert {f"kept {name}.jws" for name in ("order", "confirm", "accept")} <= set(names)
