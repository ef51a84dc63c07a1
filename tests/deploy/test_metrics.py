"""What alerts and dashboard ask for is what the two processes really tell."""

from __future__ import annotations

import urllib.request
from pathlib import Path
from typing import Any, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.deployed import DEPLOY, alert_rules, asked_metrics, dashboard, metrics_of
from tests.deploy.running import SECONDS, prometheus, two_nodes
from tests.node.conftest import serving
from tongbao.node.metrics import Metrics

BUILT_IN: Final = {"up"}


def told(address: str) -> set[str]:
    """The metrics that a process tells at an address."""
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=SECONDS) as answer:
        text = answer.read().decode()
    return {
        sample.name.removesuffix("_bucket").removesuffix("_sum").removesuffix("_count")
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_cometbft_tells_every_metric_of_its_own_that_is_asked_for(tmp_path: Path) -> None:
    """
    Given two real CometBFT processes that make blocks together,
    when their metrics are read,
    then both together tell all that alerts and panels ask for, under the same names.
    """
    asked = {name for name in asked_metrics() if not name.startswith("tongbao_")} - BUILT_IN
    assert len(asked) > 10
    with two_nodes(tmp_path) as addresses:
        known = set().union(*map(told, addresses))
    assert asked - known == set()


def test_the_node_tells_every_metric_of_its_own_that_is_asked_for() -> None:
    """
    Given the metrics of a node,
    when those of alerts and panels are looked up among them,
    then each is there.
    """
    ours = set()
    for metric in Metrics().registry.collect():
        ours.add(f"{metric.name}_total" if metric.type == "counter" else metric.name)
    asked = {name for name in asked_metrics() if name.startswith("tongbao_")}
    assert len(asked) > 5
    assert asked - ours == set()


@pytest.mark.needs("prometheus")
def test_a_real_prometheus_finds_data_for_every_panel_and_rule(tmp_path: Path) -> None:
    """
    Given a node, two real CometBFT, and a Prometheus with our configuration, at their addresses,
    when it has scraped all for a few seconds,
    then each panel of the dashboard has data for what it asks, and every rule can be evaluated.
    """
    config = (DEPLOY / "prometheus/prometheus.yml").read_text(encoding="utf-8")
    rules = (DEPLOY / "prometheus/rules.yml").read_text(encoding="utf-8")
    (tmp_path / "rules.yml").write_text(rules)
    with serving() as served, two_nodes(tmp_path) as addresses:
        node = served.address.removeprefix("http://")
        config = config.replace("127.0.0.1:8632", node).replace("127.0.0.1:26660", addresses[1])
        (tmp_path / "prometheus.yml").write_text(config.replace("15s", "500ms"))
        served.client.get("/v1", headers={"host": "somewhere.example"})
        with prometheus(tmp_path / "prometheus.yml") as source:
            assert [
                expression
                for expression in panel_expressions()
                if not source.wait_for("query", has_data, query=expression)
            ] == []
            rules_read = source.wait_for("rules", all_evaluated)["groups"]
    evaluated = [rule for group in rules_read for rule in group["rules"]]
    assert [rule for rule in evaluated if rule["health"] != "ok"] == []
    names = {rule["name"] for rule in evaluated}
    assert names == {rule["alert"] for rule in alert_rules()}


def panel_expressions() -> list[str]:
    """What the panels ask, of the one chain and all nodes."""
    return [
        target["expr"].replace("$chain", "my-chain").replace("$node", ".*")
        for panel in dashboard()["panels"]
        for target in panel.get("targets", ())
    ]


def has_data(data: Any) -> bool:
    """Whether a query has found anything."""
    return bool(data["result"])


def all_evaluated(data: Any) -> bool:
    """Whether every rule has had its turn."""
    return all(rule["health"] != "unknown" for group in data["groups"] for rule in group["rules"])


@pytest.mark.parametrize(
    ("expression", "names"),
    [
        ('up{job="tongbao"} == 0', {"up"}),
        ("rate(tongbao_requests_total{a=~'b'}[1m])", {"tongbao_requests_total"}),
        ("sum by (le) (x_bucket) / tongbao_request_seconds_bucket", {"tongbao_request_seconds"}),
        ("max by (chain, node) (cometbft_a) - cometbft_b > 10", {"cometbft_a", "cometbft_b"}),
    ],
)
def test_the_metrics_of_an_expression_are_found(expression: str, names: set[str]) -> None:
    """Given an expression, when its metrics are looked for, then it is these."""
    assert metrics_of(expression) == names


def test_the_dashboard_is_one_that_grafana_can_read() -> None:
    """
    Given the dashboard,
    when its panels are read,
    then each has an id of its own, a place that no other has and that fits the width, a title, a
    description and expressions; all ask the same source, which the reader chooses.
    """
    shown = dashboard()
    assert (shown["uid"], shown["title"]) == ("tongbao", "Tongbao")
    assert shown["schemaVersion"] >= 39
    panels = shown["panels"]
    assert sorted(panel["id"] for panel in panels) == list(range(1, len(panels) + 1))
    taken: set[tuple[int, int]] = set()
    for panel in panels:
        place = panel["gridPos"]
        assert place["x"] + place["w"] <= 24
        cells = {
            (place["x"] + across, place["y"] + down)
            for across in range(place["w"])
            for down in range(place["h"])
        }
        assert not cells & taken, panel["title"]
        taken |= cells
        assert panel["title"]
        if panel["type"] != "row":
            assert panel["description"] and panel["targets"]
            letters = [target["refId"] for target in panel["targets"]]
            assert letters == sorted(set(letters))
            sources = [panel["datasource"], *(one["datasource"] for one in panel["targets"])]
            assert all(source["uid"] == "${source}" for source in sources)
    names = [variable["name"] for variable in shown["templating"]["list"]]
    assert names == ["source", "chain", "node"]
