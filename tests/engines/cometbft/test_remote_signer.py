"""A validator whose key lies in another process: CometBFT's own remote signer, over a socket."""

from __future__ import annotations

import subprocess
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engines.cometbft.looking import until
from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.whole_node import FREE, lay, operator_of, payments
from tests.sdk.kept_chain import fund
from tongbao.engines.cometbft.keys import VALIDATOR_KEY, VALIDATOR_STATE
from tongbao.sdk.errors import Unreachable
from tongbao.sdk.network import home_of, open_network

SIGNER = Path(__file__).parents[3] / ".tools" / "bin" / "priv_val_server"
SECONDS = 90.0


@pytest.fixture
def short() -> Iterator[Path]:
    """A folder whose name leaves room for a socket's."""
    with tempfile.TemporaryDirectory(prefix="signer-") as folder:
        yield Path(folder)


@contextmanager
def signing(folder: Path, chain: str) -> Iterator[None]:
    """The signer, once CometBFT waits for it; killed at the end. It may have to dial again."""
    address = folder / "signer.sock"
    command = [
        *(str(SIGNER), "-addr", f"unix://{address}", "-chain-id", chain),
        *("-priv-key", str(folder / VALIDATOR_KEY.name)),
        *("-priv-state", str(folder / VALIDATOR_STATE.name)),
    ]
    ended, over = threading.Event(), threading.Lock()
    running: list[subprocess.Popen[bytes]] = []

    def keep_running() -> None:
        while not ended.is_set():
            until(lambda: address.is_socket() or ended.is_set(), "the address", SECONDS)
            with over:
                if ended.is_set():
                    return
                running[:] = [subprocess.Popen(command, stdout=subprocess.DEVNULL)]
            running[0].wait()

    keeper = threading.Thread(target=keep_running)
    keeper.start()
    try:
        yield
    finally:
        with over:
            ended.set()
            for process in running:
                process.kill()
        keeper.join()


def test_a_validator_votes_with_a_key_that_another_process_holds(
    tmp_path: Path, short: Path
) -> None:
    """
    Given a network of one validator, whose key and state were moved to a remote signer,
    when it runs with the signer, the signer is killed, and started again,
    then payments are carried out, wait, and are carried out again; the node has no key that votes.
    """
    if not SIGNER.is_file():
        not_tested(str(SIGNER))
    home = home_of(lay(tmp_path))
    for file in (VALIDATOR_KEY, VALIDATOR_STATE):
        (home / file).rename(short / file.name)
    options = replace(FREE, remote_signer=f"unix://{short / 'signer.sock'}")
    with open_network(tmp_path, options) as chain:
        with signing(short, chain.id):
            operator = operator_of(chain, tmp_path)
            shop = fund(operator)
            first, second = payments(chain, tmp_path, shop, 2)
            assert chain.submit(first).height
        chain.patience_s = 1.0
        with pytest.raises(Unreachable):
            chain.submit(second)
        chain.patience_s = SECONDS
        with signing(short, chain.id):
            assert chain.submit(second).height
    assert not (home / VALIDATOR_KEY).exists()
    state = (short / VALIDATOR_STATE.name).read_text()
    assert '"height": "0"' not in state
