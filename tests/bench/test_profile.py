"""`make profile` tells where the CPU time of payments goes."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import spying
from bench.profile import main
from bench.stage_table import ORDER, REST, stage_of


@pytest.mark.parametrize(
    "how", [("--within",), pytest.param((), marks=pytest.mark.needs(str(spying.PROGRAM)))]
)
def test_a_loaded_node_is_profiled_by_process_stage_and_function(
    how: tuple[str, ...], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """
    Given a node in processes of its own,
    when it is profiled under a small load, by itself or from outside,
    then every stage has a line, the node's functions are told, and the file has it all.
    """
    out = tmp_path / "profile.txt"
    assert main(["--accounts", "150", "--transactions", "3000", "--out", str(out), *how]) == 0
    written = out.read_text()
    first_words = [line.split("  ")[0] for line in written.splitlines()]
    assert [stage for stage in ORDER if stage not in first_words] == []
    assert "tongbao/kernel/" in written
    assert written.strip() in capsys.readouterr().out


def test_stacks_from_outside_are_told_as_those_from_within() -> None:
    """
    Given two lines of py-spy's raw form, the outermost function first,
    when they are read,
    then each stack has its innermost function first, files from the package on, and its count.
    """
    text = (
        "<module> (/opt/app/src/tongbao/cli/main.py:9);Machine.apply "
        "(/opt/app/src/tongbao/kernel/machine.py:120) 7\n"
        "run (/usr/lib/python3.11/threading.py:982) 2\n"
    )
    assert spying.stacks_of(text) == {
        "tongbao/kernel/machine.py:apply;tongbao/cli/main.py:<module>": 7,
        "3.11/threading.py:run": 2,
    }


@pytest.mark.parametrize(
    ("stack", "stage"),
    [
        (
            ["json/decoder.py:decode", "tongbao/kernel/envelope.py:x", "tongbao/node/api.py:y"],
            "decode",
        ),
        (["tongbao/kernel/transaction.py:check_signatures"], "verify"),
        (["tongbao/kernel/transaction.py:decode_payload"], "decode"),
        (["tongbao/kernel/trie.py:root", "tongbao/kernel/machine.py:apply"], "roots"),
        (["tongbao/modules/asset/rules.py:transfer"], "execute"),
        (["tongbao/store/log.py:append"], "log"),
        (["tongbao/store/state.py:get", "tongbao/kernel/state.py:read"], "LMDB"),
        (["tongbao/index/adding.py:add_blocks"], "index"),
        (["uvicorn/protocols/http.py:data_received"], "HTTP"),
        (["3.11/threading.py:wait"], REST),
    ],
)
def test_the_innermost_known_function_says_the_stage(stack: list[str], stage: str) -> None:
    """
    Given a stack, its innermost function first,
    when its stage is asked for,
    then the first function of a known file decides, and what is known nowhere is the rest.
    """
    assert stage_of(stack) == stage
    assert stage in ORDER
