"""An adjudicator's program: killed around a vote, started again, and with keys that grow old."""

from __future__ import annotations

import errno
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx2
import pytest

from tests.sdk.data.market import ADDRESSES, Market, market
from tests.sdk.data.panels import PASSPHRASE, panel_folder, sitting
from tests.sdk.data.shop import Shop, begun
from tongbao.kernel import Id
from tongbao.modules import data
from tongbao.sdk.exchange_keys import ledger_exchange_key
from tongbao.sdk.http import HttpChain
from tongbao.services.data_panel.cases import KEPT_MS, KEY_MS, Case, PanelFolder, PanelIsBusy
from tongbao.services.data_panel.panel import Finding, Panel
from tongbao.services.data_panel.program import working
from tongbao.testing.keys import named_key

REJECTED = data.Verdict("rejected")


@pytest.fixture(scope="module")
def calm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Market]:
    """A market in which no deadline passes."""
    with market(tmp_path_factory.mktemp("calm") / "chain") as found:
        yield found


@pytest.fixture
def shop(tmp_path: Path, calm: Market) -> Iterator[Shop]:
    """Bob and carol's agent."""
    with begun(calm, tmp_path) as found:
        yield found


def claimed(shop: Shop) -> str:
    """An order that bob has claimed in spite of a right package."""
    order = shop.revealed()
    shop.buyer.claim(order, in_spite=True)
    return order


@pytest.mark.parametrize("sent", [False, True])
def test_a_vote_that_was_written_down_is_sent_once(shop: Shop, tmp_path: Path, sent: bool) -> None:
    """
    Given an adjudicator that was killed after a vote was written down, or even sent,
    when its program goes on, twice,
    then the vote is counted once, and nothing is under way.
    """
    order, wallet = claimed(shop), shop.market.wallets["ann"]
    transaction = wallet.build(data.Vote(order=Id(order), verdict=REJECTED))
    if sent:
        wallet.settle(transaction)
    with panel_folder(tmp_path / "ann") as folder:
        folder.keep(Case(order=order, vote="rejected", transaction=transaction.decode()))
        panel = Panel(shop.market.chain, wallet, folder)
        panel.work()
        panel.work()
        case = folder.case(order)
    row = shop.market.row(order)

    assert case is not None and (case.vote, case.transaction) == ("rejected", "")
    assert row.votes[row.panel.index(ADDRESSES["ann"])] == REJECTED
    assert row.votes.count(REJECTED) == 1


def test_a_program_that_was_away_hears_of_its_cases(shop: Shop, tmp_path: Path) -> None:
    """
    Given a claim made while an adjudicator's program was off,
    when it starts, and evidence comes,
    then it votes; and the evidence is destroyed once the claim is decided.
    """
    before = shop.market.chain.head().height
    order = claimed(shop)
    after = f"{before}.0"
    with sitting(shop.market, tmp_path, "ann", votes=True, after=after) as (panel, url):
        told = shop.buyer.show_panel(order, {ADDRESSES["ann"]: url})
        for _ in shop.market.chain.happenings("0.0", account=ADDRESSES["ann"], thing=order):
            if any(shop.market.row(order).votes):
                break
        ben = shop.market.wallets["ben"]
        ben.send(data.Vote(order=Id(order), verdict=REJECTED))
        panel.work()
        left = panel.folder.evidence(order).exists()
        case = panel.folder.case(order)

    assert told[ADDRESSES["ann"]] == "told"
    assert case is not None and (case.ended, case.ground, left) == (True, "OK", False)


def test_keys_are_renewed_kept_and_removed(shop: Shop, tmp_path: Path) -> None:
    """
    Given an adjudicator's folder,
    when time passes,
    then the key to write to is renewed at half its time; the old one is kept for a year.
    """
    with panel_folder(tmp_path / "ann") as folder:
        first = folder.secret_now(1_000)
        same, second = folder.secret_now(1_001), folder.secret_now(1_000 + KEY_MS // 2)
        known = folder.secrets()
        folder.secret_now(first.ends + KEPT_MS + 1)
        later = folder.secrets()

    assert (first, [second, first]) == (same, known)
    assert second != first and first not in later


def test_the_key_is_stated_by_the_account(shop: Shop, tmp_path: Path) -> None:
    """
    Given an adjudicator's program,
    when anybody asks who it is and for its key,
    then it says so, and the ledger confirms the signature.
    """
    chain = shop.market.chain
    with sitting(shop.market, tmp_path, "ann", votes=False) as (panel, url):
        about = httpx2.get(f"{url}/v1").json()
        statement = httpx2.get(f"{url}/v1/key").content
        key = ledger_exchange_key(chain, statement, ADDRESSES["ann"], chain.now())
        known = panel.folder.secrets()[0].public

    assert (about["account"], about["service"]) == (ADDRESSES["ann"], "tongbao-data-panel")
    assert key == known


def test_one_program_has_a_folder_and_others_may_read_it(tmp_path: Path) -> None:
    """
    Given an open folder,
    when another opens it to vote, and a third to read,
    then the second is refused, and the third is not.
    """
    with panel_folder(tmp_path / "ann") as folder:
        with pytest.raises(PanelIsBusy):
            PanelFolder.open(folder.path, PASSPHRASE)
        with PanelFolder.open(folder.path, PASSPHRASE, to_read=True) as reading:
            assert list(reading.cases()) == []


class OnBadDisk(Panel):
    """A panel whose disk is full the first time that it works."""

    failed = False
    worked: threading.Event

    def work(self) -> list[Finding]:
        """Work, the second time."""
        if not self.failed:
            self.failed = True
            raise OSError(errno.ENOSPC, "No space left on device")
        self.worked.set()
        return super().work()


def test_a_disk_that_was_full_ends_no_voting(shop: Shop, tmp_path: Path) -> None:
    """
    Given an adjudicator whose disk is full for a moment,
    when its program goes on,
    then it works again, and votes: a thread that ended would let each case run out.
    """
    with HttpChain(shop.market.address) as chain, panel_folder(tmp_path / "ann") as folder:
        panel = OnBadDisk(chain, chain.wallet(ADDRESSES["ann"], named_key("ann")), folder)
        panel.worked = threading.Event()
        with working(panel, votes=True):
            assert panel.worked.wait(60)
