"""An old copy of the agent's folder is brought back; and what lies on disks tells nothing."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path

from tests.modules.data_steps import COUNT
from tests.services.data_agent.buying import Bought
from tests.services.data_agent.looking import until_over, until_tidy
from tests.services.data_agent.market import market
from tests.services.data_agent.test_owners import there, until_gone
from tongbao.modules import data
from tongbao.services.data_agent.folder import VAULT

CANARY = 7_351_864_290_118_437
"""A count that comes about in no other way."""


def copies_in(folder: Path) -> int:
    """How many keys of copies a vault has."""
    return sum(path.name.startswith("copy-") for path in (folder / VAULT).iterdir())


def test_a_backup_of_the_folder_brings_no_erased_copy_back(tmp_path: Path) -> None:
    """Given a backup with copies, when they were erased since and it is restored, then they go.

    One copy was deleted by its owner, one batch was retired, and one copy is there still.
    """
    with market(tmp_path) as shop:
        shop.start()
        deleted, retired, kept = (shop.committed(f"2026-0{month}", [1]) for month in (1, 2, 3))
        for name in (deleted, retired, kept):
            shop.bring(name)
        shop.end()
        backup = tmp_path / "backup"
        shutil.copytree(shop.agent_folder, backup)
        assert copies_in(backup) == 3
        shop.start()
        with shop.asking("alice") as client:
            assert client.delete(f"/v1/copies/{deleted}").status_code == 200
        shop.send("alice", data.Retire(batch=retired))
        until_gone(shop, retired)
        until_tidy(shop)
        shop.end()
        shutil.rmtree(shop.agent_folder)
        shutil.copytree(backup, shop.agent_folder)
        shop.start()
        until_gone(shop, retired)
        assert there(shop) == {kept: [COUNT]}
        until_tidy(shop)
        assert copies_in(shop.agent_folder) == 1


def test_a_backup_from_before_an_order_uses_no_halves_again(tmp_path: Path) -> None:
    """Given an order sealed after a backup, when that is restored, then it lapses or is cancelled.

    The agent does not know its b any more: it says nothing wrong, and sells on.
    """
    with market(tmp_path) as shop:
        shop.start()
        march = shop.committed("2026-03", [1])
        shop.bring(march)
        shop.end()
        backup = tmp_path / "backup"
        shutil.copytree(shop.agent_folder, backup)
        shop.start()
        lost = Bought(shop, shop.request(march))
        lock = shop.reach(lost.order, "sealed").b_lock
        shop.end()
        shutil.rmtree(shop.agent_folder)
        shutil.copytree(backup, shop.agent_folder)
        shop.start()
        shop.send("bob", data.CancelOrder(order=lost.order))
        sold = Bought(shop, shop.request(march))
        assert shop.reach(sold.order, "sealed").b_lock != lock
        chunks = sold.fetch()
        sold.confirm()
        assert sold.rows(chunks) == [1]


def test_no_value_is_on_a_disk_or_in_a_log(tmp_path: Path) -> None:
    """Given a sale of a rare number, when all files and logs are read, then it is in none.

    It is looked for as a text, in hex, base64 at each place, and UTF-16.
    """
    with market(tmp_path) as shop:
        shop.start()
        march = shop.committed("2026-03", [CANARY])
        shop.bring(march)
        bought = Bought(shop, shop.request(march))
        chunks = bought.fetch()
        bought.confirm()
        assert bought.rows(chunks) == [CANARY]
        looked = b"".join(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())
        assert shop.agent is not None
        looked += shop.agent.text().encode()
        assert [name for name, needle in needles().items() if needle in looked] == []
        shop.send("bob", data.Accept(order=bought.order))
        until_over(shop, bought.order, "settled")


def needles() -> dict[str, bytes]:
    """The canary in the spellings in which it might lie about."""
    text = str(CANARY)
    plain = text.encode()
    found = {"text": plain, "hex": plain.hex().encode(), "utf-16": text.encode("utf-16-le")}
    found["integer"] = CANARY.to_bytes(8, "big")
    for shift in range(3):
        spelled = base64.b64encode(b"\0" * shift + plain)
        found[f"base64 {shift}"] = spelled[4:-4]
    return found
