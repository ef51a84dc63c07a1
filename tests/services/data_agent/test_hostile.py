"""What strangers and a bad day do to an agent that runs."""

from __future__ import annotations

from tests.sdk.kept_chain import PASSPHRASE
from tests.services.data_agent.buying import Bought
from tests.services.data_agent.market import Market
from tongbao.rights.requests import Why
from tongbao.sdk.signer import Signer
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
