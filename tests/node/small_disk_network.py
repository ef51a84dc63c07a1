"""A network's node on a real, very small disk, which is full while it serves.

`unshare -rm python small_disk_network.py FOLDER` lays a file system over FOLDER, where only this
process and its children see it. Exit code 69: this machine lets nobody mount.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path
from typing import Final

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from tests.engines.cometbft.whole_node import lay, operator_of
from tests.node.process import Node, running
from tests.sdk.kept_chain import CNY, OWNER, fund
from tests.small_mount import CANNOT_MOUNT, fill, mount
from tongbao.kernel import Address, Amount, Time
from tongbao.modules import asset
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import OPERATOR

SIZE: Final = "96m"
FREE: Final = ("--p2p-listen", "tcp://127.0.0.1:0", "--port", "0")
PATIENCE_S: Final = 90
HOUR_MS: Final = 3_600_000


def story(folder: Path) -> None:
    """Reads go on while the disk is full; what was handed over is applied once there is space."""
    chain_folder = lay(folder / "chain")
    with running(chain_folder, *FREE) as node:
        _ready(node, True)
        with HttpChain(node.address) as chain:
            operator = operator_of(chain, chain_folder)
            shop = fund(operator)
            operator.send(asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=shop))
            filler = folder / "filler"
            fill(filler)
            nonce = chain.next_nonce(OWNER)
            sent = [_payment(chain, chain_folder, shop, nonce + place) for place in range(20)]
            for wire in sent:
                told = node.send(wire, wait="none")
                assert told.status_code in (200, 202, 503, 507), told.text
            reasons = _ready(node, False)
            print("not ready:", reasons)
            assert _held(chain, shop) == Amount("1.00")
            assert node.client.get("/v1/blocks").status_code == 200
            filler.unlink()
            _ready(node, True)
            for wire in sent:
                assert node.send(wire).status_code == 200
            assert _held(chain, shop) == Amount("1.20")
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
    folder = Path(sys.argv[1])
    if not mount(folder, SIZE):
        return CANNOT_MOUNT
    story(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
