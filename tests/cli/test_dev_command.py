"""A developer's chain: people with money at once, and code that is loaded anew after each edit."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx2
import msgspec
import pytest

from tests.cli.desk import LONG_S, Desk, Running
from tongbao.cli.exits import Exit

AWARD = ("loyalty", "award", "--title", "early-bird", "--as", "shop", "--holder")


class Bench:
    """A module that one writes, and the folder of the chain on which it is tried."""

    def __init__(self, folder: Path) -> None:
        """Write the module."""
        Desk(folder).do("new", "module", "loyalty")
        self.rules = folder / "loyalty" / "src" / "loyalty" / "rules.py"
        self.chain = folder / "chain"
        module = str(folder / "loyalty")
        self.desk = Desk(folder, TONGBAO_FOLDER=str(self.chain), TONGBAO_MODULES=module)
        del self.desk.environment["TONGBAO_PASSPHRASE"]

    def edit(self, old: str, new: str) -> None:
        """Change the rules as an editor does."""
        text = self.rules.read_text()
        assert old in text
        self.rules.write_text(text.replace(old, new))

    @contextmanager
    def dev(self) -> Iterator[tuple[Running, dict[str, Any]]]:
        """`tongbao dev` on it, and what it says when it is ready."""
        words = ("dev", "--module", "loyalty", "--folder", "chain", "--port", "0", "--json")
        with self.desk.running(*words) as running:
            ready = running.json()
            assert ready["event"] == "ready", ready
            yield running, ready

    def holders(self, holder: str) -> int:
        """How many badges somebody holds."""
        return len(self.desk.do("loyalty", "held-by", "--holder", holder)["rows"])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A new module."""
    return Bench(tmp_path)


def replayed(said: dict[str, Any]) -> dict[str, Any]:
    """What a replay found."""
    assert said["event"] == "reloaded", said
    found: dict[str, Any] = said["replayed"]
    return found


def test_edited_code_plays_the_chain_again(bench: Bench) -> None:
    """
    Given a developer's chain with a badge of shop for bob,
    when the module is edited without effect, then so that the badge is refused, then back,
    then each time the same port serves the chain with the new code, and the badge is there, gone
    and there again, with what changed told; the second start goes on with all of it; and whoever
    opens the folder with code that it was not played with is told which module that is.
    """
    with bench.dev() as (dev, ready):
        names = [(each["name"], each["balance"]) for each in ready["people"]]
        assert names == [
            ("bank", "issues CNY"),
            *((name, "1000.00 CNY") for name in ("alice", "bob", "shop")),
        ]
        award = bench.desk.do(*AWARD, "bob")
        pay = ("asset", "transfer", "--asset", "CNY.bank", "--amount", "1.00", "--payee", "shop")
        paid = bench.desk.do(*pay, "--as", "alice")
        assert (award["height"], paid["height"]) == (2, 3)

        bench.edit('"""Write the badge."""', '"""Write the badge down."""')
        same = {"blocks": 3, "transactions": 3, "changed": 0, "is_same_root": True, "examples": []}
        assert replayed(dev.json()) == same

        bench.edit("msg.holder != ctx.sender", "msg.holder == ctx.sender")
        found = replayed(dev.json())
        (changed,) = found.pop("examples")
        # Each edit is an upgrade, which the authority signs in a block of its own.
        played = {"blocks": 4, "transactions": 4, "changed": 1, "is_same_root": False}
        assert found | {"examples": []} == same | played
        assert (changed["id"], changed["before"]) == (award["id"], "applied")
        assert changed["now"].startswith("refused: loyalty.HOLDER_IS_ISSUER")
        assert bench.holders("bob") == 0

        bench.edit("msg.holder == ctx.sender", "msg.holder != ctx.sender")
        assert replayed(dev.json())["changed"] == 1
        assert bench.holders("bob") == 1
        assert httpx2.get(f"{ready['address']}/v1").json()["height"] == 6
        code, rest = dev.end()
    assert (code, len(rest)) == (0, 1)
    with bench.dev() as (dev, again):
        assert (again["chain"], again["height"]) == (ready["chain"], 6)
        assert bench.holders("bob") == 1
        assert dev.end(signal.SIGTERM)[0] == 0
    assert bench.desk.do("status")["height"] == 6
    bench.edit('"""Write the badge down."""', '"""Write one badge."""')
    refused = bench.desk.run("status")
    assert refused.returncode == Exit.CONFIGURATION
    assert "from block 7 on this chain needs module loyalty" in refused.stderr


def test_code_that_fails_leaves_the_last_good_one_serving(bench: Bench) -> None:
    """
    Given a developer's chain with a badge,
    when the module no longer parses, then fails while the chain is played, then is mended,
    then each failure is told with the file that one edits, the chain answers all the time with
    the code before, and the mended code is loaded.
    """
    with bench.dev() as (dev, ready):
        bench.desk.do(*AWARD, "bob")
        address = ready["address"]

        bench.edit("return ctx[badges].add(", "return ctx[badges].add((")
        said = dev.json()
        assert said["event"] == "failed"
        assert "SyntaxError" in said["error"]
        assert str(bench.rules) in said["trace"]
        assert httpx2.get(f"{address}/v1").json()["height"] == 2

        bench.edit("return ctx[badges].add((", "1 // 0\n    return ctx[badges].add(")
        said = dev.json()
        assert (said["event"], said["error"]) == (
            "failed",
            "ZeroDivisionError: integer division or modulo by zero",
        )
        assert str(bench.rules) in said["trace"]
        query = f"{address}/v1/loyalty/held-by"
        bob = next(each["address"] for each in ready["people"] if each["name"] == "bob")
        assert len(httpx2.get(query, params={"holder": bob}).json()["rows"]) == 1

        bench.edit("1 // 0\n    return", "return")
        said = dev.json()
        assert (said["event"], said["height"]) == ("reloaded", 2)
        assert bench.holders("bob") == 1


def test_what_an_edit_leaves_out_comes_back(bench: Bench) -> None:
    """
    Given a developer's chain with a badge,
    when an edit takes its message away, so that the transaction is left out, and the next brings
    it back,
    then the badge is there again, at the same place.
    """
    with bench.dev() as (dev, _):
        award = bench.desk.do(*AWARD, "bob")
        messages = bench.rules.with_name("messages.py")
        text = messages.read_text()
        messages.write_text(text.replace("    title: Reference\n\n\nclass Revoke", TAKEN))
        bench.edit("title=msg.title", 'title=Reference("any")')
        bench.edit("Page, View, require", "Page, Reference, View, require")
        said = dev.json()
        while said["event"] == "failed":  # an edit of two files may be seen between them
            said = dev.json()
        assert said["height"] == 3  # block 2 is empty, 3 has the upgrade
        (changed,) = replayed(said)["examples"]
        assert changed["now"].startswith("left out: kernel.PAYLOAD_IS_MALFORMED")
        messages.write_text(text)
        assert replayed(dev.json())["changed"] == 1
        shown = bench.desk.do("tx", "show", award["id"])
        assert (shown["state"], shown["height"], shown["index"]) == ("applied", 2, 0)


TAKEN = "\n\nclass Revoke"


def test_a_temporary_chain_is_gone_in_the_end(tmp_path: Path) -> None:
    """
    Given `tongbao dev` without a folder and without modules,
    when it is started and stopped by Ctrl-C,
    then it says what to try, the commands work, and its folder is gone.
    """
    desk = Desk(tmp_path)
    del desk.environment["TONGBAO_PASSPHRASE"]
    with desk.running("dev", "--port", "0") as dev:
        lines = [dev.line()]
        while not lines[-1].startswith("Ctrl-C stops"):
            lines.append(dev.line())
        (export,) = (line for line in lines if "TONGBAO_FOLDER=" in line)
        folder = Path(export.partition("=")[2])
        (transfer,) = (line for line in lines if "asset transfer" in line)
        tried = desk.program("bash", "-c", f"{export}\n{transfer}")
        assert tried.returncode == 0, tried
        (curl,) = (line for line in lines if "curl" in line and line.endswith("/v1"))
        assert httpx2.get(curl.split()[-1]).json()["height"] == 2
        code, rest = dev.end()
    assert (code, rest) == (0, ["stopped; the chain is gone"])
    assert not folder.exists()


def test_a_killed_supervisor_takes_its_worker_along(tmp_path: Path) -> None:
    """
    Given a developer's chain that is served,
    when the program that one has started is killed,
    then the process that serves ends too, and has closed the chain.
    """
    desk = Desk(tmp_path, TONGBAO_FOLDER=str(tmp_path / "chain"))
    with desk.running("dev", "--port", "0", "--folder", "chain", "--json") as dev:
        assert dev.json()["event"] == "ready"
        said = tmp_path / "chain" / "node.json"
        worker = os.pidfd_open(msgspec.json.decode(said.read_bytes())["process"])
        dev.process.kill()
        assert select.select([worker], [], [], LONG_S)[0] == [worker]
        os.close(worker)
    assert not said.exists()
    assert desk.do("status")["height"] == 1


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--module", "nothing"), 78, "no package announces a module nothing"),
        (("--module", "./"), 78, "holds no package"),
        (("--module", "hold"), 78, "hold is a module of Tongbao"),
    ],
)
def test_what_is_no_module_is_refused(
    tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    """
    Given a name that nobody announces, a folder without a package, a module of Tongbao,
    when it is to be tried,
    then that is told, and nothing is begun.
    """
    told = Desk(tmp_path).run("dev", "--port", "0", *words)
    assert told.returncode == code
    assert said in told.stderr
    assert list(tmp_path.iterdir()) == []
