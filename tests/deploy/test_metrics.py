"""What alerts and dashboard ask for is what the two processes really tell."""

from __future__ import annotations

import re
import socket
import subprocess
import threading
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Final

import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.deploy.deployed import asked_metrics, dashboard, metrics_of
from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tongbao.node.metrics import Metrics

SECONDS: Final = 60
BLOCK: Final = re.compile(r"received complete proposal block.*height=([3-9]|\d\d)")
BUILT_IN: Final = {"up"}


def free_addresses(count: int) -> list[str]:
    """Addresses that nobody listens on."""
    sockets = [socket.socket() for _ in range(count)]
    for one in sockets:
        one.bind(("127.0.0.1", 0))
    ports = [one.getsockname()[1] for one in sockets]
    for one in sockets:
        one.close()
    return [f"127.0.0.1:{port}" for port in ports]


def configure(home: Path, p2p: str, metrics: str) -> None:
    """Switch a fresh node's metrics on, and let it listen on these addresses alone."""
    file = home / "config" / "config.toml"
    text = file.read_text()
    for old, new in (
        ("prometheus = false", "prometheus = true"),
        ('prometheus_listen_addr = ":26660"', f'prometheus_listen_addr = "{metrics}"'),
        ('laddr = "tcp://127.0.0.1:26657"', 'laddr = "tcp://127.0.0.1:0"'),
        ('laddr = "tcp://0.0.0.0:26656"', f'laddr = "tcp://{p2p}"'),
        ("addr_book_strict = true", "addr_book_strict = false"),
        ("allow_duplicate_ip = false", "allow_duplicate_ip = true"),
        ('timeout_commit = "1s"', 'timeout_commit = "100ms"'),
    ):
        assert old in text, old
        text = text.replace(old, new)
    file.write_text(text)


def read(output: IO[str], reached: threading.Event) -> None:
    """Read what a node logs to its end, and tell when it has seen a third block."""
    with output:
        for line in output:
            if BLOCK.search(line):
                reached.set()
    reached.set()


@contextmanager
def two_nodes(folder: Path) -> Iterator[tuple[str, ...]]:
    """A validator and a node that follows it, with CometBFT's own example application."""
    p2p, *metrics = free_addresses(3)
    first, second = folder / "first", folder / "second"
    for home in (first, second):
        subprocess.run([PROGRAM, "init", "--home", home], check=True, capture_output=True)
    genesis = Path("config") / "genesis.json"
    (second / genesis).write_text((first / genesis).read_text())
    shown = subprocess.run(
        [PROGRAM, "show-node-id", "--home", first], check=True, capture_output=True, text=True
    )
    configure(first, p2p, metrics[0])
    configure(second, "127.0.0.1:0", metrics[1])
    peers = ["--p2p.persistent_peers", f"{shown.stdout.strip()}@{p2p}"]
    running: list[subprocess.Popen[str]] = []
    readers: list[threading.Thread] = []
    events: list[threading.Event] = []
    try:
        for home, more in ((first, []), (second, peers)):
            command = [str(PROGRAM), "start", "--home", str(home), "--proxy_app", "kvstore", *more]
            node = subprocess.Popen(
                command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
            )
            running.append(node)
            assert node.stdout is not None
            events.append(threading.Event())
            readers.append(threading.Thread(target=read, args=(node.stdout, events[-1])))
            readers[-1].start()
        assert [event.wait(SECONDS) for event in events] == [True, True]
        assert [node.poll() for node in running] == [None, None]
        yield tuple(metrics)
    finally:
        for node in running:
            node.kill()
            node.wait(SECONDS)
        for reader in readers:
            reader.join(SECONDS)


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
    then each one tells all that alerts and panels ask for, under the same names.
    """
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    asked = {name for name in asked_metrics() if not name.startswith("tongbao_")} - BUILT_IN
    assert len(asked) > 10
    with two_nodes(tmp_path) as addresses:
        assert [asked - told(address) for address in addresses] == [set(), set()]


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
