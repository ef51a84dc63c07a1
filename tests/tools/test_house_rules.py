"""Each house rule finds its breach, lets the right way pass, and holds where it should."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from tools.house_checks import COLUMNS, FILE_LINES, FUNCTION_LINES
from tools.house_rules import (
    ALLOWED,
    RULES,
    Finding,
    check_folders,
    check_sites,
    check_text,
    project_files,
    with_exceptions,
)
from tools.house_source import Source

KERNEL = "src/tongbao/kernel/amount.py"
MODULE = "src/tongbao/modules/hold/rules.py"
STORE = "src/tongbao/store/log.py"
CLIENT = "clients/typescript/src/http.ts"
TEST = "tests/kernel/test_amount.py"
SLASH = "/"
STORY = '    """Given one, when two, then three."""\n'


class Case(NamedTuple):
    """A rule, a text that breaks it, at which line, and one that passes."""

    rule: str
    path: str
    line: int
    breaks: str
    passes: str


CASES = (
    Case("file length", STORE, FILE_LINES + 1, "\n" * (FILE_LINES + 1), "\n" * FILE_LINES),
    Case(
        "function length",
        STORE,
        1,
        "def _f():\n" + "    x = 1\n" * FUNCTION_LINES,
        "def _f():\n" + "    x = 1\n" * (FUNCTION_LINES - 1),
    ),
    Case("columns", "tools/setup.sh", 2, "\n" + "x" * (COLUMNS + 1), "\n" + "x" * COLUMNS),
    Case("docstring of the file", TEST, 1, "x = 1\n", '"""Why."""\n'),
    Case("docstring", STORE, 1, "def get():\n    pass\n", "def _get():\n    pass\n"),
    Case("docstring", STORE, 1, "class Log:\n    pass\n", 'class Log:\n    """Blocks."""\n'),
    Case(
        "docstring",
        STORE,
        4,
        'class Log:\n    """Blocks."""\n\n    async def get(self):\n        pass\n',
        'class Log:\n    """Blocks."""\n\n    def __len__(self):\n        pass\n',
    ),
    Case(
        "docstring",
        STORE,
        3,
        "import typing\n\ndef get():\n    pass\n",
        "import typing\n\n@typing.overload\ndef get():\n    pass\n",
    ),
    Case("doc comment", CLIENT, 1, "const x = 1;\n", "/** Why. */\n"),
    Case(
        "doc comment",
        CLIENT,
        3,
        "/** Why. */\n\nexport async function get() {}\n",
        "/** Why. */\n\n/** Gets. */\nexport async function get() {}\n\nconst x = 1;\n",
    ),
    Case(
        "blind except",
        STORE,
        3,
        "try:\n    f()\nexcept Exception as error:\n    pass\n",
        "try:\n    f()\nexcept (OSError, ValueError) as error:\n    pass\n",
    ),
    Case(
        "blind except",
        TEST,
        3,
        "try:\n    f()\nexcept (KeyError, BaseException):\n    pass\n",
        "try:\n    f()\nexcept BaseException:\n    close()\n    raise\n",
    ),
    Case(
        "blind except",
        STORE,
        3,
        "try:\n    f()\nexcept:\n    pass\n",
        "try:\n    f()\nexcept KeyError:\n    pass\n",
    ),
    Case("unfinished", "README.md", 1, "TO" + "DO: write", "Every todo list is an asset."),
    Case("unfinished", STORE, 1, "x = 1  # FIX" + "ME\n", "x = 1  # fixed\n"),
    Case("unfinished", STORE, 1, "x = 1  # XX" + "X\n", "x = 'XXX'  # no currency\n"),
    Case(
        "unfinished",
        STORE,
        2,
        "def _f():\n    raise NotImplementedError('later')\n",
        "def _f():\n    raise ValueError\n",
    ),
    Case("place", "docs/a.md", 1, f"see {SLASH}work/main", "see the network/work/main page"),
    Case("place", "docs/a.md", 2, f"\n{SLASH}root/.venv", "\nroot/.venv"),
    Case("place", "requirements/dev.txt", 1, "--index-url " + "pypi" + ".org", "pypi"),
    Case(
        "context",
        MODULE,
        2,
        "from tongbao.kernel import Context as C\nC(1)\n",
        "from click import Context as C\nC(1)\n",
    ),
    Case(
        "context",
        TEST,
        2,
        "from tongbao import kernel\nkernel.View(1)\n",
        "from tongbao import kernel\nx: kernel.View = machine.view()\n",
    ),
    Case("sleep", STORE, 2, "import time\ntime.sleep(1)\n", "import time\ntime.time_ns()\n"),
    Case("sleep", STORE, 1, "from time import sleep\n", "from time import time_ns\n"),
    Case(
        "sleep", TEST, 2, "import asyncio\nasyncio.sleep(1)\n", "import asyncio\nasyncio.run(f)\n"
    ),
    Case("pretence", TEST, 1, "from unittest import mock\n", "from unittest import TestCase\n"),
    Case("pretence", TEST, 1, "import unittest.mock\n", "import unittest\n"),
    Case("pretence", TEST, 1, "def f(monkeypatch): ...\n", "def f(tmp_path): ...\n"),
    Case(
        "story",
        TEST,
        1,
        'def test_one_and_two():\n    """When two, given one."""\n',
        f"def test_one_and_two():\n{STORY}",
    ),
    Case("write site", STORE, 1, "file.write(data)\n", "file.write(data, Site.FRAME)\n"),
    Case("write site", STORE, 1, "self._disk.remove(path)\n", "self._disk.remove(path, site)\n"),
    Case("write site", STORE, 1, "os.write(1, data)\n", "os.read(0, 9)\n"),
    Case("write site", STORE, 1, "shutil.rmtree(path)\n", "shutil.disk_usage(path)\n"),
    Case("write site", STORE, 1, "new.replace(old)\n", "text.replace(old, new)\n"),
    Case("write site", STORE, 1, 'path.open("r+b")\n', 'path.open("rb")\n'),
    Case("write site", STORE, 1, "path.touch()\n", "path.exists()\n"),
    Case("write site", STORE, 1, "lmdb.open(name)\n", "lmdb.open(name, create=False)\n"),
    Case(
        "write site",
        STORE,
        2,
        "with disk.reading(Site.X):\n    environment.begin(write=True)\n",
        "with disk.writing(Site.X):\n    environment.begin(write=True)\n",
    ),
    Case("sentence", TEST, 1, f"def test_amount():\n{STORY}", f"def test_zero_is_zero():\n{STORY}"),
    Case("float", KERNEL, 1, "x = 1.5\n", "x = '1.5'\n"),
    Case("float", MODULE, 1, "x = float('1')\n", "x = int('1')\n"),
    Case("float", MODULE, 1, "x = a / b\n", "x = a // b\n"),
    Case("float", MODULE, 2, "x = 1\nx /= 2\n", "x = 1\nx //= 2\n"),
    Case("text tables", KERNEL, 1, "x = name.lower()\n", "x = ctx.title\n"),
    Case("text tables", KERNEL, 1, "x = map(str.isdigit, name)\n", "x = map(str, name)\n"),
    Case("text tables", MODULE, 1, "import unicodedata\n", "import re\n"),
    Case("text tables", MODULE, 1, "from locale import strcoll\n", "from re import compile\n"),
    Case(
        "process hash",
        KERNEL,
        1,
        "x = hash('a')\n",
        "class _A:\n    def __hash__(self):\n        return hash(1)\n",
    ),
    Case("process hash", KERNEL, 1, "x = id(y)\n", "x = row.id\n"),
    Case("set order", KERNEL, 1, "for x in {1, 2}:\n    f(x)\n", "for x in (1, 2):\n    f(x)\n"),
    Case("set order", KERNEL, 1, "y = [x for x in set(z)]\n", "y = [x for x in sorted(set(z))]\n"),
    Case("set order", MODULE, 1, "y = list(set(a) - set(b))\n", "y = sorted(set(a) - set(b))\n"),
    Case("set order", MODULE, 2, "s = {1}\nf(*s)\n", "s = {1}\nf(*sorted(s))\n"),
    Case("set order", MODULE, 2, "s = {1}\nx = s.pop()\n", "s = [1]\nx = s.pop()\n"),
    Case("set order", MODULE, 1, "x = ','.join({'a'})\n", "x = ','.join(['a'])\n"),
    Case(
        "set order",
        MODULE,
        2,
        "def _f(s: frozenset[int]):\n    return {x: 1 for x in s}\n",
        "def _f(s: frozenset[int]):\n    return all(x > 1 for x in s)\n",
    ),
    Case(
        "set order",
        MODULE,
        4,
        "def _f():\n    s: set[int] = g()\n    def h():\n        return next(iter(s))\n",
        "def _f():\n    s: set[int] = g()\n    return {x.n for x in s}\ndef h(s):\n    list(s)\n",
    ),
    Case(
        "caught refusal",
        MODULE,
        3,
        "try:\n    f()\nexcept Refusal:\n    pass\n",
        "try:\n    f()\nexcept KeyError:\n    pass\n",
    ),
)


def broken(path: str, text: str, rule: str) -> list[int]:
    """The lines where one rule is broken, each once."""
    lines = [finding.line for finding in check_text(path, text) if finding.rule == rule]
    return list(dict.fromkeys(lines))


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.rule}: {case.breaks[:30]!r}")
def test_a_rule_finds_its_breach_and_lets_the_right_way_pass(case: Case) -> None:
    """
    Given a text that breaks a rule and one that follows it,
    when both are checked,
    then the rule finds the line of the first, and nothing in the second.
    """
    found = (broken(case.path, case.breaks, case.rule), broken(case.path, case.passes, case.rule))
    assert found == ([case.line], [])


def test_every_rule_of_the_table_has_a_case() -> None:
    """Given the table of rules, when the cases above are counted, then no rule is without one."""
    assert {rule.name for rule in RULES} == {case.rule for case in CASES}


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (STORE, "x = 1.5 / 2\nfor y in {1}:\n    z = y.lower()\n"),
        (KERNEL, "from tongbao.kernel.context import View\nView(1)\n"),
        ("tools/lock.py", "import time\ntime.sleep(1)\n"),
        ("tests/kernel/histories.py", "def test_help():\n    pass\n"),
        ("docs/page.md", "x" * 200),
    ],
)
def test_a_rule_holds_only_where_it_should(path: str, text: str) -> None:
    """Given what a rule forbids elsewhere, when it stands here, then there is no finding."""
    texts = f'"""Why."""\n{text}' if path.endswith(".py") else text
    assert check_text(path, texts) == []


def test_a_file_that_is_not_python_is_one_finding() -> None:
    """Given a broken file, when it is checked, then its line is told instead of a crash."""
    found = check_text(STORE, '"""Why."""\nx = (\n')
    assert found == [Finding(STORE, 2, "syntax", "'(' was never closed")]


def test_every_folder_of_the_package_has_a_readme() -> None:
    """Given folders with and without README.md, when checked, then those without are told."""
    paths = [
        "src/tongbao/__init__.py",
        "src/tongbao/kernel/README.md",
        "src/tongbao/kernel/state.py",
        "src/tongbao/modules/hold/rules.py",
        "tests/kernel/test_state.py",
    ]
    assert [str(finding) for finding in check_folders(paths)] == [
        "src/tongbao/README.md:1: folder: the folder has no README.md",
        "src/tongbao/modules/hold/README.md:1: folder: the folder has no README.md",
    ]


def test_a_write_site_has_exactly_one_place() -> None:
    """
    Given three sites, of which one is used once, one twice and one never,
    when the files of the store are checked together,
    then the latter two are findings at their lines.
    """
    declared = "class Site(Enum):\n    ONCE = 1\n    TWICE = 2\n    NEVER = 3\n"
    used = "file.sync(Site.ONCE)\nfile.sync(Site.TWICE)\nfile.sync(Site.TWICE)\n"
    sources = [Source("src/tongbao/store/sites.py", declared), Source(STORE, used)]
    assert [(found.line, found.text.split(":")[0]) for found in check_sites(sources)] == [
        (3, "TWICE is used 2 times"),
        (4, "NEVER is used 0 times"),
    ]


def test_an_exception_covers_its_rule_and_is_told_when_idle() -> None:
    """Given an exception, when its rule is broken there or not, then nothing or the idle one."""
    path, rule = next(iter(ALLOWED))
    covered = Finding(path, 3, rule, "x")
    other = Finding(path, 4, "columns", "y")
    assert list(with_exceptions(path, [covered, other])) == [other]
    assert [(found.line, found.rule) for found in with_exceptions(path, [])] == [(1, rule)]


def test_without_git_the_files_that_tools_make_are_left_out(tmp_path: Path) -> None:
    """Given a folder that git does not know, when listed, then nothing that a tool made is in."""
    made = (".venv/lib/a.py", "build/bench.json", "src/__pycache__/a.pyc", "node_modules/b.js")
    ours = (".ci/run", ".gitignore", "src/tongbao/a.py")
    for name in (*made, *ours):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert project_files(tmp_path) == sorted(ours)
