"""Real processes: killed while they begin a chain or pay, or in each other's way."""

from __future__ import annotations

import logging
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random
from typing import Final

import pytest
from msgspec import Struct

from tests.sdk import cut_short, payer
from tests.sdk.kept_chain import (
    ALONE,
    CENT,
    CNY,
    PASSPHRASE,
    begin,
    fund,
    keep,
    reopen,
    rows_of,
    whole,
)
from tests.store.blocks import files_of
from tongbao.cli.exits import Exit
from tongbao.kernel import Address, Amount
from tongbao.kernel.envelope import decode_envelope
from tongbao.modules import asset
from tongbao.sdk.builder import transaction_id
from tongbao.sdk.client import Applied
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import create_chain, open_chain, operator_wallet
from tongbao.sdk.proofs import to_json
from tongbao.store.errors import FolderInUse
from tongbao.store.frames import SEGMENT_HEAD

KILLS: Final = 8

OPENS: Final = """
import sys
from tongbao.sdk import open_chain
from tongbao.store.errors import StoreError
try:
    open_chain(sys.argv[1], passphrase=sys.argv[2] or None).close()
except StoreError as error:
    print(error)
    sys.exit(error.exit_code)
"""

HOLDS: Final = """
import sys
from tongbao.sdk import open_chain
with open_chain(sys.argv[1], passphrase=sys.argv[2] or None):
    print("open", flush=True)
    sys.stdin.read()
"""


# One process at a time


def opened_elsewhere(folder: Path, passphrase: str = "") -> tuple[int, str]:
    """The exit code and output of another process that opens a chain."""
    ended = subprocess.run(
        [sys.executable, "-c", OPENS, str(folder), passphrase],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    return ended.returncode, ended.stdout


def test_a_second_process_is_refused_while_the_first_has_the_chain(tmp_path: Path) -> None:
    """
    Given a chain that is open in this process, to write and then to read,
    when another process opens it, to read and to write,
    then it ends with the code of what is busy and names this process; later it may open it.
    """
    kept = keep(tmp_path / "chain")
    for own in (PASSPHRASE, None):
        with open_chain(kept.folder, passphrase=own, options=ALONE) as chain:
            before = files_of(kept.folder)
            for other in (PASSPHRASE, ""):
                code, text = opened_elsewhere(kept.folder, other)
                assert code == FolderInUse.exit_code == Exit.BUSY
                assert re.findall(r"in use by process (\d+)", text) == [str(os.getpid())]
            assert files_of(kept.folder) == before
            assert rows_of(kept, chain) == whole(kept)
    assert opened_elsewhere(kept.folder, PASSPHRASE) == (0, "")


def test_a_killed_process_leaves_no_lock_behind(tmp_path: Path) -> None:
    """
    Given another process that has the chain open,
    when this one opens it, and again once the other was killed,
    then it is refused at first, without a change, and has the chain at once afterwards.
    """
    kept = keep(tmp_path / "chain")
    with subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(kept.folder), PASSPHRASE],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == "open\n"
        for passphrase in (None, PASSPHRASE):
            with pytest.raises(FolderInUse, match=f"process {other.pid}: stop that one first"):
                open_chain(kept.folder, passphrase=passphrase)
        other.kill()
    with reopen(kept.folder) as chain:
        assert rows_of(kept, chain) == whole(kept)


# A start that was cut short


def begun_after_all(folder: Path) -> tuple[Chain, asset.Holding | None]:
    """Begin a chain again, or open it if it says so; what its operator issued to itself."""
    if Folder(folder).exists:
        with pytest.raises(FolderError, match="already holds a chain: open it"):
            create_chain(folder, passphrase=PASSPHRASE, name="cut", options=ALONE)
        chain = reopen(folder)
        operator = operator_wallet(chain, folder, PASSPHRASE)
    else:
        chain, operator = create_chain(folder, passphrase=PASSPHRASE, name="cut", options=ALONE)
    assert chain.head().height == 0
    fund(operator)
    return chain, chain.query(asset.balance, operator.address, CNY)


def files_to_see(folder: Path) -> set[str]:
    """The names of all files but those whose names begin with a dot."""
    found = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)) for path in found if not path.name.startswith(".")}


def test_a_start_cut_short_at_any_step_is_made_good_by_the_next(tmp_path: Path) -> None:
    """
    Given folders in which a start was killed before each of its steps, from the first folder on,
    when each is begun again, or opened once it has a genesis file, and opened once more,
    then each is a whole chain, whose trust file fits it, without a rest of what was cut.
    """
    started = subprocess.run(
        [sys.executable, str(cut_short.__file__), str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (started.returncode, started.stderr) == (0, "")
    steps = dict(line.split(": ") for line in started.stdout.splitlines())
    for wanted in (
        "os.mkdir keys",
        "open trust.part",
        "os.rename trust.part",
        "open genesis.part",
        "os.rename genesis.part",
        "open lock",
        "os.rename state.new",
        "open log/00000000.log",
    ):
        assert wanted in steps.values()
    usual = files_to_see(tmp_path / cut_short.WHOLE)
    for folder in (tmp_path / name for name in steps):
        chain, issued = begun_after_all(folder)
        with chain:
            head, trust = chain.head(), chain.trust()
        assert issued == asset.Holding(amount=Amount("1000.00"))
        assert files_to_see(folder) == usual
        with open_chain(folder) as again:
            assert (again.head(), again.audit()) == (head, [])
            assert to_json(again.trust()) == to_json(trust)


def test_a_start_whose_first_block_was_torn_makes_that_block_anew(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a new chain whose log was cut inside block 0, and inside the head before it,
    when it is opened to write,
    then block 0 is made again, with the same root.
    """
    caplog.set_level(logging.WARNING, "tongbao")
    chain, _ = begin(tmp_path / "chain")
    with chain:
        head = chain.head()
    log = tmp_path / "chain" / "log" / "00000000.log"
    for at in (log.stat().st_size - 1, SEGMENT_HEAD + 5, SEGMENT_HEAD, SEGMENT_HEAD - 1, 1, 0):
        os.truncate(log, at)
        shutil.rmtree(tmp_path / "chain" / "state")
        (tmp_path / "chain" / "headers").unlink()
        with reopen(tmp_path / "chain") as again:
            assert again.head() == head
    assert caplog.messages


# Killed while paying


class Said(Struct):
    """What payers have said until now: transactions by id, and the heights of those answered."""

    sent: dict[str, bytes] = {}
    done: dict[str, int] = {}

    def hear(self, line: str) -> None:
        """Note one line."""
        match line.split():
            case "sent", text:
                transaction = text.encode("ascii")
                self.sent[transaction_id(decode_envelope(transaction).payload)] = transaction
            case "done", identity, height:
                self.done[identity] = int(height)

    def listen(self, folder: Path, shop: Address, lines: int) -> None:
        """Let a payer pay until it has said so many lines, and kill it then."""
        with subprocess.Popen(
            [sys.executable, str(payer.__file__), str(folder), shop],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            for _ in range(lines):
                line = process.stdout.readline()
                assert line, "the payer ended by itself"
                self.hear(line)
            process.kill()
            for line in process.stdout:
                if line.endswith("\n"):
                    self.hear(line)


def resend(chain: Chain, said: Said) -> None:
    """Send everything once more that was ever sent: what happened before is not done again."""
    heights = {identity: chain.status(identity).height for identity in said.sent}
    answers = chain.submit_many(said.sent.values())
    for (identity, height), answer in zip(heights.items(), answers, strict=True):
        assert isinstance(answer, Applied)
        assert height in (None, answer.height)
        assert said.done.setdefault(identity, answer.height) == answer.height


def test_payers_that_are_killed_lose_and_double_no_payment(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """
    Given a process that pays in batches of several sizes and says what it sends and was done,
    when it is killed at random lines, the chain is opened, and everything is sent once more,
    then each payment that was answered is there at its height, and each that was sent is there
    once: in its block, in the status, and as a cent in the shop's balance.
    """
    caplog.set_level(logging.WARNING, "tongbao")
    random = Random(7)
    chain, operator = begin(tmp_path / "chain")
    with chain:
        shop = fund(operator)
    said = Said()
    for _ in range(KILLS):
        said.listen(tmp_path / "chain", shop, random.randrange(1, 400))
        with reopen(tmp_path / "chain") as again:
            for identity, height in said.done.items():
                assert again.status(identity).height == height
            resend(again, said)
            check_payments(again, said, shop)
    assert [text for text in caplog.messages if "rebuilt" in text] == []
    with open_chain(tmp_path / "chain") as again:
        check_payments(again, said, shop)


def check_payments(chain: Chain, said: Said, shop: Address) -> None:
    """The blocks hold each payment once, and the shop has a cent for each."""
    blocks = [chain.block(height) for height in range(chain.head().height + 1)]
    kept = [identity.hex() for block in blocks for identity, _ in block.outbox]
    assert len(kept) == len(set(kept))
    assert said.done.keys() == said.sent.keys()
    assert set(kept) >= said.sent.keys()
    paid = Amount(CENT).units * len(said.sent)
    found = chain.query(asset.balance, shop, CNY)
    assert found is None if paid == 0 else found == asset.Holding(amount=Amount.of(paid, 2))
    assert chain.audit() == []
