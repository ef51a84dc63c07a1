"""The desk at which orders are given: whatever becomes of one, the next one is taken."""

from __future__ import annotations

import socket
from pathlib import Path

import httpx2
import pytest

from tongbao.localnet.control import FILE, Desk, Done, Order, Tell, give
from tongbao.localnet.errors import LocalnetError
from tongbao.sdk.errors import Unreadable
from tongbao.sdk.folder import FolderError


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
@pytest.mark.parametrize(
    ("error", "text", "exit_code"),
    [
        (Unreadable("the node's answer can't be read"), "can't be read", 65),
        (FolderError("no chain is here"), "no chain is here", 66),
        (httpx2.RemoteProtocolError("disconnected"), "has not answered", 75),
        (OSError(28, "No space left on device"), "No space left", 74),
        (ZeroDivisionError("nothing"), "a bug of ours", 70),
    ],
)
def test_after_an_order_that_fails_the_next_one_is_taken(
    tmp_path: Path, error: Exception, text: str, exit_code: int
) -> None:
    """
    Given a network whose node, folder, disk or code fails while an order is carried out,
    when the order is given, and another one after it,
    then the first is answered with what is wrong, and the second is carried out.
    """

    def carry_out(order: Order, _: Tell) -> Done:
        if order.verb == "add":
            raise error
        return Done("done")

    desk = Desk(tmp_path, carry_out)
    try:
        with pytest.raises(LocalnetError, match=text) as found:
            give(tmp_path, Order(verb="add", name="node2"), print)
        assert found.value.exit_code == exit_code
        assert give(tmp_path, Order(verb="status"), print).text == "done"
    finally:
        desk.close()


def test_whoever_connects_and_asks_nothing_does_not_keep_others_waiting(tmp_path: Path) -> None:
    """
    Given somebody who connects to a network and says nothing,
    when an order is given,
    then it is carried out.
    """
    desk = Desk(tmp_path, lambda *_: Done("done"), patience_s=0.1)
    try:
        with socket.socket(socket.AF_UNIX) as silent:
            silent.connect(str(tmp_path / FILE))
            assert give(tmp_path, Order(verb="status"), print).text == "done"
    finally:
        desk.close()
