"""Count a chain's folder again: every header, root, row, index entry and invariant.

Nothing is taken over from what a node has computed: roots are made again from the block log, and
the rows of the fast copy must be exactly those that the log has written.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from msgspec.structs import replace

from tongbao.engines.headers import read_header
from tongbao.engines.solo import Producer
from tongbao.kernel import Genesis, Registry
from tongbao.kernel.module import Index
from tongbao.kernel.reindex import entries_of
from tongbao.kernel.state import PREFIX_BYTES, after_prefix
from tongbao.kernel.trie import Trie
from tongbao.sdk.block_checks import BlockChecks
from tongbao.sdk.folder import Folder
from tongbao.sdk.opening import open_producer
from tongbao.store.interface import AnyStore

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
        self._machine = producer.machine
        self._store = store
        self._progress = progress
        self._registry: Registry = producer.machine.registry
        self._findings: list[str] = []
        self._trie = Trie()
        self._genesis = genesis
        self._checks = BlockChecks(genesis)
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
        """The headers of the blocks below `first`, whose bodies were given up.

        On a node that joined later, the first one that there is stands for itself: what it says
        beside the state root nothing here can check.
        """
        begins = self._store.begins
        if begins:
            header = read_header(self._store.headers(begins, begins)[0].header)[0]
            self._checks = BlockChecks(self._genesis, header)
            self._state(begins)
            begins += 1
        for at in range(begins, first, STEP):
            lines = self._store.headers(at, min(at + STEP, first) - 1)
            for height, line in enumerate(lines, at):
                self._findings += self._checks.of_line(line, height)
                self._state(height)
            self._progress("headers", min(at + STEP, first), first)

    def _block(self, height: int) -> None:
        """One record of the log: its header, its place in the chain, and all that it commits to."""
        record = self._store.block(height)
        self._transactions += len(record.transactions)
        self._findings += self._checks.of_block(record, height)
        if height > self._store.base:
            self._trie.update(self._leaves(record.rows))
        self._state(height)

    def _state(self, height: int) -> None:
        """The state that a header commits to. States before the base nobody knows any more."""
        if height == self._store.base:
            self._trie.update(self._leaves(self._store.base_rows()))
        header = self._checks.header
        if header is None or height < self._store.base:
            return
        counted = self._trie.root.hex()
        right = header.state == counted
        self._find(right, f"block {height}: the state root is {counted}, not {header.state}")

    def _leaves(self, rows: Iterable[tuple[bytes, bytes | None]]) -> dict[bytes, bytes | None]:
        """The changes of the state trie; index entries are not in it."""
        return {
            sha256(key).digest(): None if value is None else sha256(value).digest()
            for key, value in rows
            if key[:PREFIX_BYTES] in self._registry.tables
        }

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
