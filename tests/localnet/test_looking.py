"""The table of a local network costs its nodes little."""

from __future__ import annotations

from pathlib import Path

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tongbao.localnet.network import Network
from tongbao.localnet.plan import Member


def asked(member: Member) -> int:
    """How often a node was asked for its chain, `GET /v1`."""
    text = httpx2.get(f"{member.address}/metrics").text
    return sum(
        int(sample.value)
        for family in text_string_to_metric_families(text)
        for sample in family.samples
        if sample.name == "tongbao_requests_total" and sample.labels["operation"] == "chain"
    )


def test_each_look_asks_every_node_once(tmp_path: Path) -> None:
    """
    Given a local network of two nodes,
    when its table is looked at three times,
    then each was asked for its chain three times, the first one once more each time for what power
    each has; and both are shown with theirs.
    """
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    with Network.open_or_begin(tmp_path / "net", 2, "net", lambda text: None) as network:
        members = network.up()
        before = [asked(member) for member in members]
        seen = [network.look() for _ in range(3)]
        times = [asked(each) - start for each, start in zip(members, before, strict=True)]
        assert times == [6, 3]
        assert [each.power for both in seen for each in both] == [1] * 6
