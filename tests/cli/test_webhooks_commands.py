"""Webhooks as operators run them: a process of its own beside a node, killed and started again."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.desk import LONG_S, Desk
from tests.node.conftest import serving
from tests.node.hook_receiver import SECRET, Receiver
from tongbao.cli.exits import Exit

RUN = ("webhooks", "run", "--config", "webhooks.toml")


@pytest.fixture
def receiver(desk: Desk) -> Iterator[Receiver]:
    """An endpoint, and the file that names it."""
    receiver = Receiver()
    (desk.folder / "secret").write_bytes(SECRET + b"\n")
    (desk.folder / "webhooks.toml").write_text(f"""
private_hosts = ["127.0.0.1"]

[[endpoint]]
name = "desk"
url = "http://127.0.0.1:{receiver.port}/hooks"
secret_file = "{desk.folder}/secret"
type = "asset.moved"
after = "4.0"
attempts = 2
first_pause_ms = 10
""")
    yield receiver
    receiver.stop()


def pay(desk: Desk) -> None:
    """A payment of alice's to bob."""
    cent = ("asset", "transfer", "--asset", "CNY", "--amount", "0.01", "--payee", "bob")
    desk.do(*cent, "--as", "alice")


def test_webhooks_that_are_killed_go_on_and_lose_nothing(desk: Desk, receiver: Receiver) -> None:
    """
    Given a node and webhooks beside it,
    when the webhooks are killed, payments are made, both are stopped and started again,
    then the endpoint was told of each payment, in order, and signed.
    """
    with desk.node() as (node, _), desk.running(*RUN) as hooks:
        pay(desk)
        receiver.await_told(1)
        hooks.process.kill()
        hooks.process.wait(LONG_S)
        pay(desk)
        assert node.end()[0] == 0
    with desk.running(*RUN, "--node", "http://127.0.0.1:1") as hooks:
        hooks.note("the node is away")
        assert hooks.end(signal.SIGTERM)[0] == Exit.DONE
    with desk.node(), desk.running(*RUN) as hooks:
        pay(desk)
        receiver.await_told(3)
        code, lines = hooks.end()
        assert (code, lines[-1]) == (Exit.DONE, "stopped")
    assert list(dict.fromkeys(receiver.await_told(3))) == ["5.0", "6.0", "7.0"]
    assert receiver.wrong == []


def test_dead_letters_are_listed_and_sent_again(desk: Desk, receiver: Receiver) -> None:
    """
    Given an endpoint that takes nothing,
    when a payment was tried as often as it says,
    then it is listed with the reason, and sent again once the endpoint takes it; the log has named
    it, and not told its address.
    """
    receiver.status = 503
    config = ("--config", "webhooks.toml")
    with desk.node(), desk.running(*RUN) as hooks:
        pay(desk)
        hooks.note("it was put aside")
        log = "\n".join(hooks.notes)
        assert "webhooks: desk: answered with status 503" in log
        assert f":{receiver.port}" not in log
        assert hooks.end()[0] == Exit.DONE
    listed = desk.do("webhooks", "list", *config)
    letters = [(one["endpoint"], one["cursor"], one["why"]) for one in listed["letters"]]
    assert letters == [("desk", "5.0", "answered with status 503")]
    assert listed["cursors"] == {"desk": "5.0"}
    shown = desk.run("webhooks", "list", *config).stdout
    assert shown.splitlines()[-1] == "1 dead letter; done with, up to: desk 5.0"
    kept = next(desk.folder.glob("**/webhooks/desk")).parent
    assert kept.stat().st_mode & 0o077 == 0
    assert desk.run("webhooks", "resend", "desk", *config).returncode == Exit.BUSY
    receiver.status = 200
    assert desk.do("webhooks", "resend", "desk", *config) == {"taken": 1, "left": []}
    assert receiver.await_told(1) == ["5.0"]
    assert desk.do("webhooks", "list", *config)["letters"] == []


def test_what_can_not_be_delivered_is_told(desk: Desk, receiver: Receiver, tmp_path: Path) -> None:
    """
    Given a wrong name, file or folder,
    when a command is given it,
    then it ends with a code and says what to do.
    """
    config = ("--config", "webhooks.toml")
    unknown = desk.run("webhooks", "resend", "nobody", *config)
    assert (unknown.returncode, "take one of: desk" in unknown.stderr) == (Exit.USAGE, True)
    for words in (RUN, ("webhooks", "list", *config), ("webhooks", "resend", "desk", *config)):
        assert desk.run(*words, "--folder", "nowhere").returncode == Exit.NO_INPUT, words
    assert not (desk.folder / "nowhere").exists()
    missing = desk.run("webhooks", "list", "--config", str(tmp_path / "no.toml"))
    assert (missing.returncode, "check the path" in missing.stderr) == (Exit.CONFIGURATION, True)


def test_another_chain_s_node_is_not_followed(desk: Desk, receiver: Receiver) -> None:
    """
    Given the folder of a chain, and the node of another chain,
    when webhooks are run in the folder by that node,
    then they end and say so, and nothing was posted or noted.
    """
    with serving() as other:
        ended = desk.run(*RUN, "--node", other.address)
    assert ended.returncode == Exit.WRONG
    assert "is not the chain of" in ended.stderr
    assert receiver.told == []
    assert list(desk.folder.glob("**/webhooks/desk")) == []
