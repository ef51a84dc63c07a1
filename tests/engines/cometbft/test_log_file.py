"""CometBFT's log: what in it is fatal, and its limit."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tongbao.engines.cometbft.log_file import Complaint, LogFile

TIME = "[2026-11-26|05:48:49.302]"


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("ERROR: failed to create node: no", Complaint("failed to create node: no", False)),
        (
            "open /x/data/state.json: no such file or directory",
            Complaint("open /x/data/state.json: no such file or directory", False),
        ),
        ("panic: runtime  error", Complaint("panic: runtime error", False)),
        (
            "Error reading PrivValidator state from x: no",
            Complaint("Error reading PrivValidator state from x: no", False),
        ),
        ("fatal error: out of memory", Complaint("fatal error: out of memory", False)),
        (
            f'E{TIME} CONSENSUS FAILURE!!!   module=consensus err="no room" stack="goroutine',
            Complaint('"no room"', True),
        ),
        (
            f"E{TIME} consensus connection terminated. Did the application crash? module=proxy",
            Complaint("consensus connection terminated", True),
        ),
        (f"E{TIME} dialing failed module=p2p err=CONSENSUS FAILURE!!! err=x", None),
        (f"I{TIME} Added peer moniker=ERROR: panic: x", None),
        ("x" * 100_000 + "panic: x", None),
    ],
)
def test_only_a_line_that_cometbft_itself_writes_is_fatal(
    tmp_path: Path, line: str, complaint: Complaint | None
) -> None:
    """
    Given a line of CometBFT, or one in which a peer's words look like one,
    when the log is read after it,
    then it is a complaint of CometBFT's or none, in words without its surroundings.
    """
    log = LogFile(tmp_path / "cometbft.log")
    log.begin()
    os.write(log.descriptor, f"{line}\n".encode())
    assert log.look() == complaint
    log.close()


def test_the_first_complaint_counts_until_the_next_beginning(tmp_path: Path) -> None:
    """
    Given a log that had a complaint before,
    when a line comes in two pieces, then another complaint, and then a new process begins,
    then nothing is said of the old, the first of the new is kept, and forgotten in the end.
    """
    (tmp_path / "cometbft.log").write_text("ERROR: old\n")
    log = LogFile(tmp_path / "cometbft.log")
    log.begin()
    os.write(log.descriptor, b"ERROR: fi")
    assert log.look() is None
    os.write(log.descriptor, b"rst\nERROR: second\n")
    assert log.look() == Complaint("first", False)
    log.begin()
    assert log.look() is None
    log.close()


def test_a_line_that_a_full_disk_has_cut_short_counts_once_nothing_follows(tmp_path: Path) -> None:
    """
    Given a complaint whose line has no end,
    when the log is read twice,
    then it counts the second time, as nothing has followed it.
    """
    log = LogFile(tmp_path / "cometbft.log")
    log.begin()
    os.write(log.descriptor, b'E[2026-11-26|06:08:55.441] CONSENSUS FAILURE!!! err="no space')
    assert log.look() is None
    assert log.look() == Complaint('"no space', True)
    log.close()


def test_a_long_log_is_put_aside(tmp_path: Path) -> None:
    """
    Given a log with a limit of 1,000 bytes,
    when 150 lines are written, some at a time,
    then there are two files, neither much longer, and their last line is the last one.
    """
    path = tmp_path / "cometbft.log"
    log = LogFile(path, limit=1_000)
    for number in range(150):
        os.write(log.descriptor, b"line %05d\n" % number)
        log.look()
    log.close()
    old = tmp_path / "cometbft.log.1"
    assert sorted(file.name for file in tmp_path.iterdir()) == [path.name, old.name]
    assert max(path.stat().st_size, old.stat().st_size) <= 1_011
    assert (old.read_text() + path.read_text()).endswith("line 00149\n")
