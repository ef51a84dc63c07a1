"""One whole node of a network of one: its folder, its process of CometBFT, and who pays on it."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM
from tests.sdk.kept_chain import CNY, OWNER, PASSPHRASE, fund, with_cheap_keys
from tongbao.kernel import Address, Amount, Time
from tongbao.modules import asset
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.client import Client
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.network import HOME, NetworkOptions, open_network
from tongbao.sdk.network_genesis import create_network
from tongbao.sdk.opening import OPERATOR
from tongbao.sdk.wallet import Wallet

FREE = NetworkOptions(p2p_listen="tcp://127.0.0.1:0", filter_peers=False)
HOUR_MS = 3_600_000


def need_program() -> None:
    """CometBFT, or no test."""
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))


def lay(folder: Path) -> Path:
    """The folder of a network of one node, which has not begun."""
    need_program()
    with_cheap_keys(folder)
    create_network(folder, passphrase=PASSPHRASE, name="net")
    return folder


def operator_of(chain: Client, folder: Path) -> Wallet:
    """The wallet of the first account."""
    return chain.wallet(OWNER, Keystore(folder / "keys").unlock(OPERATOR, PASSPHRASE))


@contextmanager
def begun(folder: Path, options: NetworkOptions = FREE) -> Iterator[tuple[Chain, Wallet, Address]]:
    """A network that runs, its operator with 1,000.00 CNY, and a shop."""
    with open_network(lay(folder), options) as chain:
        operator = operator_of(chain, folder)
        yield chain, operator, fund(operator)


def payments(
    chain: Chain, folder: Path, shop: Address, count: int, amount: str = "0.01"
) -> list[bytes]:
    """The operator's signed payments of a cent each, with its next nonces."""
    signer = Keystore(folder / "keys").unlock(OPERATOR, PASSPHRASE)
    expires = Time(time.time_ns() // 1_000_000 + HOUR_MS)
    start = chain.next_nonce(OWNER)
    message = asset.Transfer(asset=CNY, amount=Amount(amount), payee=shop)
    return [
        sign(payload_bytes(chain.id, OWNER, nonce, expires, (message,)), [signer])
        for nonce in range(start, start + count)
    ]


def held(chain: Chain, owner: Address) -> Amount:
    """What an account holds of CNY."""
    found = chain.query(asset.balance, owner, CNY)
    return Amount("0.00") if found is None else found.amount


def cometbft_of(folder: Path) -> int | None:
    """The process of the CometBFT whose home is in a folder, if one runs."""
    home = str((folder / HOME).absolute()).encode()
    for entry in Path("/proc").iterdir():
        try:
            words = (entry / "cmdline").read_bytes().split(b"\0") if entry.name.isdigit() else []
        except OSError:
            continue  # it has ended meanwhile
        if home in words and words[0].endswith(b"cometbft"):
            return int(entry.name)
    return None


def kill_cometbft(folder: Path) -> None:
    """End it as a power cut does."""
    found = cometbft_of(folder)
    assert found is not None
    os.kill(found, signal.SIGKILL)
