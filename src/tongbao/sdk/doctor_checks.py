"""What `doctor` checks of the chain itself, one small function each: a case in, findings out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Final

from tongbao.engines.headers import read_header
from tongbao.kernel import Genesis
from tongbao.kernel.state import leaves_of
from tongbao.kernel.trie import Trie
from tongbao.sdk.choosing import choose_modules
from tongbao.sdk.doctor_beside import (
    check_holder,
    check_index,
    check_keys,
    check_leftovers,
    check_space,
    check_trust,
)
from tongbao.sdk.doctor_case import ROWS, TROUBLE, Case, removable
from tongbao.sdk.doctor_finding import (
    Finding,
    Severity,
    broken,
    fine,
    mends,
    missing,
    note,
)
from tongbao.sdk.opening import no_base
from tongbao.store.errors import StoreError, WrongChain
from tongbao.store.foreign import RowsHead
from tongbao.store.headers import Headers
from tongbao.store.recovery import Found

Findings = Iterator[Finding]


def check_genesis(case: Case) -> Findings:
    """The genesis file can be read, and says which chain this is."""
    if not isinstance(case.genesis, Genesis):
        yield broken("genesis", case.genesis)
        return
    refused = case.log if isinstance(case.log, Exception) or case.blocks else case.rows_head
    if isinstance(refused, WrongChain) or not case.file("log").exists():
        # Where somebody has edited a line of genesis, that line is what is wrong.
        choose_modules(case.genesis, {}, -1, to_write=False)
    yield fine("genesis", f"chain {case.chain}")


def check_log(case: Case) -> Findings:
    """Every segment and block of the log is whole."""
    if not isinstance(case.log, Found):
        yield broken("log", case.log)
        return
    count = len(case.log.places)
    if not case.blocks:
        yield note("log", "there is no block yet: the authority's next start makes block 0")
    elif case.log.first:
        pruned = f"; the bodies of blocks 0 to {case.log.first - 1} were pruned"
        yield fine("log", f"{count} blocks, up to block {case.blocks - 1}, all whole{pruned}")
    else:
        yield fine("log", f"{count} blocks, up to block {count - 1}, all whole")
    if case.log.torn is None:
        return
    where = f"{case.log.torn} goes on behind byte {case.log.cut}"
    if case.holder:
        yield fine("log", f"{where} with a block that is being written")
    else:
        yield mends("log", f"{where} with a block that nobody was told of: it is cut")


def check_base(case: Case) -> Findings:
    """The base, which nothing else can make again where bodies were pruned, is whole."""
    base = case.base
    if isinstance(base, Exception):
        yield broken("base", base)
    elif base is None:
        if isinstance(case.genesis, Genesis) and case.genesis.origin is not None:
            yield broken("base", no_base(case.genesis.origin))
    elif isinstance(case.base_counts, Exception):
        yield broken("base", case.base_counts)
    else:
        rows, outcomes = case.base_counts
        text = f"{base.folder.name} has {rows} rows and {outcomes} outcomes, all whole"
        yield fine("base", text)
        if base.begins:
            text = f"joined by state sync: outcomes of blocks 0 to {base.begins} were never here"
            yield note("base", text, "ask a node that has been there from the beginning for them")


def check_headers(case: Case) -> Findings:
    """The copy of the headers has a line for each block."""
    found, blocks = case.headers, case.blocks
    if isinstance(found, Exception):
        yield broken("headers", found)
    elif not isinstance(case.log, Found):
        count = 0 if found is None else found.count
        yield note("headers", f"{count} headers, kept as evidence while the log is not whole")
    elif case.holder:
        yield fine("headers", f"{0 if found is None else found.count} headers, of a running node")
    elif found is None:
        yield missing("headers", blocks)
    else:
        yield _judged_headers(case, found)


def _judged_headers(case: Case, found: Headers) -> Finding:
    """What a start would do with the copy of the headers."""
    last = found.stop - 1
    line = case.header_line(last) if found.count else None
    if not found.is_whole:
        behind = f"behind block {last}" if found.count else "or another chain's"
        return removable(case, "headers", f"the copy is damaged {behind}: it is made again")
    if line is not None and found.read(last, last) != [line]:
        return removable(case, "headers", "the copy is of another history: it is made again")
    if found.stop < case.blocks:
        text = f"the copy ends with block {last}: {case.blocks - found.stop} are added"
        return mends("headers", text)
    return fine("headers", f"{found.count} headers, each of its block")


def check_rows(case: Case) -> Findings:
    """The rows are whole, of this chain, and not ahead of the log."""
    head = case.rows_head
    if not isinstance(head, RowsHead) and isinstance(case.base_counts, Exception):
        text = "they can't be made again while the base is damaged"
        yield note("rows", text, "bring the base back first; what is there stays")
        return
    if isinstance(head, Exception):
        yield _unreadable_rows(case, head)
        return
    readers = [] if case.rows is None else case.rows.readers()
    others = ", ".join(each for each in readers if each != case.holder)
    if others:
        text = f"process {others} reads the rows: while a reader stays, the file grows"
        yield note("rows", text, "end it if it is there when you run this again")
    if not isinstance(case.log, Found):
        known = "there are none" if head is None else f"they go up to block {head.height}"
        yield note("rows", f"{known}; kept as evidence while the log is not whole")
    elif head is None:
        yield missing("rows", case.blocks)
    elif case.holder or head.height == case.blocks - 1:
        yield fine("rows", f"of block {head.height}")
    else:
        count = case.blocks - 1 - head.height
        yield mends("rows", f"of block {head.height}: {count} later ones are caught up with")


def _unreadable_rows(case: Case, error: Exception) -> Finding:
    """Rows that can't be read: the log makes them again, where there is one."""
    if case.holder:
        return note("rows", str(error))
    if case.blocks and isinstance(error, StoreError):
        return removable(case, ROWS, f"{error}: they are made again from the log")
    return broken("rows", error)


def check_root(case: Case) -> Findings:
    """All rows together have the root that the last header commits to."""
    if not case.is_deep or not case.blocks or not isinstance(case.rows_head, RowsHead):
        return
    rows = case.settled()
    registry, _ = case.registry(to_write=False)
    found = Trie.load(leaves_of(rows, registry.tables)).root.hex()
    at = case.rows_head.height if case.holder else case.blocks - 1
    if len(rows.heights) > 1 or not rows.heights <= {case.rows_head.height}:
        yield note("root", "blocks were made while rows were read", "ask again when it is quiet")
        return
    line = case.header_line(at)
    if line is None:
        yield note("root", "block was made while the log was read", "ask again when it is quiet")
        return
    if found == read_header(line.header)[0].state:
        yield fine("root", f"the rows are those that the header of block {at} commits to")
    elif case.holder:
        text = f"the rows are not those that the header of block {at} commits to"
        yield Finding(
            check="root",
            severity=Severity.BROKEN,
            text=text,
            do="stop the node, and run this again",
            exit_code=StoreError.exit_code,
        )
    else:
        text = f"the rows are not those that the header of block {at} commits to"
        yield removable(case, ROWS, f"{text}: they are made again from the log", check="root")


def check_modules(case: Case) -> Findings:
    """The code that is installed may decide the next block."""
    if not isinstance(case.log, Found):
        yield note("modules", "which code decides is known once the log is whole")
        return
    registry, is_lost = case.registry(to_write=True)
    if is_lost:
        text = "the rows lack what the log says of upgrades: they are made again from it"
        yield removable(case, ROWS, text, check="modules")
    names = ", ".join(module.name for module in registry.modules)
    yield fine("modules", f"the code of block {case.blocks} is installed: {names}")


CHECKS: Final[tuple[tuple[str, Callable[[Case], Findings]], ...]] = (
    ("genesis", check_genesis),
    ("process", check_holder),
    ("base", check_base),
    ("log", check_log),
    ("headers", check_headers),
    ("rows", check_rows),
    ("root", check_root),
    ("modules", check_modules),
    ("index", check_index),
    ("keys", check_keys),
    ("trust", check_trust),
    ("leftovers", check_leftovers),
    ("space", check_space),
)
"""By name, what nothing else opens without first."""
NEED_NO_CHAIN: Final = frozenset({"genesis", "process", "keys", "leftovers", "space"})


def findings_of(name: str, check: Callable[[Case], Findings], case: Case) -> list[Finding]:
    """What one check says; what it can't read is a finding too."""
    if not case.chain and name not in NEED_NO_CHAIN:
        return []
    try:
        return list(check(case))
    except TROUBLE as error:
        return [broken(name, error)]
