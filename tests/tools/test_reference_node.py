"""The reference of the HTTP interface names parameters as requests name them."""

from __future__ import annotations

from tongbao.modules.registry import registry
from tools.reference import table
from tools.reference_node import http_page


def test_parameters_are_named_as_requests_name_them() -> None:
    """
    Given operations whose parameters bear other names in Python than in requests,
    when the page of the HTTP interface is written,
    then it names those that requests are read by.
    """
    rows = http_page(registry(), table).splitlines()
    named = {row.split(" | ")[1]: row.split(" | ")[2] for row in rows if row.startswith("| GET")}
    address = "`/v1/accounts/{address}"
    assert named[f"{address}/statement`"] == "`asset`, `from`, `to`, `after`, `limit`, `min_height`"
    assert named[f"{address}/export`"] == "`asset`, `from`, `to`, `format`, `min_height`"
    assert named[f"{address}/bundle`"] == "`asset`, `from`, `to`, `min_height`"
