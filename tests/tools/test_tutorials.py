"""The runner of tutorials does what a page says, and finds what does not go as it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.tutorials import Block, blocks_of, missing_line, run_page

GOOD = """
Words.

<!-- another terminal, until: ready -->

```sh
echo ready; exec sleep 600
```

```sh
cd "$(mktemp -d)"; export NAME=tongbao
```

```python pay.py
import os
print("paid by", os.environ["NAME"], 7)
```

```sh
python3 pay.py
```

```text
paid by tongbao ...
```
"""


def page(folder: Path, text: str) -> Path:
    """A page with this text."""
    path = folder / "page.md"
    path.write_text(text)
    return path


def test_blocks_are_found_with_their_names_and_comments() -> None:
    """
    Given a page,
    when its blocks are listed,
    then each has its language, its file's name and the words to wait for.
    """
    assert list(blocks_of(GOOD))[:3] == [
        Block("sh", "", "echo ready; exec sleep 600\n", "ready"),
        Block("sh", "", 'cd "$(mktemp -d)"; export NAME=tongbao\n', ""),
        Block("python", "pay.py", 'import os\nprint("paid by", os.environ["NAME"], 7)\n', ""),
    ]


def test_a_page_that_does_what_it_says_is_right(tmp_path: Path) -> None:
    """
    Given a page with another terminal, a file, variables and output,
    when it is run,
    then nothing is wrong.
    """
    assert run_page(page(tmp_path, GOOD)) == []


@pytest.mark.parametrize(
    ("before", "after", "said"),
    [
        ("python3 pay.py", "python3 pays.py", "exit code 2"),
        ("paid by tongbao ...", "paid by alice ...", "no line 'paid by alice ...'"),
        ("echo ready; exec sleep 600", "echo steady", "it never printed 'ready'"),
        ("exec sleep 600", "exit 3", "what was left running ended with 3"),
        ("```python pay.py", "```python", "a block of python needs a file's name"),
    ],
)
def test_what_does_not_go_as_it_says_is_found(
    tmp_path: Path, before: str, after: str, said: str
) -> None:
    """
    Given a page that was right until one thing was changed,
    when it is run,
    then that is what is wrong.
    """
    text = GOOD.replace(before, after)
    (wrong,) = run_page(page(tmp_path, text))
    assert said in wrong


def test_functions_carry_on_and_what_a_block_kills_is_gone(tmp_path: Path) -> None:
    """
    Given a page whose later block kills what another terminal runs, by a function of before,
    when it is run, and run again without that block,
    then nothing is wrong at first, and then that what was to be killed has ended otherwise.
    """
    text = """
<!-- another terminal, until: ready; a later block kills it -->

```sh
echo $$ > "$HERE/running"; echo ready; exec sleep 600
```

```sh
stop() { kill -9 "$(cat "$HERE/running")"; }
```

```sh
stop
```
""".replace("$HERE", str(tmp_path))
    assert run_page(page(tmp_path, text)) == []
    [wrong] = run_page(page(tmp_path, text.replace("```sh\nstop\n```", "")))
    assert wrong == "what was left running ended with -2"


def test_lines_of_output_must_come_in_order() -> None:
    """
    Given what a command printed,
    when lines of it are looked for in their order and in another,
    then only the second lacks one.
    """
    printed = "  height 3\n  id ab12\ndone\n"
    assert missing_line("height ...\ndone", printed) is None
    assert missing_line("done\nheight 3", printed) == "height 3"
