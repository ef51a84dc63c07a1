"""Every change of a disk in `store/` has a site, and every site one place in the code.

A site is where a process may die: the simulator and the campaign of kills go through all of them.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterable, Iterator

from tools.house_source import Found, Source, name_of, owner_of

DISKS = ("disk", "_disk", "file", "_file")
CHANGES = (
    *("append_to", "make_folder", "remove", "rename", "rewrite", "sync", "sync_folder", "truncate"),
    *("write", "writing"),
)
SYSTEM_CALLS = (
    *("fdatasync", "fsync", "ftruncate", "link", "makedirs", "mkdir", "open", "remove", "rename"),
    *("replace", "rmdir", "symlink", "truncate", "unlink", "write"),
)
PATH_CALLS = (
    *("hardlink_to", "mkdir", "rmdir", "symlink_to", "touch", "unlink", "write_bytes"),
    "write_text",
)
READS = ("disk_usage",)
SITES = "src/tongbao/store/sites.py"
WITHOUT = "this changes the disk: go through `Disk` with a `Site`"


def without_site(source: Source) -> Found:
    """A change of the disk at which no crash can be tried."""
    within = list(_writing(source))
    for node in source.nodes:
        if not isinstance(node, ast.Call):
            continue
        owner, name = owner_of(node.func), name_of(node.func)
        if owner in DISKS and name in CHANGES:
            if not (node.args and _is_site(node.args[-1])):
                yield node.lineno, f"{owner}.{name} names no `Site`"
        elif _changes_unseen(node, owner, name) and not any(node.lineno in one for one in within):
            yield node.lineno, WITHOUT


def _is_site(node: ast.expr) -> bool:
    return owner_of(node) == "Site" or name_of(node) == "site"


def _writing(source: Source) -> Iterator[range]:
    """The lines of each `with disk.writing(Site.X):`."""
    for node in source.nodes:
        if isinstance(node, ast.With) and any(
            isinstance(item.context_expr, ast.Call) and name_of(item.context_expr.func) == "writing"
            for item in node.items
        ):
            yield range(node.lineno, (node.end_lineno or node.lineno) + 1)


def _changes_unseen(node: ast.Call, owner: str, name: str) -> bool:
    """Whether a call changes a disk behind the back of `Disk`."""
    given = {word.arg: word.value for word in node.keywords}
    match owner, name:
        case "os", _:
            return name in SYSTEM_CALLS
        case "lmdb", "open":
            return not {"create", "readonly"} & given.keys()
        case _, "begin":
            return "write" in given
        case _, "open":
            return any(_writes(mode) for mode in (*node.args, *given.values()))
        case _, "replace":
            return len(node.args) == 1 and not given
        case _:
            return name in PATH_CALLS or (owner == "shutil" and name not in READS)


def _writes(mode: ast.expr) -> bool:
    return (
        isinstance(mode, ast.Constant)
        and isinstance(mode.value, str)
        and len(mode.value) <= len("rb+")
        and bool(set("wax+") & set(mode.value))
    )


def sites_not_used_once(sources: Iterable[Source]) -> Iterator[tuple[int, str]]:
    """Of all files of `store/`: a site without its place in the code, or with several."""
    used: Counter[str] = Counter()
    declared: dict[str, int] = {}
    for source in sources:
        for node in source.nodes:
            if isinstance(node, ast.Attribute) and owner_of(node) == "Site":
                used[node.attr] += 1
        if source.path == SITES:
            declared = dict(_declared(source))
    for name, line in declared.items():
        if used[name] != 1:
            yield line, f"{name} is used {used[name]} times: one site, one place"


def _declared(source: Source) -> Iterator[tuple[str, int]]:
    for node in source.nodes:
        if isinstance(node, ast.ClassDef) and node.name == "Site":
            for line in node.body:
                if isinstance(line, ast.Assign):
                    yield name_of(line.targets[0]), line.lineno
