"""What Prometheus scrapes and when it alerts, by Prometheus's own tool."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Final

import pytest
import yaml

from tests.deploy.deployed import DEPLOY, ROOT, alert_rules, ended

PROMETHEUS: Final = DEPLOY / "prometheus"
TESTS: Final = PROMETHEUS / "rules_test.yml"
needs_promtool = pytest.mark.needs("promtool")


def anchor(heading: str) -> str:
    """Where a heading is found within its page."""
    return re.sub(r"[^a-z0-9 -]", "", heading.lower()).replace(" ", "-")


@needs_promtool
@pytest.mark.parametrize("config", ["prometheus/prometheus.yml", "compose/prometheus.yml"])
def test_prometheus_takes_what_it_is_to_scrape(config: str, tmp_path: Path) -> None:
    """Given a configuration beside the rules, when checked, then it is taken and has them."""
    shutil.copy(DEPLOY / config, tmp_path)
    shutil.copy(PROMETHEUS / "rules.yml", tmp_path)
    code, says = ended("promtool", "check", "config", tmp_path / "prometheus.yml")
    assert (code, "SUCCESS: 1 rule files found" in says) == (0, True), says


@needs_promtool
def test_each_alert_fires_when_it_should_and_only_then() -> None:
    """
    Given for each alert the history of a node that is ill and of others that are not,
    when Prometheus plays them,
    then just the ill one's alert fires, with the text that its reader gets.
    """
    code, says = ended("promtool", "test", "rules", TESTS)
    assert (code, "FAILED" in says) == (0, False), says
    tested = [test["name"] for test in yaml.safe_load(TESTS.read_text(encoding="utf-8"))["tests"]]
    assert tested == [rule["alert"] for rule in alert_rules()]


@needs_promtool
def test_an_alert_with_another_threshold_is_noticed(tmp_path: Path) -> None:
    """Given the rules with one other number, when their tests run, then they fail."""
    rules = (PROMETHEUS / "rules.yml").read_text(encoding="utf-8")
    changed = rules.replace("cometbft_consensus_height) > 10", "cometbft_consensus_height) > 30")
    assert changed != rules
    (tmp_path / "rules.yml").write_text(changed)
    shutil.copy(TESTS, tmp_path)
    code, says = ended("promtool", "test", "rules", tmp_path / TESTS.name)
    assert (code, "HeightBehindPeers" in says) == (1, True), says


def test_each_alert_has_a_section_that_says_what_to_do() -> None:
    """
    Given the alerts,
    when the place is followed that each names,
    then it is a section of the page of alerts, in the order of the rules, and none is left over.
    """
    page = "docs/operate/alerts.md"
    text = (ROOT / page).read_text(encoding="utf-8")
    sections = [anchor(heading) for heading in re.findall(r"(?m)^### (.*)$", text)]
    named = [rule["annotations"]["runbook_url"] for rule in alert_rules()]
    assert named == [f"{page}#{section}" for section in sections]


def test_each_alert_says_whether_it_wakes_somebody() -> None:
    """Given the alerts, when their labels are read, then each is a page or a ticket."""
    assert {rule["labels"]["severity"] for rule in alert_rules()} == {"page", "ticket"}
