"""What strangers and a bad day do to an agent that runs."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sdk.kept_chain import PASSPHRASE
from tests.services.data_agent.buying import Bought
from tests.services.data_agent.market import ADDRESSES, Market, market
from tongbao.kernel import Address
from tongbao.rights.requests import Why, request_bytes
from tongbao.sdk.signer import Signer
from tongbao.services.data_agent.heard import BUYERS_A_DAY, Refused
from tongbao.services.data_agent.program import opened
from tongbao.services.data_agent.refusals import Refusal
from tongbao.services.data_agent.stored import StoredBlobs


def test_a_sentence_in_chinese_is_heard_shown_and_granted_as_it_was_written(shop: Market) -> None:
    """
    Given requests whose sentences are Chinese in part, and alone,
    when bob orders by them,
    then alice reads them as they were written, the receipt has them, and the agent goes on.
    """
    for words in ("看看吃多少鸡蛋 (eggs)", "研究鸡蛋"):
        bought = Bought(shop, shop.request(shop.march, why=Why(words)))
        shop.reach(bought.order, "sealed")
        with shop.asking("alice") as client:
            lines = client.get("/v1/requests").json()["requests"]
        assert lines[-1]["request"]["why"] == words
        chunks = bought.fetch()
        bought.confirm()
        assert bought.rows(chunks) == [1, 2, 3]


class Fickle(StoredBlobs):
    """A store that gives other bytes the second time that it is asked for the same."""

    def __init__(self, url: str, space: Signer) -> None:
        """Nothing was asked for."""
        super().__init__(url, space)
        self._given: set[tuple[str, int]] = set()

    def get(self, name: str, first: int, count: int) -> bytes:
        """The right bytes, once."""
        found = super().get(name, first, count)
        if (name, first) in self._given:
            return bytes(len(found))
        self._given.add((name, first))
        return found


def test_a_store_that_lies_the_second_time_ends_no_agent(shop: Market) -> None:
    """
    Given copies that are too long to be kept in memory, and a store that gives them right once,
    when an order of them is sealed,
    then it is refused as if a copy were missing, and sealed once the store says the truth.
    """
    months = [shop.committed(month, [1] * 9_000) for month in ("2024-01", "2024-02", "2024-03")]
    assert [shop.bring(each).status_code for each in months] == [200] * 3
    bought = Bought(shop, shop.request(*months), orders=False)
    shop.end()
    bought.place()
    with opened(shop.agent_folder, PASSPHRASE, blobs=Fickle) as agent:
        agent.api.selling.consider(bought.order)
        row = agent.api.selling.row(bought.order)
    assert row is not None and row["refused"] == Refusal.COPY_IS_MISSING.number
    shop.start()
    assert shop.reach(bought.order, "sealed").chunks


def test_strangers_crowd_out_no_buyer(tmp_path: Path) -> None:
    """
    Given as many requests of accounts that are no enterprises as are taken in a day,
    when one more of those and a registered buyer ask,
    then that one is refused, and the buyer is heard.
    """
    with market(tmp_path) as found:
        found.start()
        march = found.committed("2026-03", [1])
        assert found.bring(march).status_code == 200
        found.end()
        with opened(found.agent_folder, PASSPHRASE) as agent:
            hear = agent.api.requests.hear

            def strange(number: int) -> Refusal:
                buyer = Address(f"{number:040x}")
                asked = found.request(march, buyer=buyer, why=Why(f"number {number}"))
                with pytest.raises(Refused) as told:
                    hear(buyer, request_bytes(asked))
                return told.value.why

            assert strange(1) is Refusal.BUYER_IS_NOT_REGISTERED
            with agent.api.journal.writing() as file:
                file.executemany(
                    "INSERT INTO asked (hash, owner, buyer, terms, at, refused)"
                    " SELECT ?, owner, buyer || ?, terms, at, refused FROM asked WHERE number = 1",
                    [(f"{number:064x}", number) for number in range(1, BUYERS_A_DAY)],
                )
            assert strange(2) is Refusal.TOO_MANY_REQUESTS
            assert hear(ADDRESSES["bob"], request_bytes(found.request(march)))
