"""`tongbao data-agent` from its folder's beginning to what it tells of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.node.process import ENVIRONMENT
from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tests.services.data_agent.buying import Bought
from tests.services.data_agent.looking import until_step
from tests.services.data_agent.market import ADDRESSES, Market, market
from tongbao.modules import data
from tongbao.sdk.keystore import Keystore
from tongbao.services.data_agent.refusals import Refusal
from tongbao.testing.keys import named_key


def tongbao(*words: str) -> tuple[int, str]:
    """The exit code of a command, and its answer."""
    program = str(Path(sys.executable).with_name("tongbao"))
    found = subprocess.run(
        (program, "data-agent", *words),
        env=ENVIRONMENT,
        capture_output=True,
        text=True,
        check=False,
    )
    return found.returncode, found.stdout or found.stderr


def answered(*words: str) -> Any:
    """The JSON object that a command prints."""
    code, text = tongbao(*words, "--json")
    assert code == 0, text
    return msgspec.json.decode(text)


def test_an_agent_is_begun_run_and_looked_at_by_commands(tmp_path: Path) -> None:
    """Given a key in a keystore, when an agent is begun and sells, then commands tell of it."""
    with market(tmp_path) as shop:
        folder = str(tmp_path / "chain")
        Keystore(tmp_path / "chain/keys", CHEAP).store("carol", named_key("carol").seed, PASSPHRASE)
        shop.agent_folder = tmp_path / "begun"
        agent = ("--agent", str(shop.agent_folder))
        where = ("--folder", folder, "--node", shop.node, "--store", shop.store)
        whose = ("--account", ADDRESSES["carol"], "--key", "carol")
        told = answered("init", *agent, *whose, *where)
        assert (told["account"], len(told["space"])) == (ADDRESSES["carol"], 64)
        code, text = tongbao("init", *agent, *whose, *where)
        assert code == 66 and "is an agent's already" in text
        assert tongbao("status", *agent) == (0, shown(shop))
        shop.start()
        march = shop.committed("2026-03", [1, 2, 3])
        shop.bring(march)
        bought = Bought(shop, shop.request(march))
        shop.ask(shop.request(march, mode=data.Mode("store")))
        until_step(shop, bought.order, "sealed")
        assert answered("status", *agent)["orders"] == {"sealed": 1}
        (copy,) = answered("copies", *agent)["copies"]
        assert (copy["batch"], copy["owner"], copy["erased_at"]) == (
            march,
            ADDRESSES["alice"],
            None,
        )
        asked = answered("requests", *agent, "--owner", ADDRESSES["alice"])["requests"]
        numbers = [line["refused"] for line in asked]
        assert numbers == [0, Refusal.MODE_IS_NOT_OFFERED.number]
        assert answered("requests", *agent, "--owner", ADDRESSES["bob"])["requests"] == []
        assert tongbao("requests", *agent)[1].splitlines()[-1] == "2 requests, 1 refused"
        assert shop.agent is not None and shop.agent.stop() == 0


def shown(shop: Market) -> str:
    """What `status` prints before anything has happened."""
    return (
        f"account  {ADDRESSES['carol']}\nnode     {shop.node}\nstore    {shop.store}\n"
        "cursor   -\norders   {}\nno order yet\n"
    )


@pytest.mark.parametrize("command", ["run", "copies", "requests", "status"])
def test_a_folder_that_is_none_is_refused_with_what_to_do(tmp_path: Path, command: str) -> None:
    """Given an empty folder, when any command is given it, then it says how one is made."""
    code, text = tongbao(command, "--agent", str(tmp_path))
    assert code == 66
    assert "`tongbao data-agent init` makes one" in text
