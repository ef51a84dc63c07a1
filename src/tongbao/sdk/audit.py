"""Count a chain's folder again: every header, root, row, index entry and invariant.

Nothing is taken over from what a node has computed: roots are made again from the block log, and
the rows of the fast copy must be exactly those that the log has written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from tongbao.engines.solo import Producer
from tongbao.engines.solo.header import Header, HeaderError, header_hash, read_header, tree_root
from tongbao.kernel import Genesis, InvalidTransaction, Registry
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.genesis import chain_id, hash_of
from tongbao.kernel.module import Index
from tongbao.kernel.reindex import entries_of
from tongbao.kernel.state import PREFIX_BYTES, after_prefix
from tongbao.kernel.transaction import id_of
from tongbao.kernel.trie import Trie
from tongbao.sdk.folder import Folder
from tongbao.sdk.opening import open_producer
from tongbao.store.interface import AnyStore
from tongbao.store.record import BlockRecord, HeaderLine, line_of

FINDINGS_LIMIT: Final = 100
STEP: Final = 256

Progress = Callable[[str, int, int], None]
"""Told a stage's name, how much of it is done, and how much it is."""


class AuditReport(Struct, frozen=True, kw_only=True):
    """What an audit counted and found. An empty `findings` is what one hopes for.

    `findings` holds the first 100: of the trust file, then in the order of the blocks.
    """

    chain: str
    height: int
    blocks: int
    transactions: int
    rows: int
    index_entries: int
    invariants: int
    state_root: str
    findings: tuple[str, ...]


def silent(stage: str, done: int, total: int) -> None:
    """Progress that nobody watches."""


def audit_folder(folder: Path | str, progress: Progress = silent) -> AuditReport:
    """Audit the chain in a folder, which no other process may have open.

    Raises FolderError, StoreError (in use, damaged beyond reading), GenesisError.
    """
    place = Folder(folder)
    genesis = place.genesis()
    producer, store = open_producer(place, genesis, None)
    try:
        report = Auditor(genesis, producer, store, progress).run()
    finally:
        store.close()
    wrong = place.foreign_trust(genesis)
    findings = (wrong, *report.findings) if wrong else report.findings
    return replace(report, findings=findings[:FINDINGS_LIMIT])


class Auditor:
    """One audit under way."""

    def __init__(
        self, genesis: Genesis, producer: Producer, store: AnyStore, progress: Progress
    ) -> None:
        """Audit what a producer stands on; it makes no block meanwhile."""
        self._genesis = genesis
        self._machine = producer.machine
        self._store = store
        self._progress = progress
        self._registry: Registry = producer.machine.registry
        self._findings: list[str] = []
        self._trie = Trie()
        self._last: Header | None = None
        self._transactions = 0

    def run(self) -> AuditReport:
        """Count everything again."""
        height, first = self._machine.height, self._store.first
        self._pruned(first)
        for at in range(first, height + 1):
            self._block(at)
            if at % STEP == 0 or at == height:
                self._progress("blocks", at + 1 - first, height + 1 - first)
        rows = self._rows()
        entries = sum(map(self._index, self._registry.indexes.values()))
        return AuditReport(
            chain=self._machine.chain,
            height=height,
            blocks=height + 1 - first,
            transactions=self._transactions,
            rows=rows,
            index_entries=entries,
            invariants=self._invariants(),
            state_root=self._trie.root.hex(),
            findings=tuple(self._findings[:FINDINGS_LIMIT]),
        )

    def _find(self, is_good: bool, finding: str) -> None:
        if not is_good:
            self._findings.append(finding)

    # Blocks

    def _pruned(self, first: int) -> None:
        """The headers of the blocks below `first`, whose bodies were given up."""
        for at in range(0, first, STEP):
            lines = self._store.headers(at, min(at + STEP, first) - 1)
            for height, line in enumerate(lines, at):
                self._header(height, line)
            self._progress("headers", min(at + STEP, first), first)

    def _block(self, height: int) -> None:
        """One record of the log: its header, its place in the chain, and all that it commits to."""
        record = self._store.block(height)
        where = f"block {height}"
        self._transactions += len(record.transactions)
        if height > self._store.base:
            self._trie.update(self._leaves(record.rows))
        header = self._header(height, line_of(record))
        if header is None:
            return
        for name, said, counted in (
            ("transactions", header.transactions, tree_root(record.transactions)),
            ("receipts", header.receipts, tree_root(record.receipts)),
        ):
            self._find(said == counted, f"{where}: the {name} root is {counted}, not {said}")
        self._outcomes(record, where)

    def _header(self, height: int, line: HeaderLine) -> Header | None:
        """One signed header, its place in the chain, and the state that it commits to.

        States before the base are known to nobody any more.
        """
        where = f"block {height}"
        try:
            header, signer = read_header(line.header)
        except HeaderError as error:
            self._find(False, f"{where}: {error}")
            return None
        self._find(signer in self._genesis.engine.keys, f"{where}: {signer} is no authority")
        self._linked(header, where)
        self._find(
            (line.height, line.time) == (height, header.time),
            f"{where}: the record says another height or time than its header",
        )
        if height == self._store.base:
            self._trie.update(self._leaves(self._store.base_rows()))
        if height >= self._store.base:
            counted = self._trie.root.hex()
            right = header.state == counted
            self._find(right, f"{where}: the state root is {counted}, not {header.state}")
        self._last = header
        return header

    def _linked(self, header: Header, where: str) -> None:
        """The header stands on the one before it, block 0 on the genesis file."""
        last = self._last
        before = hash_of(self._genesis).hex() if last is None else header_hash(last)
        height = 0 if last is None else last.height + 1
        self._find(header.previous == before, f"{where}: it does not follow the block before it")
        self._find(header.height == height, f"{where}: its header says height {header.height}")
        self._find(header.chain == chain_id(self._genesis), f"{where}: it is of {header.chain}")
        later = last is None or header.time > last.time
        self._find(later, f"{where}: its time is not later than the block's before it")

    def _leaves(self, rows: Iterable[tuple[bytes, bytes | None]]) -> dict[bytes, bytes | None]:
        """The changes of the state trie; index entries are not in it."""
        return {
            sha256(key).digest(): None if value is None else sha256(value).digest()
            for key, value in rows
            if key[:PREFIX_BYTES] in self._registry.tables
        }

    def _outcomes(self, record: BlockRecord, where: str) -> None:
        """Ids and refusal numbers, which answer questions of status, agree with the receipts."""
        count = len(record.transactions)
        self._find(
            len(record.receipts) in (count, count + 1) and len(record.outbox) == count,
            f"{where}: {count} transactions have {len(record.receipts)} receipts",
        )
        told = [(bytes(found), number) for found, number in record.outbox]
        shown = list(map(_outcome, record.transactions, record.receipts))
        self._find(told == shown, f"{where}: the outcomes are not those of its receipts")

    # Rows

    def _rows(self) -> int:
        """The rows of the fast copy: as many as the log has left, and under the same root."""
        total = len(self._trie)
        leaves: dict[bytes, bytes] = {}
        for prefix in sorted(self._registry.tables):
            for key, value in self._scan(prefix):
                leaves[sha256(key).digest()] = sha256(value).digest()
                if len(leaves) % STEP == 0:
                    self._progress("rows", len(leaves), total)
        self._progress("rows", len(leaves), total)
        root = Trie.load(leaves.items()).root
        self._find(root == self._trie.root, "the rows are not those that the blocks have written")
        return len(leaves)

    def _index(self, index: Index[Any, Any, Any]) -> int:
        """An index lists exactly its table's rows, but for stuck ones; how many entries it has.

        What an upgrade has moved is written with the next block, and read as if it were already.
        """
        wanted = entries_of(index, self._store)
        moved = self._machine.reindexed.items()
        found: dict[bytes, bytes | None] = dict(self._scan(index.prefix))
        found |= {entry: row_key for entry, row_key in moved if entry.startswith(index.prefix)}
        found = {entry: row_key for entry, row_key in found.items() if row_key is not None}
        name = f"{index.module.name}.{index.name}"
        self._find(found == wanted, f"index {name} does not list the rows of {index.of.name}")
        return len(found)

    def _scan(self, prefix: bytes) -> Iterator[tuple[bytes, bytes]]:
        return self._store.scan(prefix, after_prefix(prefix))

    def _invariants(self) -> int:
        """Ask every invariant of every module; how many there are."""
        invariants = [
            (module, invariant)
            for module in self._registry.modules
            for invariant in module.invariants
        ]
        for at, (module, invariant) in enumerate(invariants, 1):
            holds = invariant(self._machine.audit(module))
            self._find(holds, f"invariant {module.name}.{invariant.__name__} does not hold")
            self._progress("invariants", at, len(invariants))
        return len(invariants)


class _Outcome(Struct):
    """The part of a receipt that a status tells."""

    outcome: str
    number: int = 0


_outcome_decoder: msgspec.json.Decoder[_Outcome] = msgspec.json.Decoder(_Outcome)


def _outcome(wire: bytes, receipt: bytes) -> tuple[bytes, int]:
    """The id of a transaction and the number in its receipt; an empty id when one is damaged."""
    try:
        return id_of(decode_envelope(wire).payload), _outcome_decoder.decode(receipt).number
    except (InvalidTransaction, msgspec.DecodeError):
        return b"", 0
