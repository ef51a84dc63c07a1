"""Store and agent under two users of the system: neither can look into the other."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.services.data_agent.buying import Bought
from tests.services.data_agent.market import Market, market
from tests.services.data_agent.users import give, system_user, tried

STORE, AGENT = f"tbstore{os.getpid()}", f"tbagent{os.getpid()}"
READS_MEMORY = "open('/proc/{pid}/mem', 'rb')"


@pytest.fixture
def place() -> Iterator[Path]:
    """A folder that every user may go through."""
    found = Path(tempfile.mkdtemp(prefix="tongbao-users-"))
    found.chmod(0o755)
    yield found
    shutil.rmtree(found)


def process_of(user: str) -> int:
    """The process that a user runs."""
    found = subprocess.run(("pgrep", "-o", "-u", user), capture_output=True, text=True, check=True)
    return int(found.stdout)


@pytest.mark.needs("unshare", "setpriv", "useradd", "pgrep")
@pytest.mark.skipif(os.geteuid() != 0, reason="NOT TESTED: only root makes users")
def test_store_and_agent_are_two_users_that_can_not_read_each_other(place: Path) -> None:
    """Given both under users of their own, when one reads the other's folder or memory, then no.

    The sale goes on, since they need nothing of each other but HTTP.
    """
    with system_user(STORE), system_user(AGENT), market(place, user=STORE) as shop:
        give(shop.agent_folder, AGENT)
        shop.start(AGENT)
        sell(shop)
        for user, other, folder in (
            (STORE, AGENT, shop.agent_folder),
            (AGENT, STORE, place / "store"),
        ):
            memory = READS_MEMORY.format(pid=process_of(other))
            assert tried(user, memory) == "PermissionError"
            assert tried(user, f"import os; os.listdir({str(folder)!r})") == "PermissionError"
            assert tried(other, f"import os; os.listdir({str(folder)!r})") == ""
            assert tried(other, memory) == ""


def sell(shop: Market) -> None:
    """A sale, from a copy to rows."""
    batch = shop.committed("2026-03", [1, 2, 3])
    shop.bring(batch)
    bought = Bought(shop, shop.request(batch))
    chunks = bought.fetch()
    bought.confirm()
    assert bought.rows(chunks) == [1, 2, 3]
