"""The guide for clients of one's own: its Python lines do what the page says."""

from __future__ import annotations

from pathlib import Path
from runpy import run_path
from typing import Final

from tests.node.process import lay, running

GUIDE: Final = Path(__file__).parents[2] / "docs" / "send-over-http.md"


def test_the_guide_s_lines_send_and_know_what_it_came_to(tmp_path: Path) -> None:
    """
    Given the lines of the guide and a node,
    when payments are sent in a batch and over a WebSocket, and then the same bytes again,
    then all are applied once; of the bytes sent again the nonce was used, and asking by the id
    tells where they happened; one that was never sent is unknown, and may still happen.
    """
    lines = tmp_path / "client.py"
    lines.write_text(GUIDE.read_text().split("```python\n")[1].split("```")[0])
    client = run_path(str(lines))
    ground = lay(tmp_path / "chain")
    with running(ground.folder, "--log-level", "warning") as node:
        first, second, unsent = (
            [ground.payment(0, nonce).decode() for nonce in nonces]
            for nonces in ((1, 2), (3, 4), (5,))
        )
        applied = client["batch"](node.address, first) + client["stream"](node.address, second)
        again = client["batch"](node.address, first) + client["stream"](node.address, second)
        found = [client["outcome"](node.address, jws) for jws in (*first, *second)]
        never = client["outcome"](node.address, unsent[0])
        assert node.stop() == 0
    assert [one["state"] for one in applied] == ["applied"] * 4
    assert [(one["state"], one["number"]) for one in again] == [("invalid", 15)] * 4
    places = [(one["state"], one["height"]) for one in applied]
    assert [(one["state"], one["height"]) for one in found] == places
    assert never["state"] == "unknown"
    assert not never.get("never", False)
