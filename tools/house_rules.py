"""The house rules that no other linter knows: `python -m tools.house_rules`.

A rule is one line of `RULES`: its name, the files it holds for, and what it looks for. Each
finding is printed as `file:line: rule: what is wrong`; the last line is the verdict.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from tools import house_checks as find
from tools.house_sets import set_order
from tools.house_sites import SITES, sites_not_used_once, without_site
from tools.house_source import Rule, Source, ending, everything, test_files, under

ROOT = Path(__file__).parents[1]
PACKAGE = "src/tongbao"
MADE = re.compile(r"(^|/)(\.(?!ci/|gitignore|editorconfig)[^/]*|build|dist|node_modules)/|\.pyc$")

DECIDING = under(f"{PACKAGE}/kernel/", f"{PACKAGE}/modules/")
MODULES = under(f"{PACKAGE}/modules/")
KEEPING = under(f"{PACKAGE}/store/", but=(f"{PACKAGE}/store/disk.py",))
PYTHON = ending(".py")
TYPESCRIPT = ending(".ts")
PUBLIC = under("src/", "tools/", "bench/", "examples/")
CODE = ending(".py", ".sh", ".toml", ".js", ".mjs", ".ts", ".yml", "Makefile", ".ci/run")
WRITTEN = ending(".py", ".sh", ".toml", ".js", ".mjs", ".ts", ".yml", ".md", "Makefile", ".ci/run")
NOT_KERNEL = under("src/", "tests/", "bench/", "examples/", but=(f"{PACKAGE}/kernel/",))

RULES = (
    Rule("file length", CODE, find.long_file),
    Rule("function length", PYTHON, find.long_function),
    Rule("columns", CODE, find.wide_line),
    Rule("docstring of the file", PYTHON, find.no_module_docstring),
    Rule("docstring", PUBLIC, find.no_docstring),
    Rule("doc comment", TYPESCRIPT, find.no_doc_comment),
    Rule("blind except", PYTHON, find.blind_except),
    Rule("unfinished", WRITTEN, find.unfinished),
    Rule("unfinished", PYTHON, find.unfinished_code),
    Rule("place", everything, find.elsewhere),
    Rule("context", NOT_KERNEL, find.handmade_context),
    Rule("sleep", under("src/", "tests/"), find.sleep),
    Rule("sleep", under("tests/"), find.any_sleep),
    Rule("pretence", under("tests/"), find.pretence),
    Rule("story", test_files, find.no_story),
    Rule("sentence", test_files, find.no_sentence),
    Rule("float", DECIDING, find.float_arithmetic),
    Rule("text tables", DECIDING, find.text_tables),
    Rule("process hash", DECIDING, find.hash_of_process),
    Rule("set order", DECIDING, set_order),
    Rule("caught refusal", MODULES, find.caught_refusal),
    Rule("write site", KEEPING, without_site),
)

ALLOWED = {
    ("src/tongbao/cli/main.py", "blind except"): (
        "the edge of the program: what a user can mend gets two lines, a bug is raised on"
    ),
    ("src/tongbao/sdk/announced.py", "blind except"): (
        "the edge to packages of others: whatever their import raises is told with their name"
    ),
    ("src/tongbao/cli/dev/worker.py", "blind except"): (
        "the edge of the worker: whatever code under development raises is told to its author"
    ),
    ("src/tongbao/engines/cometbft/engine.py", "blind except"): (
        "the edge of the engine's thread: whatever ends it is told to everyone who waits"
    ),
    ("src/tongbao/engines/solo/engine.py", "blind except"): (
        "the edge of the engine's thread: whatever ends it is told to everyone who waits"
    ),
    ("src/tongbao/node/processes/child.py", "blind except"): (
        "the edge of a process: whatever ends it is told to its supervisor"
    ),
    ("src/tongbao/simulation/storage/campaign.py", "blind except"): (
        "the edge of a voyage: whatever ends it is a finding, told with the seed that shows it"
    ),
    ("src/tongbao/store/snapshot/buckets.py", "write site"): (
        "what it writes is work beside a snapshot that has no name yet; nobody reads it again"
    ),
    ("src/tongbao/store/lock.py", "write site"): (
        "a lock keeps nothing: however its process ends, the next one takes it"
    ),
    ("src/tongbao/store/loader.py", "write site"): (
        "it reads alone: what it writes goes to nowhere and to its parent"
    ),
}
"""The exceptions, each with its reason: a path and the rule that does not hold there."""


class Finding(NamedTuple):
    """One breach of one rule; prints as `file:line: rule: what is wrong`."""

    path: str
    line: int
    rule: str
    text: str

    def __str__(self) -> str:
        """The line that an editor can jump to."""
        return f"{self.path}:{self.line}: {self.rule}: {self.text}"


def check_text(path: str, text: str) -> list[Finding]:
    """Everything that is wrong in one file, in the order of its lines."""
    source = Source(path, text)
    try:
        found = [
            Finding(path, line, rule.name, wrong)
            for rule in RULES
            if rule.applies(path)
            for line, wrong in rule.find(source)
        ]
    except SyntaxError as error:
        return [Finding(path, error.lineno or 1, "syntax", error.msg)]
    return sorted(found)


def with_exceptions(path: str, found: list[Finding]) -> Iterator[Finding]:
    """The findings that no exception covers, and each exception that covers nothing any more."""
    yield from (finding for finding in found if (path, finding.rule) not in ALLOWED)
    broken = {finding.rule for finding in found}
    for allowed, rule in ALLOWED:
        if allowed == path and rule not in broken:
            yield Finding(path, 1, rule, "the exception of this rule is not needed: remove it")


def check_folders(paths: Sequence[str]) -> list[Finding]:
    """Every folder of the package tells in a README what it is for."""
    files = [PurePosixPath(path) for path in paths]
    folders = {str(file.parent) for file in files if file.suffix == ".py"}
    told = {str(file.parent) for file in files if file.name == "README.md"}
    return [
        Finding(f"{folder}/README.md", 1, "folder", "the folder has no README.md")
        for folder in sorted(folders - told)
        if folder == PACKAGE or folder.startswith(f"{PACKAGE}/")
    ]


def check_sites(sources: Sequence[Source]) -> list[Finding]:
    """Every write site of the store is used at exactly one place."""
    return [Finding(SITES, line, "write site", text) for line, text in sites_not_used_once(sources)]


def project_files(root: Path) -> list[str]:
    """The project's files as git knows them, those not yet added among them.

    Where git knows nothing, as in an unpacked archive: all that is not made by a tool.
    """
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )
    if listed.returncode == 0:
        names = dict.fromkeys(name for name in listed.stdout.split("\0") if name)
    else:
        names = dict.fromkeys(path.relative_to(root).as_posix() for path in root.rglob("*"))
    return sorted(name for name in names if (root / name).is_file() and not MADE.search(name))


def check_project(paths: Sequence[str]) -> Iterator[Finding]:
    """Everything that is wrong in the project's text files."""
    for path in paths:
        content = (ROOT / path).read_bytes()
        if b"\0" not in content:
            found = check_text(path, content.decode("utf-8", errors="replace"))
            yield from with_exceptions(path, found)
    yield from check_folders(paths)
    keeping = [Source(path, (ROOT / path).read_text()) for path in paths if KEEPING(path)]
    yield from check_sites(keeping)


def main() -> int:
    """Print every finding and the verdict; 1 when there is a finding."""
    paths = project_files(ROOT)
    findings = list(check_project(paths))
    for finding in findings:
        print(finding)
    print(f"house rules: {len(paths)} files, {len(findings)} findings")
    return 1 if findings else 0


if __name__ == "__main__":
    sys.exit(main())
