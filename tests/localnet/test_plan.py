"""The plan of a local network, and what is said of a folder without one."""

from __future__ import annotations

from pathlib import Path

import pytest

from tongbao.localnet.control import Order, give, is_running
from tongbao.localnet.errors import LocalnetError
from tongbao.localnet.holding import held
from tongbao.localnet.laying import add_member, begin
from tongbao.localnet.network import wipe
from tongbao.localnet.plan import FILE, SECRET_FILE, read_plan, secret_of


def test_a_network_is_laid_out_once_for_all_members(tmp_path: Path) -> None:
    """
    Given a new network of three validators,
    when its plan is read again and a member is added, twice,
    then all have the same genesis file and other keys and ports; a name is used once.
    """
    folder = tmp_path / "net"
    plan = begin(folder, 3, "trial")
    assert read_plan(folder) == plan
    bigger = add_member(folder, plan, "node4")
    assert add_member(folder, plan, "node4").members[3].node_id == bigger.members[3].node_id
    members = bigger.members
    genesis = {(folder / member.name / "genesis.json").read_bytes() for member in members}
    assert len(genesis) == 1
    for facts in (
        {member.node_id for member in members},
        {member.validator for member in members},
        {port for member in members for port in (member.http_port, member.p2p_port)},
    ):
        assert len(facts) in (4, 8)
    with pytest.raises(LocalnetError, match="node4 is a member already"):
        add_member(folder, bigger, "node4")
    with pytest.raises(LocalnetError, match="take one of node1, node2, node3"):
        plan.member("node9")


@pytest.mark.parametrize(
    ("text", "words"),
    [(None, "holds no local network"), (b"{", "can't be read"), (b"{}", "can't be read")],
)
def test_a_folder_without_a_plan_says_what_to_do(
    tmp_path: Path, text: bytes | None, words: str
) -> None:
    """
    Given a folder without a plan, or with one that is none,
    when it is read,
    then the error says what is wrong and how to go on.
    """
    if text is not None:
        (tmp_path / FILE).write_bytes(text)
    with pytest.raises(LocalnetError, match=words):
        read_plan(tmp_path)


def test_a_secret_is_made_once_and_not_believed_when_it_is_cut(tmp_path: Path) -> None:
    """
    Given a folder without a secret,
    when it is asked for twice, and again after the file was cut,
    then the first two are one, for the owner alone; the third is refused.
    """
    assert secret_of(tmp_path) == secret_of(tmp_path)
    assert (tmp_path / SECRET_FILE).stat().st_mode & 0o777 == 0o600
    (tmp_path / SECRET_FILE).write_text("abc")
    with pytest.raises(LocalnetError, match="was cut short"):
        secret_of(tmp_path)


def test_a_network_that_does_not_run_takes_no_orders_and_can_be_wiped(tmp_path: Path) -> None:
    """
    Given a network that was laid out and not started,
    when an order is given, the folder is laid out again, and wiped twice,
    then order, second layout and second wipe are refused, and the folder is gone.
    """
    folder = tmp_path / "net"
    begin(folder, 1, "trial")
    assert not is_running(folder)
    with pytest.raises(LocalnetError, match="no network of"):
        give(folder, Order(verb="status"), print)
    with pytest.raises(LocalnetError, match="is not empty"):
        begin(folder, 1, "trial")
    wipe(folder)
    assert not folder.exists()
    with pytest.raises(LocalnetError, match="holds no local network"):
        wipe(folder)


@pytest.mark.parametrize("name", ["../x", "Node", "a b", "", "lock", "a" * 17, "node4\n"])
def test_a_name_that_is_no_folder_of_the_network_is_refused(tmp_path: Path, name: str) -> None:
    """
    Given a network,
    when a member is added under a name that leaves the network's folder, or that its plan can't
    be read with again,
    then it is refused, and nothing is made.
    """
    folder = tmp_path / "net"
    plan = begin(folder, 1, "trial")
    before = {path.name for path in (*tmp_path.iterdir(), *folder.iterdir())}
    with pytest.raises(LocalnetError, match="can't name a node"):
        add_member(folder, plan, name)
    assert {path.name for path in (*tmp_path.iterdir(), *folder.iterdir())} == before


def test_a_beginning_that_was_cut_short_can_be_wiped(tmp_path: Path) -> None:
    """
    Given a network's folder whose plan was not written yet, since its process was killed,
    when it is begun again, and then wiped,
    then the first says how to remove it, and the second removes it.
    """
    folder = tmp_path / "net"
    begin(folder, 1, "trial")
    (folder / FILE).unlink()
    with pytest.raises(LocalnetError, match="not whole") as found:
        begin(folder, 1, "trial")
    assert "wipe" in found.value.advice
    wipe(folder)
    assert not folder.exists()


def test_nobody_removes_or_orders_while_another_process_has_the_folder(tmp_path: Path) -> None:
    """
    Given a network that is being started, so that it takes no orders yet,
    when it is wiped and when an order is given,
    then both are refused, and nothing is removed.
    """
    folder = tmp_path / "net"
    plan = begin(folder, 1, "trial")
    with held(folder):
        with pytest.raises(LocalnetError, match="being started"):
            wipe(folder)
        with pytest.raises(LocalnetError, match="being started"):
            give(folder, Order(verb="status"), print)
    assert read_plan(folder) == plan
