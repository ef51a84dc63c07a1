"""What strangers and a bad day do to an agent that runs."""

from __future__ import annotations

from tests.services.data_agent.buying import Bought
from tests.services.data_agent.market import Market
from tongbao.rights.requests import Why


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
