"""A real node, of one process and of several, whose index is in a real PostgreSQL server."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.node.process import Node, lay, run_to_end
from tests.postgresql_server import running_server
from tests.sdk.kept_chain import CNY

PAYMENTS = 5
SECRET = "open-sesame-4711"


@pytest.mark.parametrize("processes", ["1", "2"])
def test_a_node_answers_out_of_postgresql_and_goes_on_without_it(
    tmp_path: Path, processes: str
) -> None:
    """
    Given a node whose index is in PostgreSQL,
    when the server ends and comes back while payments go on,
    then payments are taken all the time, history says 503 meanwhile, and then has all of it.
    """
    ground = lay(tmp_path / "chain")
    with running_server() as server:
        flags = ("--port", "0", "--index", server.database(), "--processes", processes)
        node = Node(ground.folder, *flags, "--wait-ms", "2000")
        path = f"/v1/accounts/{ground.shop}/statement"

        def statement(height: int) -> tuple[int, list[str]]:
            asked = {"asset": CNY, "min_height": str(height)}
            answer = node.client.get(path, params=asked)
            found = answer.json()
            return answer.status_code, [one["amount"] for one in found.get("movements", ())]

        def pay(first: int) -> int:
            heights = []
            for nonce in range(first, first + PAYMENTS):
                answer = node.send(ground.payment(0, nonce))
                assert answer.status_code == 200, answer.text
                heights.append(int(answer.json()["height"]))
            return heights[-1]

        try:
            assert statement(pay(1)) == (200, ["0.01"] * PAYMENTS)
            server.stop()
            height = pay(1 + PAYMENTS)
            assert statement(height) == (503, [])
            server.start()
            found = (503, [""])
            while found[0] == 503:
                found = statement(height)
            assert found == (200, ["0.01"] * 2 * PAYMENTS)
        finally:
            assert node.stop() == 0
    assert not (ground.folder / "index.sqlite").exists()


def test_a_password_in_the_setting_is_refused_and_never_told(tmp_path: Path) -> None:
    """
    Given a setting with a password in the index's address,
    when a node is to run,
    then it ends with what to do instead, and nowhere says the password.
    """
    ground = lay(tmp_path / "chain")
    ended = run_to_end(ground.folder, "--index", f"postgresql://owner:{SECRET}@localhost/ledger")

    assert ended.returncode == 78
    assert "PGPASSFILE" in ended.stderr
    assert SECRET not in ended.stdout + ended.stderr
