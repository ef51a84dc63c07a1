"""A network's node on a real, very small disk, which is full while it serves.

`unshare -rm python small_disk_network.py STORY FOLDER ELSEWHERE` lays a file system over FOLDER,
where only this process and its children see it. Exit code 69: this machine lets nobody mount.
"""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.engines.cometbft.whole_node import lay, operator_of
from tests.node.process import Node, running
from tests.sdk.kept_chain import CNY, OWNER, fund
from tests.small_mount import CANNOT_MOUNT, fill, mount
from tongbao.kernel import Address, Amount, Invalid, Time
from tongbao.modules import asset
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.network import home_of
from tongbao.sdk.opening import OPERATOR

SIZE: Final = "96m"
FREE: Final = ("--p2p-listen", "tcp://127.0.0.1:0", "--port", "0")
PATIENCE_S: Final = 90
PAYMENTS: Final = 250
"""As many as may wait in one lane of nonces."""
TAKEN_OR_FULL: Final = (200, 202, 507)
HOUR_MS: Final = 3_600_000
USED: Final = Invalid.NONCE_WAS_USED.number
BOTH: Final = "both"
OURS: Final = "ours"
STORIES: Final = (BOTH, OURS)
"""Whose files lie on the small disk: CometBFT's too, or this project's alone."""


def story(folder: Path, which: str, elsewhere: Path) -> None:
    """Reads go on while the disk is full; what was handed over is applied once there is space."""
    chain_folder = lay(folder / "chain")
    if which == OURS:
        home = home_of(chain_folder)
        shutil.move(home, elsewhere)
        home.symlink_to(elsewhere / home.name)
    with running(chain_folder, *FREE) as node:
        _ready(node, True)
        with HttpChain(node.address) as chain:
            operator = operator_of(chain, chain_folder)
            shop = fund(operator)
            operator.send(asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=shop))
            filler = folder / "filler"
            fill(filler)
            nonce = chain.next_nonce(OWNER)
            sent: list[bytes] = []
            while node.client.get("/readyz").is_success and len(sent) < PAYMENTS:
                sent.append(_payment(chain, chain_folder, shop, nonce + len(sent)))
                told = node.send(sent[-1], wait="none")
                assert told.status_code in TAKEN_OR_FULL, told.text
            print("not ready:", _ready(node, False), "after", len(sent))
            assert _held(chain, shop) >= Amount("1.00")
            assert node.client.get("/v1/blocks").status_code == 200
            filler.unlink()
            _ready(node, True)
            for wire in sent:
                told = node.send(wire)
                assert told.status_code == 200 or told.json()["number"] == USED, told.text
            assert _held(chain, shop) == Amount(f"{1 + len(sent) / 100:.2f}")
        assert node.stop() == 0
        print(node.text())
    assert audit_folder(chain_folder).findings == ()


def _payment(chain: HttpChain, folder: Path, shop: Address, nonce: int) -> bytes:
    signer = Keystore(folder / "keys").unlock(OPERATOR, "correct horse battery")
    expires = Time(time.time_ns() // 1_000_000 + HOUR_MS)
    message = asset.Transfer(asset=CNY, amount=Amount("0.01"), payee=shop)
    return sign(payload_bytes(chain.id, OWNER, nonce, expires, (message,)), [signer])


def _held(chain: HttpChain, owner: Address) -> Amount:
    found = chain.query(asset.balance, owner, CNY)
    assert found is not None
    return found.amount


def _ready(node: Node, wanted: bool) -> list[str]:
    """Wait until the node is ready, or is not; the reasons that it gives."""
    until = time.monotonic() + PATIENCE_S
    while (answer := node.client.get("/readyz")).is_success is not wanted:
        assert time.monotonic() < until, node.text()
    return list(answer.json()["reasons"])


def main() -> int:
    """Mount, and play."""
    which, folder, elsewhere = sys.argv[1], *map(Path, sys.argv[2:])
    if not mount(folder, SIZE):
        return CANNOT_MOUNT
    story(folder, which, elsewhere)
    return 0


if __name__ == "__main__":
    sys.exit(main())
