"""`make bench` measures every short figure, and compares them with those of an earlier file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgspec
import pytest

from bench import governed
from bench.__main__ import WRONG_FILE, main
from bench.comparison import ComparisonError, earlier, lines
from bench.figures import FIGURES, is_reached, missed
from bench.headline import conflict_rate

TINY = ("--accounts", "150", "--transactions", "300", "--runs", "1", "--idle-s", "0.2")
OF_LONG = ("million_", "long_", "purchases_")
CONDITIONS = {
    *("version", "build", "cpu", "cores", "python", "durability", "accounts", "rows"),
    *("transactions", "runs", "cpu_us_per_tx", "cpu_us_per_tx_by_process", "processes"),
    *("half_load_tx_per_s", "reads_mix", "reads_per_s", "hundred_cpu_us_by_process"),
}


def test_every_short_figure_is_measured_and_compared(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given an earlier file with one figure,
    when all short figures are measured with tiny sizes and compared with it,
    then the new file has every figure and its conditions, and the ratio of that one is told.
    """
    before, out = tmp_path / "before.json", tmp_path / "now.json"
    before.write_text('{"submit_durable_tx_per_s": 1.0, "accounts": 7}')
    assert main([*TINY, "--compare", str(before), "--out", str(out)]) == 0
    found: dict[str, Any] = msgspec.json.decode(out.read_bytes())
    wanted = {name for name in FIGURES if not name.startswith(OF_LONG)}
    assert not (wanted | CONDITIONS) - found.keys()
    assert all(isinstance(found[name], int | float) for name in wanted)
    assert {"decode", "verify"} <= found["cpu_us_per_tx"].keys()
    assert {"node", "sender"} <= found["cpu_us_per_tx_by_process"].keys()
    said = capsys.readouterr().out
    assert "differs: accounts was 7, is 150" in said
    assert FIGURES["submit_durable_tx_per_s"].words in said
    assert said.splitlines()[-1].startswith("bench: ")


def test_a_comparison_tells_the_ratio_first_and_which_way_is_better() -> None:
    """
    Given two files, in which a rate has doubled, a time has doubled, and a stage costs half,
    when they are compared,
    then each line begins with the ratio, and the rate is better, the time worse.
    """
    now = {"verify_per_s": 100.0, "p99_ms": 50.0, "cpu_us_per_tx": {"decode": 5.0, "new": 1.0}}
    before = {"verify_per_s": 50.0, "p99_ms": 25.0, "cpu_us_per_tx": {"decode": 10.0}}
    told = [line.split() for line in lines(now, before) if line.strip()]
    assert [(line[0], line[-1]) for line in told] == [
        ("now", "before"),
        ("2.000", "better"),
        ("2.000", "WORSE"),
        ("cpu_us_per_tx,", "microseconds"),
        ("0.500", "10.0"),
    ]


@pytest.mark.parametrize("content", [None, b"{", b"[1]"])
def test_a_file_without_figures_is_refused_before_anything_is_measured(
    tmp_path: Path, content: bytes | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given a name of no file, or a file of something else,
    when figures are to be compared with it,
    then the benchmark says what to name instead, and measures nothing.
    """
    path = tmp_path / "other"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(ComparisonError, match="name a file of `make bench`"):
        earlier(path)
    assert main(["--compare", str(path)]) == WRONG_FILE
    assert "name a file of `make bench`" in capsys.readouterr().err


def test_a_goal_is_reached_from_the_side_that_is_better() -> None:
    """
    Given a ratio that is to be at least 0.3 and a time that is to be at most 500 ms,
    when values on both sides of these are judged,
    then exactly those that fall short are told.
    """
    ratio, time = FIGURES["ratio_to_verify"], FIGURES["p99_ms"]
    assert is_reached(ratio, 0.3)
    assert is_reached(time, 499.0)
    assert is_reached(FIGURES["verify_per_s"], 0.0)
    short = missed({"ratio_to_verify": 0.29, "p99_ms": 501.0, "verify_per_s": 1.0})
    assert [
        line.startswith(figure.words) for line, figure in zip(short, (ratio, time), strict=True)
    ]
    assert len(short) == 2


def test_payments_that_share_an_account_in_a_block_are_counted() -> None:
    """
    Given six payments in blocks of three, two of the first block from one account to two others,
    when the conflict rate is computed,
    then it is two of six, and all of one block with one account.
    """
    drawn = [[1, 2], [1, 3], [4, 5], [1, 2], [3, 4], [5, 6]]
    assert conflict_rate(drawn, 3) == pytest.approx(2 / 6)
    assert conflict_rate([[1, 2], [2, 3], [3, 1]], 3) == 1.0


def test_what_controls_cost_is_measured_alone_too(tmp_path: Path) -> None:
    """
    Given a few accounts,
    when payments under controls, sessions and votes are measured by themselves,
    then the file has their figures.
    """
    out = tmp_path / "governed.json"
    sizes = ["--accounts", "20", "--payments", "50", "--runs", "1"]
    assert governed.main([*sizes, "--out", str(out)]) == 0
    found: dict[str, Any] = msgspec.json.decode(out.read_bytes())
    wanted = {"governed_ratio", "vote_ms", "sessions_reads_per_s", "sessions_mb"}
    assert not wanted - found.keys()
    assert found["sessions"] == 20
