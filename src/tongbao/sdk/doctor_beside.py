"""What `doctor` checks beside the blocks: process, keys, trust file, index, leftovers, space."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

import msgspec

from tongbao.engines.cometbft.keys import NODE_KEY, VALIDATOR_KEY, KeyFileError
from tongbao.engines.cometbft.statesync.laying import JOINING
from tongbao.engines.headers import is_network
from tongbao.index.adding import hash_of
from tongbao.index.history import FILE as INDEX
from tongbao.index.looking import Seen
from tongbao.kernel import Genesis
from tongbao.kernel.envelope import encode_base64url
from tongbao.sdk.doctor_case import INDEX_REPAIR, LEFTOVERS, TROUBLE, Case, removable
from tongbao.sdk.doctor_finding import (
    Finding,
    Severity,
    broken,
    fine,
    mends,
    note,
)
from tongbao.sdk.folder import OPEN_PASSPHRASE
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.network import home_of, keys_of
from tongbao.sdk.presence import FILE as PRESENCE
from tongbao.sdk.presence import Presence, parent_of
from tongbao.sdk.pruning import PART
from tongbao.store.errors import DiskFull, StoreError
from tongbao.store.log import SEGMENT_BYTES
from tongbao.store.recovery import Found
from tongbao.store.room import NAME as ROOM
from tongbao.store.room import ROOM_BYTES

WRONG: Final = 65
REPLAYED: Final = "replayed"
"""What `tongbao dev` makes when it plays a chain again."""

Findings = Iterator[Finding]


def check_trust(case: Case) -> Findings:
    """The trust file is the one of this genesis."""
    if not isinstance(case.genesis, Genesis):
        return
    wrong = case.place.foreign_trust(case.genesis)
    if wrong:
        yield Finding(check="trust", severity=Severity.BROKEN, text=wrong, exit_code=WRONG)
    elif case.place.trust_file.exists():
        yield fine("trust", "trust.json belongs to genesis.json")
    else:
        yield note("trust", "there is no trust.json: `tongbao proof trust` writes it")


def check_holder(case: Case) -> Findings:
    """Whether a process has the folder open, and what one that was killed left."""
    said = None
    with suppress(FileNotFoundError, msgspec.DecodeError, UnicodeDecodeError):
        said = msgspec.json.decode(case.file(PRESENCE).read_bytes(), type=Presence)
    if case.holder:
        where = "" if said is None else _served(said, case.holder)
        yield note("process", f"process {case.holder} has the folder open{where}")
        return
    yield fine("process", "nobody has the folder open")
    if said is not None:
        text = f"process {said.process} was killed while it served at {said.address}"
        yield mends("process", f"{text}: its node.json is looked through")


def _served(said: Presence, holder: str) -> str:
    """Where a folder is served by the process that has it open, or by the one that started that."""
    if str(said.process) == holder:
        return f" and serves it at {said.address}"
    if str(said.process) == parent_of(holder):
        return f" for process {said.process}, which serves it at {said.address}"
    return ""


def check_keys(case: Case) -> Findings:
    """The keys are files that their owner alone may read, and one may sign blocks."""
    if not case.place.keys.is_dir():
        yield note("keys", "there is no keys/: the chain can only be read here")
        return
    keystore = Keystore(case.place.keys)
    found = set()
    for name in keystore.names():
        try:
            found.add(encode_base64url(keystore.public_key(name)))
        except TROUBLE as error:
            yield broken("keys", error)
        else:
            yield fine("keys", f"{name}: its owner alone may read it; nobody has unlocked it here")
    if isinstance(case.genesis, Genesis) and is_network(case.genesis):
        yield from _network_keys(case, case.genesis)
    elif isinstance(case.genesis, Genesis) and not found & set(case.genesis.engine.keys):
        yield note("keys", "none of them is the authority's: only a signer can sign blocks here")
    if case.file(OPEN_PASSPHRASE).exists():
        text = f"{OPEN_PASSPHRASE} opens the keys for everybody who has the folder"
        yield note("keys", text, "keep it in a developer's folder alone")


def _network_keys(case: Case, genesis: Genesis) -> Findings:
    """The keys in CometBFT's home, by which this node is known to the others of its network."""
    try:
        keys = keys_of(case.place.path)
    except (KeyFileError, OSError) as error:
        yield note("keys", f"no node of the network can run here: {error}")
        return
    began = keys.validator in genesis.engine.keys
    votes = "it voted on the first blocks" if began else "it votes if governance has let it"
    yield fine("keys", f"the node {keys.node} has its key {keys.validator}: {votes}")
    files = [home_of(case.place.path) / name for name in (NODE_KEY, VALIDATOR_KEY)]
    for file in files:
        if file.stat().st_mode & 0o077:
            text = f"{file} may be read by others than its owner"
            yield note("keys", text, f"chmod 600 {file}; who may have read it, may vote for you")


def check_index(case: Case) -> Findings:
    """The index is of this chain, and knows no block that the log lacks."""
    seen = case.index
    if seen is None:
        yield fine("index", "there is none: a node that keeps history makes it")
    elif isinstance(seen, Exception):
        yield _unreadable_index(case, seen)
    elif not isinstance(case.log, Found):
        yield note("index", f"of block {seen.height}")
    elif seen.height >= case.blocks and not case.holder:
        error = StoreError(
            f"{case.file(INDEX)} knows block {seen.height}, but the log ends with block "
            f"{case.blocks - 1}: blocks were lost, or the files are not of one moment. Bring back "
            "`log/` from a newer copy; if the log is right, remove the index"
        )
        yield broken("index", error)
    else:
        yield _judged_index(case, seen)


def _judged_index(case: Case, seen: Seen) -> Finding:
    """What a node would do with an index that is not ahead."""
    if seen.has_journal:
        return mends("index", "a killed node has left a journal, which the next one takes in")
    line = case.header_line(seen.height) if seen.height >= 0 else None
    if line is not None and hash_of(line) != seen.header:
        return removable(case, INDEX_REPAIR, "it is of another history: a node makes it anew")
    first = case.log.first if isinstance(case.log, Found) else 0
    if seen.height + 1 < first and not case.holder:
        text = f"of block {seen.height}, and bodies begin with block {first}: a node makes it anew"
        return mends("index", text)
    if case.holder or seen.height == case.blocks - 1:
        return fine("index", f"of block {seen.height}")
    return mends("index", f"of block {seen.height}: a node adds the later ones")


def _unreadable_index(case: Case, error: Exception) -> Finding:
    """An index that can't be used: what is mended, and what somebody has mixed up."""
    if type(error) is StoreError and not case.holder:
        return removable(case, INDEX_REPAIR, str(error))
    return broken("index", error)


def check_leftovers(case: Case) -> Findings:
    """What processes left that were killed at work."""
    if case.holder:
        return  # it may be at that work now
    if (case.file(REPLAYED) / "complete").exists():
        text = "replayed/ is complete, but was not put in its place: `tongbao dev` does that"
        yield note("leftovers", text, "don't remove it: files may have been moved already")
    elif case.file(REPLAYED).exists():
        yield _leftover(case, REPLAYED, "a replay of `tongbao dev` that was cut short")
    if case.file(ROOM).exists():
        yield _leftover(case, ROOM, "a file that tried for space", Severity.MENDS)
    yield from (
        _leftover(case, name, what)
        for name, what in (
            ("state.new", "rows that a start had begun to make"),
            (f"{INDEX}.damaged", "an index that was set aside"),
            (PART, "a base that `tongbao prune` had begun to make"),
            (f"{PART}.new", "a base that `tongbao prune` had begun to make"),
            (JOINING, "a snapshot that the node had begun to join by"),
            ("genesis.part", "a file that was not written to its end"),
            ("trust.part", "a file that was not written to its end"),
            (f"{PRESENCE}.part", "a file that was not written to its end"),
        )
        if case.file(name).exists()
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


def check_space(case: Case) -> Findings:
    """The disk has space for blocks to come; quotas are not seen."""
    free = shutil.disk_usage(case.place.path).free
    text = f"{free // 1_000_000} MB are free"
    if free < ROOM_BYTES:
        yield broken("space", DiskFull(f"{text}: make room, no block fits"))
    elif free < SEGMENT_BYTES:
        yield note("space", text, "make room soon")
    else:
        yield fine("space", text)
