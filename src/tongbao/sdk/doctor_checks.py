"""What `doctor` checks, one small function each: a case in, findings out."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Final

import msgspec

from tongbao.engines.solo.header import read_header
from tongbao.index.adding import hash_of
from tongbao.index.history import FILE as INDEX
from tongbao.index.looking import Seen
from tongbao.kernel import Genesis
from tongbao.kernel.envelope import encode_base64url
from tongbao.kernel.state import leaves_of
from tongbao.kernel.trie import Trie
from tongbao.sdk.choosing import choose_modules
from tongbao.sdk.doctor_case import TROUBLE, Case, Finding, Severity, exit_code_of
from tongbao.sdk.folder import OPEN_PASSPHRASE
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.presence import FILE as PRESENCE
from tongbao.sdk.presence import Presence
from tongbao.store.errors import DiskFull, StoreError, WrongChain
from tongbao.store.foreign import RowsHead
from tongbao.store.headers import Headers, line_of
from tongbao.store.log import SEGMENT_BYTES
from tongbao.store.recovery import Found
from tongbao.store.room import NAME as ROOM
from tongbao.store.room import ROOM_BYTES

WRONG: Final = 65
ROWS: Final = "rows"
HEADERS: Final = "headers"
INDEX_REPAIR: Final = "index"
LEFTOVERS: Final = "leftovers"
REPLAYED: Final = "replayed"
"""What `tongbao dev` makes when it plays a chain again."""

Findings = Iterator[Finding]


def check_genesis(case: Case) -> Findings:
    """The genesis file can be read, and says which chain this is."""
    if not isinstance(case.genesis, Genesis):
        yield _broken("genesis", case.genesis)
        return
    refused = case.log if isinstance(case.log, Exception) or case.blocks else case.rows_head
    if isinstance(refused, WrongChain) or not case.file("log").exists():
        # Where somebody has edited a line of genesis, that line is what is wrong.
        choose_modules(case.genesis, {}, -1, to_write=False)
    yield _fine("genesis", f"chain {case.chain}")


def check_trust(case: Case) -> Findings:
    """The trust file is the one of this genesis."""
    if not isinstance(case.genesis, Genesis):
        return
    wrong = case.place.foreign_trust(case.genesis)
    if wrong:
        yield Finding(check="trust", severity=Severity.BROKEN, text=wrong, exit_code=WRONG)
    elif case.place.trust_file.exists():
        yield _fine("trust", "trust.json belongs to genesis.json")
    else:
        yield _note("trust", "there is no trust.json: `tongbao proof trust` writes it")


def check_holder(case: Case) -> Findings:
    """Whether a process has the folder open, and what one that was killed left."""
    said = None
    with suppress(FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        said = msgspec.json.decode(case.file(PRESENCE).read_bytes(), type=Presence)
    if case.holder:
        serves = said is not None and str(said.process) == case.holder
        where = f" and serves it at {said.address}" if said is not None and serves else ""
        yield _note("process", f"process {case.holder} has the folder open{where}")
        return
    yield _fine("process", "nobody has the folder open")
    if said is not None:
        text = f"process {said.process} was killed while it served at {said.address}"
        yield _mends("process", f"{text}: its node.json is looked through")


def check_keys(case: Case) -> Findings:
    """The keys are files that their owner alone may read, and one may sign blocks."""
    if not case.place.keys.is_dir():
        yield _note("keys", "there is no keys/: the chain can only be read here")
        return
    keystore = Keystore(case.place.keys)
    found = set()
    for name in keystore.names():
        try:
            found.add(encode_base64url(keystore.public_key(name)))
        except TROUBLE as error:
            yield _broken("keys", error)
        else:
            yield _fine("keys", f"{name}: its owner alone may read it; nobody has unlocked it here")
    if isinstance(case.genesis, Genesis) and not found & set(case.genesis.engine.keys):
        yield _note("keys", "none of them is the authority's: no block can be signed here")
    if case.file(OPEN_PASSPHRASE).exists():
        text = f"{OPEN_PASSPHRASE} opens the keys for everybody who has the folder"
        yield _note("keys", text, "keep it in a developer's folder alone")


def check_log(case: Case) -> Findings:
    """Every segment and block of the log is whole."""
    if not isinstance(case.log, Found):
        yield _broken("log", case.log)
        return
    count = len(case.log.places)
    if not count:
        yield _note("log", "there is no block yet: the authority's next start makes block 0")
    else:
        yield _fine("log", f"{count} blocks, up to block {count - 1}, all whole")
    if case.log.torn is None:
        return
    where = f"{case.log.torn} goes on behind byte {case.log.cut}"
    if case.holder:
        yield _fine("log", f"{where} with a block that is being written")
    else:
        yield _mends("log", f"{where} with a block that nobody was told of: it is cut")


def check_headers(case: Case) -> Findings:
    """The copy of the headers has a line for each block."""
    found, blocks = case.headers, case.blocks
    if isinstance(found, Exception):
        yield _broken("headers", found)
    elif not isinstance(case.log, Found):
        count = 0 if found is None else found.count
        yield _note("headers", f"{count} headers, kept as evidence while the log is not whole")
    elif case.holder:
        yield _fine("headers", f"{0 if found is None else found.count} headers, of a running node")
    elif found is None:
        yield _missing("headers", blocks)
    else:
        yield _judged_headers(case, found)


def _judged_headers(case: Case, found: Headers) -> Finding:
    """What a start would do with the copy of the headers."""
    last = found.count - 1
    record = case.record(last) if found.count else None
    if not found.is_whole:
        behind = f"behind block {last}" if found.count else "or another chain's"
        return _removable(case, "headers", f"the copy is damaged {behind}: it is made again")
    if record is not None and found.read(last, last) != [line_of(record)]:
        return _removable(case, "headers", "the copy is of another history: it is made again")
    if found.count < case.blocks:
        text = f"the copy ends with block {last}: {case.blocks - found.count} are added"
        return _mends("headers", text)
    return _fine("headers", f"{found.count} headers, each of its block")


def check_rows(case: Case) -> Findings:
    """The rows are whole, of this chain, and not ahead of the log."""
    head = case.rows_head
    if isinstance(head, Exception):
        yield _unreadable_rows(case, head)
        return
    readers = [] if case.rows is None else case.rows.readers()
    others = ", ".join(each for each in readers if each != case.holder)
    if others:
        text = f"process {others} reads the rows: while a reader stays, the file grows"
        yield _note("rows", text, "end it if it is there when you run this again")
    if not isinstance(case.log, Found):
        known = "there are none" if head is None else f"they go up to block {head.height}"
        yield _note("rows", f"{known}; kept as evidence while the log is not whole")
    elif head is None:
        yield _missing("rows", case.blocks)
    elif case.holder or head.height == case.blocks - 1:
        yield _fine("rows", f"of block {head.height}")
    else:
        count = case.blocks - 1 - head.height
        yield _mends("rows", f"of block {head.height}: {count} later ones are caught up with")


def _unreadable_rows(case: Case, error: Exception) -> Finding:
    """Rows that can't be read: the log makes them again, where there is one."""
    if case.holder:
        return _note("rows", str(error))
    if case.blocks and isinstance(error, StoreError):
        return _removable(case, ROWS, f"{error}: they are made again from the log")
    return _broken("rows", error)


def check_root(case: Case) -> Findings:
    """All rows together have the root that the last header commits to."""
    if not case.is_deep or not case.blocks or not isinstance(case.rows_head, RowsHead):
        return
    rows = case.settled()
    registry, _ = case.registry(to_write=False)
    found = Trie.load(leaves_of(rows, registry.tables)).root.hex()
    at = case.rows_head.height if case.holder else case.blocks - 1
    if len(rows.heights) > 1 or not rows.heights <= {case.rows_head.height}:
        yield _note("root", "blocks were made while rows were read", "ask again when it is quiet")
        return
    record = case.record(at)
    if record is None:
        yield _note("root", "block was made while the log was read", "ask again when it is quiet")
        return
    if found == read_header(record.header)[0].state:
        yield _fine("root", f"the rows are those that the header of block {at} commits to")
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
        yield _removable(case, ROWS, f"{text}: they are made again from the log", check="root")


def check_index(case: Case) -> Findings:
    """The index is of this chain, and knows no block that the log lacks."""
    seen = case.index
    if seen is None:
        yield _fine("index", "there is none: a node that keeps history makes it")
    elif isinstance(seen, Exception):
        yield _unreadable_index(case, seen)
    elif not isinstance(case.log, Found):
        yield _note("index", f"of block {seen.height}")
    elif seen.height >= case.blocks and not case.holder:
        error = StoreError(
            f"{case.file(INDEX)} knows block {seen.height}, but the log ends with block "
            f"{case.blocks - 1}: blocks were lost, or the files are not of one moment. Bring back "
            "`log/` from a newer copy; if the log is right, remove the index"
        )
        yield _broken("index", error)
    else:
        yield _judged_index(case, seen)


def _judged_index(case: Case, seen: Seen) -> Finding:
    """What a node would do with an index that is not ahead."""
    if seen.has_journal:
        return _mends("index", "a killed node has left a journal, which the next one takes in")
    record = case.record(seen.height) if seen.height >= 0 else None
    if record is not None and hash_of(record) != seen.header:
        return _removable(case, INDEX_REPAIR, "it is of another history: a node makes it anew")
    if case.holder or seen.height == case.blocks - 1:
        return _fine("index", f"of block {seen.height}")
    return _mends("index", f"of block {seen.height}: a node adds the later ones")


def _unreadable_index(case: Case, error: Exception) -> Finding:
    """An index that can't be used: what is mended, and what somebody has mixed up."""
    if type(error) is StoreError and not case.holder:
        return _removable(case, INDEX_REPAIR, str(error))
    return _broken("index", error)


def check_modules(case: Case) -> Findings:
    """The code that is installed may decide the next block."""
    if not isinstance(case.log, Found):
        yield _note("modules", "which code decides is known once the log is whole")
        return
    registry, is_lost = case.registry(to_write=True)
    if is_lost:
        text = "the rows lack what the log says of upgrades: they are made again from it"
        yield _removable(case, ROWS, text, check="modules")
    names = ", ".join(module.name for module in registry.modules)
    yield _fine("modules", f"the code of block {case.blocks} is installed: {names}")


def check_leftovers(case: Case) -> Findings:
    """What processes left that were killed at work."""
    if case.holder:
        return  # it may be at that work now
    if (case.file(REPLAYED) / "complete").exists():
        text = "replayed/ is complete, but was not put in its place: `tongbao dev` does that"
        yield _note("leftovers", text, "don't remove it: files may have been moved already")
    elif case.file(REPLAYED).exists():
        yield _leftover(case, REPLAYED, "a replay of `tongbao dev` that was cut short")
    if case.file(ROOM).exists():
        yield _leftover(case, ROOM, "a file that tried for space", Severity.MENDS)
    yield from (
        _leftover(case, name, what)
        for name, what in (
            ("state.new", "rows that a start had begun to make"),
            (f"{INDEX}.damaged", "an index that was set aside"),
            ("genesis.part", "a file that was not written to its end"),
            ("trust.part", "a file that was not written to its end"),
            (f"{PRESENCE}.part", "a file that was not written to its end"),
        )
        if case.file(name).exists()
    )


def check_space(case: Case) -> Findings:
    """The disk has space for blocks to come; quotas are not seen."""
    free = shutil.disk_usage(case.place.path).free
    text = f"{free // 1_000_000} MB are free"
    if free < ROOM_BYTES:
        yield _broken("space", DiskFull(f"{text}: make room, no block fits"))
    elif free < SEGMENT_BYTES:
        yield _note("space", text, "make room soon")
    else:
        yield _fine("space", text)


CHECKS: Final[tuple[tuple[str, Callable[[Case], Findings]], ...]] = (
    ("genesis", check_genesis),
    ("process", check_holder),
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
        return [_broken(name, error)]


def _fine(check: str, text: str) -> Finding:
    return Finding(check=check, severity=Severity.FINE, text=text)


def _note(check: str, text: str, do: str = "") -> Finding:
    return Finding(check=check, severity=Severity.NOTE, text=text, do=do)


def _mends(check: str, text: str) -> Finding:
    return Finding(check=check, severity=Severity.MENDS, text=text)


def _broken(check: str, error: Exception) -> Finding:
    return Finding(
        check=check,
        severity=Severity.BROKEN,
        text=str(error),
        do=getattr(error, "advice", ""),
        exit_code=exit_code_of(error),
    )


def _missing(check: str, blocks: int) -> Finding:
    if not blocks:
        return _fine(check, "there are none yet")
    return _mends(check, f"there are none: they are made again from the log's {blocks} blocks")


def _removable(case: Case, repair: str, text: str, check: str = "") -> Finding:
    """Damage that a start mends, and that can be removed before, since the log is whole."""
    names = {
        ROWS: ("state",),
        HEADERS: ("headers",),
        INDEX_REPAIR: (INDEX, f"{INDEX}-wal", f"{INDEX}-shm", f"{INDEX}-journal"),
    }[repair]
    is_safe = isinstance(case.log, Found) and bool(case.blocks) and not case.holder
    return Finding(
        check=check or repair,
        severity=Severity.MENDS,
        text=text,
        repair=repair if is_safe else "",
        paths=tuple(str(case.file(name)) for name in names) if is_safe else (),
    )


def _leftover(case: Case, name: str, what: str, severity: Severity = Severity.NOTE) -> Finding:
    path = str(case.file(name))
    return Finding(
        check="leftovers",
        severity=severity,
        text=f"{path} is {what}",
        repair=LEFTOVERS,
        paths=(path,),
    )
