"""Run the tutorials word for word: `python -m tools.tutorials [NAME ...]`, without names all.

A tutorial is a page of `docs/tutorials/`, or another one that is named by its path. Its code blocks
are done in order, from the repository's root, in one bash whose folder, functions and exported
variables carry on from block to block:

- a block `sh` is run as it stands; it must succeed;
- after a comment `<!-- another terminal, until: WORDS -->` it is left running, as soon as it has
  printed the words, and gets Ctrl-C at the end of the page; with `; a later block kills it` behind
  the words it is gone by then;
- a block `text` says what the block before has printed: its lines stand in that output, in order,
  and `...` stands for whatever differs from one time to the next;
- a block with a file's name behind its language, such as `python pay.py`, is that file's content.

The last line is the verdict.
"""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "tutorials"
BLOCK = re.compile(
    r"(?:<!-- another terminal, until: (?P<until>[^\n]+?)"
    r"(?P<killed>; a later block kills it)? -->\n+)?"
    r"^```(?P<language>[a-z]+)(?: (?P<name>\S+))?\n(?P<text>.*?)^```$",
    re.MULTILINE | re.DOTALL,
)
BLOCK_S = 300
STOPPED = (0, 130, -signal.SIGINT)
KILLED = (137, -signal.SIGKILL)
BEFORE = 'set -euo pipefail; [ ! -f "$STATE" ] || . "$STATE"\n'
AFTER = '\n{ export -p; declare -f; printf "cd %q\\n" "$PWD"; } > "$STATE"\n'


class Wrong(Exception):
    """A page that does not do what it says; the text names the block."""


class Block(NamedTuple):
    """One code block of a page."""

    language: str
    name: str
    text: str
    until: str
    killed: bool = False
    """Whether a later block kills what is left running."""


def blocks_of(page: str) -> Iterator[Block]:
    """The code blocks of a page, in order."""
    for found in BLOCK.finditer(page):
        parts = found.groupdict(default="")
        killed = bool(parts.pop("killed"))
        yield Block(**parts, killed=killed)


def missing_line(wanted: str, printed: str) -> str | None:
    """The first line of a `text` block that the output lacks; None when all are there, in order."""
    at = 0
    for line in filter(None, map(str.strip, wanted.splitlines())):
        pattern = ".*".join(re.escape(part) for part in line.split("..."))
        found = re.compile(rf"^[^\S\n]*{pattern}[^\S\n]*$", re.MULTILINE).search(printed, at)
        if found is None:
            return line
        at = found.end()
    return None


class Terminal:
    """The shells of one page, and what they share."""

    def __init__(self, state: Path) -> None:
        """Begin in the repository's root; `state` is a file for the shells' variables."""
        self._environment = {**os.environ, "STATE": str(state)}
        self._folder = ROOT
        self._left_running: list[tuple[subprocess.Popen[str], threading.Thread, Block]] = []
        self.printed = ""

    def do(self, block: Block) -> None:
        """Do one block. Raises Wrong."""
        if block.name:
            (self._where() / block.name).write_text(block.text)
        elif block.language == "sh" and block.until:
            self._leave_running(block)
        elif block.language == "sh":
            self._run(block.text)
        elif block.language == "text":
            missing = missing_line(block.text, self.printed)
            if missing is not None:
                raise Wrong(f"no line {missing!r} in what was printed:\n{self.printed}")
        else:
            raise Wrong(f"a block of {block.language} needs a file's name behind it")

    def _where(self) -> Path:
        """The folder that the shell is in."""
        self._run("pwd")
        return Path(self.printed.strip())

    def _start(self, script: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            ["bash", "-c", script],
            cwd=self._folder,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def _run(self, text: str) -> None:
        process = self._start(BEFORE + text + AFTER)
        try:
            self.printed, _ = process.communicate(timeout=BLOCK_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            raise Wrong(f"not done after {BLOCK_S} s:\n{text}") from None
        if process.returncode:
            raise Wrong(f"exit code {process.returncode}:\n{text}\n{self.printed}")

    def _leave_running(self, block: Block) -> None:
        process = self._start(BEFORE + block.text)
        lines: list[str] = []
        said = threading.Event()

        def read() -> None:
            assert process.stdout is not None
            with process.stdout as output:
                for line in output:
                    lines.append(line)
                    if block.until in line:
                        said.set()
            said.set()

        reader = threading.Thread(target=read, daemon=True)
        reader.start()
        self._left_running.append((process, reader, block))
        said.wait(BLOCK_S)
        self.printed = "".join(lines)
        if block.until not in self.printed:
            raise Wrong(f"it never printed {block.until!r}:\n{block.text}\n{self.printed}")

    def close(self) -> list[str]:
        """Send Ctrl-C to what is left running; the complaints about how that ended."""
        wrong = []
        for process, reader, block in reversed(self._left_running):
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGINT)
            try:
                code = process.wait(60)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                code = process.wait()
            reader.join()
            if code not in (KILLED if block.killed else STOPPED):
                wrong.append(f"what was left running ended with {code}")
        return wrong


def run_page(page: Path) -> list[str]:
    """Do a page; what is wrong with it, and nothing when all went as it says."""
    with tempfile.TemporaryDirectory(prefix="tutorial-") as folder:
        terminal = Terminal(Path(folder) / "state")
        wrong = []
        try:
            for block in blocks_of(page.read_text()):
                terminal.do(block)
        except Wrong as error:
            wrong.append(str(error))
        return wrong + terminal.close()


def page_of(name: str) -> Path:
    """The page of a tutorial's name, or of a path."""
    return Path(name) if name.endswith(".md") else PAGES / f"{name}.md"


def main(names: Sequence[str]) -> int:
    """Run the pages of these names, or all, one after the other."""
    pages = [page_of(name) for name in names] or sorted(PAGES.glob("[!R]*.md"))
    for page in pages:
        print(f"--- {page.stem}", flush=True)
        wrong = run_page(page)
        if wrong:
            print(*wrong, sep="\n")
            print(f"tutorials: {page.stem} FAILED")
            return 1
    print(f"tutorials: {len(pages)} of {len(pages)} went as they say")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
