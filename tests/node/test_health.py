"""What operators see: readiness with reasons, and metrics that other programs read."""

from __future__ import annotations

import time

from prometheus_client.parser import text_string_to_metric_families

from tests.node.conftest import Served
from tests.node.test_submitting import problem


def test_a_node_that_takes_nothing_says_why(served: Served) -> None:
    """
    Given a node whose engine has stopped,
    when it is asked whether it is ready, for its life, and to take a transaction,
    then it is not ready and says why, it lives, and the transaction may come later.
    """
    wire = served.fixed.pay("1.00")
    served.chain.close()
    ready = served.client.get("/readyz")

    reasons = {"ready": False, "reasons": ["the engine is closed"]}
    assert (ready.status_code, ready.json()) == (503, reasons)
    assert "\ntongbao_ready 0.0\n" in served.client.get("/metrics").text
    assert served.client.get("/livez").text == "alive\n"
    refused = served.send(wire)
    problem(refused, 503)
    assert refused.headers["retry-after"] == "1"


def test_metrics_are_read_by_others_and_name_nobody(served: Served) -> None:
    """
    Given good and bad requests of an account,
    when Prometheus's own parser reads the metrics,
    then it finds every one, and no label but the operation, the status, a bound of time and a kind.
    """
    served.send(served.fixed.pay("1.00"))
    served.client.get(f"/v1/accounts/{served.fixed.alice}")
    served.client.get(f"/{served.fixed.alice}")
    text = served.client.get("/metrics").text
    families = {family.name: family for family in text_string_to_metric_families(text)}

    clock = families["tongbao_clock_seconds"].samples[0].value
    assert abs(time.time() - clock) < 60
    assert families["tongbao_ready"].samples[0].value == 1
    labels = {name for one in families.values() for sample in one.samples for name in sample.labels}
    assert set(families) == {
        "tongbao_requests",
        "tongbao_requests_created",
        "tongbao_request_seconds",
        "tongbao_request_seconds_created",
        "tongbao_refused",
        "tongbao_height",
        "tongbao_block_time_seconds",
        "tongbao_rows",
        "tongbao_streams",
        "tongbao_queue",
        "tongbao_processes",
        "tongbao_misbehaviour",
        "tongbao_misbehaviour_created",
        "tongbao_ready",
        "tongbao_clock_seconds",
        "tongbao_disk_full",
        "tongbao_index_height",
        "tongbao_index_lag_blocks",
    }
    assert labels == {"operation", "status", "le", "kind"}
    assert served.fixed.alice not in text and "127.0.0.1" not in text
