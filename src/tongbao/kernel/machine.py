"""Everything that decides state lives in `kernel/` and `modules/`.

Nothing here knows who orders blocks, where bytes are kept, or what time it is. An engine hands over
blocks; the machine answers what they do. `apply` makes a candidate that `commit` keeps and
`discard` takes back without a trace; between the two nothing else may be asked to change.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from hashlib import sha256
from typing import Any, Final

from tongbao.kernel import jcs
from tongbao.kernel.assertions import require_assertions
from tongbao.kernel.authentication import KeysOf
from tongbao.kernel.beginning import find_authentication, write_sections, write_settings
from tongbao.kernel.block import Block, Decided
from tongbao.kernel.code import Code, kept_upgrades
from tongbao.kernel.context import Audit, View
from tongbao.kernel.execution import (
    admit,
    carry_out,
    check_lane,
    check_nonce,
    check_quickly,
    find_keys,
    next_due,
    run_due,
    use_nonce,
)
from tongbao.kernel.genesis import Genesis, chain_id, hash_of
from tongbao.kernel.halting import stopped
from tongbao.kernel.history import BlockUndo, Candidate, History, Past
from tongbao.kernel.identifiers import Count, Hash, Time
from tongbao.kernel.intake import Intake
from tongbao.kernel.job import QUERY_ROWS, Job, Meter
from tongbao.kernel.kernel_module import (
    BLOCK_ROWS,
    DUE_ITEMS,
    EXPIRY_MS,
    TRANSACTION_BYTES,
    TRANSACTION_ROWS,
    ModuleLine,
    features,
    halts,
    parameters,
    sponsorships,
    upgrades,
)
from tongbao.kernel.module import Module, Table
from tongbao.kernel.quotas import Quotas
from tongbao.kernel.reasons import Invalid, InvalidTransaction
from tongbao.kernel.receipt import Outcome, Receipt, Result
from tongbao.kernel.registry import Registry
from tongbao.kernel.reindex import wrong_entries
from tongbao.kernel.state import Backing, State, leaves_of
from tongbao.kernel.transaction import Payload, Transaction, decode_payload, id_of
from tongbao.kernel.trie import Trie
from tongbao.kernel.trie_proof import Proof

GENESIS_HEIGHT: Final = 0
SETTINGS: Final = (parameters, features, upgrades, halts)


class Machine(Intake):
    """The deterministic state machine of one chain."""

    def __init__(
        self,
        registry: Registry,
        genesis: Genesis,
        backing: Backing,
        height: int,
        time: int,
        trie: Trie | None = None,
        code: Mapping[str, Hash] | None = None,
    ) -> None:
        """Stand on the committed rows of `height`, -1 when genesis is still to be done.

        `trie` is that of these rows where somebody has made it already, `code` the hashes of the
        modules' packages, where that matters. Raises GenesisError, AssertionsAreOff.
        """
        require_assertions()
        super().__init__(registry, chain_id(genesis), {})
        self.genesis_file = genesis
        self.height = height
        self.time = time
        self.code = Code(genesis, registry, code)
        self.code.check(kept_upgrades(backing), height)
        authenticator, keys_of = find_authentication(genesis, registry)
        # Where one of these is written, who must sign is judged anew.
        self._keys_tables = (*authenticator.tables, sponsorships)
        self._trie = Trie.load(leaves_of(backing, registry.tables)) if trie is None else trie
        structures = [derived for module in registry.modules for derived in module.structures]
        self._state = State(backing, structures)
        self.reindexed = wrong_entries(registry, backing)
        """Index entries that an upgrade has moved, until the next block has written them."""
        self._reindex()
        self._history = History()
        self._candidate: Candidate | None = None
        self._settings()
        self._keys_changed = True  # the last block's rows are not known
        self._job = self._new_job(TRANSACTION_ROWS.name)
        self._admission = Job(registry, self._state, Meter(QUERY_ROWS, QUERY_ROWS))
        # Keys are looked up as the module that genesis lets authenticate.
        view = self._admission.context(View, authenticator, None)
        self._keys_of: KeysOf = partial(keys_of, view)
        self._quotas = self.quotas_for_admission()
        self._asking = self.quotas_for_admission()

    # What the chain is

    def _settings(self) -> None:
        """Read parameters and features out of their rows; declared defaults before genesis."""
        known = self.registry.parameters
        rows = {name: row.value for name, row in self._state.items(parameters)}
        self.parameters = {name: parameter.default for name, parameter in known.items()} | rows
        self.features = {name: row.height for name, row in self._state.items(features)}
        rows_of_halts = {name: row.until for name, row in self._state.items(halts)}
        self.halts = stopped(self.registry, rows_of_halts, self.time)
        self.code.follow(dict(self._state.items(upgrades)), self.height)

    def _new_job(self, limit: str) -> Job:
        job = Job(
            self.registry,
            self._state,
            Meter(self.parameters[limit], self.parameters[BLOCK_ROWS.name]),
        )
        self._place(job, self.height, self.time)
        return job

    def _place(self, job: Job, height: int, time: int) -> None:
        job.genesis = self.genesis_file
        job.parameters = self.parameters
        job.features = self.features
        job.halts = self.halts
        job.set_block(Count(max(height, 0)), Time(time))

    # The life of a block

    def genesis(self) -> Decided:
        """Decide block 0: parameters, features and every module's first rows.

        Raises GenesisError.
        """
        assert self.height == GENESIS_HEIGHT - 1, "this chain has begun"
        genesis = self.genesis_file
        assert genesis.origin is None, "this chain begins with the rows of another"
        write_settings(genesis, self.registry, self._state)
        self._settings()
        self._place(self._job, GENESIS_HEIGHT, genesis.time)
        write_sections(genesis, self._job)
        block = Block(height=Count(GENESIS_HEIGHT), time=genesis.time, transactions=())
        return self._decide(block, (), None)

    def apply(self, block: Block) -> Decided:
        """Decide a block: due work first, then one result for each transaction, always.

        Raises UpgradeNeeded, and changes nothing, from the block on that needs other code.
        """
        self.code.require(block.height)
        assert self._candidate is None, "commit or discard the block before"
        assert block.height == self.height + 1, (block.height, self.height)
        assert block.time > self.time, (block.time, self.time)
        assert not self._state.journal
        job = self._job
        self._place(job, block.height, block.time)
        self._place(self._admission, block.height, block.time)
        job.meter.block_used = job.meter.used = 0
        job.meter.limit = self.parameters[TRANSACTION_ROWS.name]
        job.meter.block_limit = self.parameters[BLOCK_ROWS.name]
        due = run_due(job, self.parameters[DUE_ITEMS.name])
        self._quotas.begin(block.time, self.parameters)
        results = tuple([self._transaction(wire) for wire in block.transactions])
        self._quotas.write(self._state)
        return self._decide(block, results, due)

    def _transaction(self, wire: bytes) -> Result:
        """The result of one transaction, whatever its bytes are."""
        transaction_id = b""
        mark = len(self._state.journal)
        try:
            transaction = self.decode(wire)
            transaction_id = transaction.id
            self._admit(transaction)
            payload = transaction.payload
            use_nonce(self._job, payload.sender, payload.lane, payload.nonce)
            charge = self._quotas.ask(payload) if self._quotas.is_on else None
        except InvalidTransaction as error:
            self._state.rollback(mark)
            number = error.why.number
            receipt: Receipt[Any] = Receipt(outcome=Outcome.INVALID.value, number=number)
            return Result(transaction_id, Outcome.INVALID, number, jcs.encode(receipt))
        if charge is not None:
            self._quotas.pay(charge)
        return carry_out(self._job, transaction_id, payload)

    def _decide(self, block: Block, results: tuple[Result, ...], due: bytes | None) -> Decided:
        """Compute the state difference and root of what was written since the last block."""
        values, old_rows, leaves = self._state.difference()
        for entry, row_key in self.reindexed.items():
            values.setdefault(entry, row_key)
        undo = self._trie.update(leaves)
        decided = Decided(
            height=block.height,
            time=block.time,
            results=results,
            due=due,
            state_root=self._trie.root,
            rows=tuple([(full_key, values[full_key]) for full_key in sorted(values)]),
        )
        self._candidate = Candidate(block.transactions, decided, old_rows, undo)
        return decided

    def commit(self) -> None:
        """Keep the candidate: it is the last block now."""
        candidate = self._candidate
        assert candidate is not None, "nothing is decided"
        journal = self._state.end_block()
        self.height, self.time = candidate.decided.height, candidate.decided.time
        self._history.add(BlockUndo(self.height, candidate.old_rows, candidate.undo))
        self._candidate = None
        self.reindexed = {}
        for wire in candidate.transactions:
            self._seen.pop(wire, None)
        tables = {table for *_, table, _ in journal}
        self._keys_changed = not tables.isdisjoint(self._keys_tables)
        if not tables.isdisjoint(SETTINGS):
            self._settings()
            self._keys_changed = True

    def discard(self) -> None:
        """Take the candidate back; no byte of it is left."""
        assert self._candidate is not None, "nothing is decided"
        self._trie.undo(self._candidate.undo)
        self._state.rollback(0)
        self._candidate = None

    def flushed(self) -> None:
        """The store's fast copy has caught up with the last committed block."""
        assert self._candidate is None
        self._state.flushed()
        self._reindex()

    def warm(self) -> None:
        """Read rows beforehand, as many as are kept anyway: for a machine that will decide."""
        self._state.warm(self.registry.tables.values())

    def _reindex(self) -> None:
        """Read the entries that an upgrade has moved; the next block's difference has them too."""
        for entry, row_key in self.reindexed.items():
            self._state.put_entry(entry, row_key)
        self._state.end_block()

    # Judging without deciding

    def check(self, wire: bytes, time: Time) -> Transaction:
        """Admission for a block of `time`: never runs a handler. Raises InvalidTransaction."""
        assert self._candidate is None
        if self._admission.time != time or self._admission.height != self.height + 1:
            self._place(self._admission, self.height + 1, time)
        transaction = self.decode(wire)
        self._admit(transaction)
        check_nonce(self._state, transaction.payload)
        self._ask(transaction.payload, time)
        return transaction

    def check_again(self, wire: bytes, time: Time) -> None:
        """As `check`, for what passed it before: only what changes while all have their keys.

        That is expiry, nonce, and whether its payer has the tokens. Raises InvalidTransaction.
        """
        known = self._seen.get(wire)
        if known is None or self._keys_changed:
            self.check(wire, time)
        else:
            check_quickly(self._state, known.payload, time, self.parameters[EXPIRY_MS.name])
            self._ask(known.payload, time)

    def quotas_for_admission(self) -> Quotas:
        """What transactions would cost whom, by the rows of now: counted by whoever asks."""
        return Quotas(self._state.read)

    def _ask(self, payload: Payload[Any], time: Time) -> None:
        """Whether who pays has the tokens in a block of `time`. Raises InvalidTransaction."""
        self._asking.begin(time, self.parameters)
        if self._asking.is_on:
            self._asking.ask(payload)

    def _admit(self, transaction: Transaction) -> None:
        self._admission.meter.used = 0
        expiry_ms = self.parameters[EXPIRY_MS.name]
        admit(self._admission.time, self._keys_of, self._state.read, transaction, expiry_ms)

    def dry_run(self, payload_bytes: bytes, time: Time) -> Result:
        """What a payload would do in a block of `time`, unsigned, thrown away afterwards."""
        assert self._candidate is None and not self._state.journal
        if (size := len(payload_bytes)) > self.parameters[TRANSACTION_BYTES.name]:
            raise InvalidTransaction(Invalid.TRANSACTION_IS_TOO_LARGE, f"{size} bytes")
        payload = decode_payload(self.registry.payload_decoder, payload_bytes)
        if payload.chain != self.chain:
            raise InvalidTransaction(Invalid.CHAIN_IS_ANOTHER, f"this chain is {self.chain}")
        job = self._new_job(TRANSACTION_ROWS.name)
        self._place(job, self.height + 1, time)
        self._place(self._admission, self.height + 1, time)
        self._admission.meter.used = 0
        keys, _ = find_keys(time, self._keys_of, payload, self.parameters[EXPIRY_MS.name])
        check_lane(payload, keys)
        self._ask(payload, time)
        try:
            use_nonce(job, payload.sender, payload.lane, payload.nonce)
            return carry_out(job, id_of(payload_bytes), payload)
        finally:
            self._state.rollback(0)

    def next_due(self) -> Time | None:
        """The earliest time at which due work waits, None when nothing does."""
        self._place(self._job, self.height, self.time)
        return next_due(self._job)

    # Reading

    @property
    def state_root(self) -> bytes:
        """The root of all live rows, a candidate's included."""
        return self._trie.root

    @property
    def row_count(self) -> int:
        """How many rows live."""
        return len(self._trie)

    @property
    def genesis_hash(self) -> bytes:
        """The hash that the chain's id begins."""
        return hash_of(self.genesis_file)

    def view(self, module: Module) -> View:
        """Reads of one module as its queries see it, after the last committed block."""
        return self._query_job().context(View, module, None)

    def audit(self, module: Module) -> Audit:
        """Reads of one module as its invariants see it."""
        return self._query_job().context(Audit, module, None)

    def _query_job(self) -> Job:
        job = Job(self.registry, self._state, Meter(QUERY_ROWS, QUERY_ROWS))
        self._place(job, self.height, self.time)
        return job

    def lines(self, height: int) -> tuple[ModuleLine, ...]:
        """The modules that the block of a height needs, as far as is known today."""
        return self.code.lines(height)

    def row(self, table: Table[Any, Any], key: Any, height: int | None = None) -> bytes | None:
        """The bytes of a row at a height, the last committed one unless told.

        Raises LookupError for a height that is to come, or too long ago.
        """
        full_key = table.full_key(key)
        now = self._state.raw(full_key)
        if self._candidate is None and height in (None, self.height):
            return now
        return self._past().row(full_key, self.height if height is None else height, now)

    def prove(self, table: Table[Any, Any], key: Any, height: int | None = None) -> Proof:
        """The proof of a row's presence or absence. Raises LookupError as `row` does."""
        path = sha256(table.full_key(key)).digest()
        return self._past().prove(self._trie, path, self.height if height is None else height)

    def _past(self) -> Past:
        """What the state was: a candidate's writes are the newest to take back."""
        candidate = self._candidate
        if candidate is None:
            return self._history.past(self.height)
        height = candidate.decided.height
        undo = BlockUndo(height, candidate.old_rows, candidate.undo)
        return self._history.past(self.height, undo)

    def broken_invariants(self) -> list[str]:
        """The names of all invariants that do not hold over the whole state."""
        return [
            f"{module.name}.{invariant.__name__}"
            for module in self.registry.modules
            for invariant in module.invariants
            if not invariant(self.audit(module))
        ]
