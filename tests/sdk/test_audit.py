"""An audit counts everything again, and finds what was changed."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from msgspec.structs import replace

from tongbao.engines.solo import Producer
from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Genesis,
    Machine,
    Message,
    Reference,
    Small,
    Time,
)
from tongbao.modules import asset
from tongbao.modules.registry import registry
from tongbao.sdk.audit import Auditor, AuditReport, silent
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.signer import SoftwareKey
from tongbao.store.memory import MemoryStore
from tongbao.store.record import BlockRecord

TIME = 1_790_000_000_000
AUTHORITY = SoftwareKey.from_seed(bytes(32))
ISSUER = SoftwareKey.from_seed(b"\x01" * 32)
HOLDER = SoftwareKey.from_seed(b"\x02" * 32)
LAST = 2

Change = Callable[[BlockRecord], BlockRecord]


class ChangedStore(MemoryStore):
    """A store whose disk somebody has changed: records by height, rows by what they begin with."""

    def __init__(self) -> None:
        """Begin unchanged."""
        super().__init__()
        self.changes: dict[int, Change] = {}
        self.lost = b"none"

    def block(self, height: int) -> BlockRecord:
        """The record as it was changed."""
        record = super().block(height)
        change = self.changes.get(height)
        return record if change is None else change(record)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """The rows without those that were lost."""
        return (pair for pair in super().scan(start, stop) if not pair[0].startswith(self.lost))


class Ledger:
    """A chain of three blocks, in memory: genesis, an asset's definition, its issue."""

    def __init__(self, authority: SoftwareKey = AUTHORITY) -> None:
        """Make the blocks, signed by a key that may or may not be the authority's."""
        opened = (single_key(ISSUER.key_id), single_key(HOLDER.key_id))
        self.genesis: Genesis = build_genesis(registry(), "audited", TIME, AUTHORITY.key_id, opened)
        self.store = ChangedStore()
        machine = Machine(registry(), self.genesis, self.store, -1, 0)
        self.producer = Producer(machine, self.store, authority)
        self.producer.begin()
        issuer, holder = genesis_address(0), genesis_address(1)
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        cny = AssetId(f"CNY.{issuer}")
        issue = asset.Issue(
            asset=cny, amount=Amount("9.00"), payee=holder, reference=Reference("r-1")
        )
        for nonce, message in enumerate((define, issue), 1):
            self.block(issuer, nonce, message)

    def block(self, sender: Address, nonce: int, message: Message) -> None:
        """Make one block out of one message."""
        expires = Time(TIME + 60_000)
        payload = payload_bytes(self.producer.machine.chain, sender, nonce, expires, (message,))
        self.producer.make((sign(payload, (ISSUER,)),), TIME + nonce)
        self.producer.maintain(idle=True)

    def audit(self) -> AuditReport:
        """Count it again."""
        return Auditor(self.genesis, self.producer, self.store, silent).run()


def test_a_sound_chain_is_counted_whole() -> None:
    """
    Given a sound chain,
    when it is audited,
    then everything is counted, the root is the machine's, and nothing is found.
    """
    ledger = Ledger()
    machine = ledger.producer.machine

    assert ledger.audit() == AuditReport(
        chain=machine.chain,
        height=LAST,
        blocks=3,
        transactions=2,
        rows=machine.row_count,
        index_entries=1,
        invariants=sum(len(module.invariants) for module in registry().modules),
        state_root=machine.state_root.hex(),
        findings=(),
    )


def test_progress_tells_every_stage_to_its_end() -> None:
    """
    Given a chain,
    when its audit is watched,
    then blocks, rows and invariants are told in this order, each to its end.
    """
    ledger = Ledger()
    told: dict[str, tuple[int, int]] = {}

    def watch(stage: str, done: int, total: int) -> None:
        told[stage] = done, total

    report = Auditor(ledger.genesis, ledger.producer, ledger.store, watch).run()

    counts = (report.blocks, report.rows, report.invariants)
    names = ("blocks", "rows", "invariants")
    expected = {name: (many, many) for name, many in zip(names, counts, strict=True)}
    assert list(told.items()) == list(expected.items())


@pytest.mark.parametrize(
    ("change", "findings"),
    [
        (lambda record: replace(record, header=b"x.y.z"), ["not a signed header"]),
        (
            lambda record: replace(record, header=record.header[:-4] + b"AAAA"),
            ["the header's signature is wrong"],
        ),
        (
            lambda record: replace(record, transactions=(b"x.y.z",)),
            ["the transactions root is", "the outcomes are not"],
        ),
        (
            lambda record: replace(record, receipts=(b"{}",)),
            ["the receipts root is", "the outcomes are not"],
        ),
        (
            lambda record: replace(record, receipts=(*record.receipts, b"{}", b"{}")),
            ["the receipts root is", "1 transactions have 3 receipts"],
        ),
        (lambda record: replace(record, rows=record.rows[1:]), ["the state root is"]),
        (
            lambda record: replace(record, outbox=((record.outbox[0][0], 2001),)),
            ["the outcomes are not"],
        ),
        (lambda record: replace(record, time=record.time + 1), ["another height or time"]),
    ],
    ids=[
        *("no header", "signature", "transaction", "receipt", "receipts", "rows", "outbox", "time")
    ],
)
def test_a_changed_record_is_found(change: Change, findings: list[str]) -> None:
    """
    Given a chain whose last record was changed,
    when it is audited,
    then the findings of blocks are of this one and say what differs.
    """
    ledger = Ledger()
    ledger.store.changes[LAST] = change
    found = [finding for finding in ledger.audit().findings if finding.startswith("block")]

    assert len(found) == len(findings)
    for said, expected in zip(found, findings, strict=True):
        assert said.startswith(f"block {LAST}: ")
        assert expected in said


def test_a_record_in_the_place_of_another_is_found() -> None:
    """
    Given a chain in which block 2 stands in the place of block 1,
    when it is audited,
    then it does not follow block 0, and its height is told.
    """
    ledger = Ledger()
    other = ledger.store.block(LAST)
    ledger.store.changes[1] = lambda _: other
    findings = ledger.audit().findings

    assert "block 1: it does not follow the block before it" in findings
    assert "block 1: its header says height 2" in findings
    assert "block 2: its time is not later than the block's before it" in findings


def test_headers_of_another_than_the_authority_are_found() -> None:
    """
    Given a chain whose headers a stranger has signed,
    when it is audited,
    then each block names the key that is no authority.
    """
    stranger = SoftwareKey.from_seed(b"\x03" * 32)

    assert Ledger(stranger).audit().findings == tuple(
        f"block {height}: {stranger.key_id} is no authority" for height in range(LAST + 1)
    )


def test_lost_rows_are_found_and_break_an_invariant() -> None:
    """
    Given a fast copy that has lost the holdings,
    when it is audited,
    then the rows are not those of the log, and issued is not held.
    """
    ledger = Ledger()
    ledger.store.lost = registry().table("asset.holdings").prefix

    assert ledger.audit().findings == (
        "the rows are not those that the blocks have written",
        "invariant asset.issued_is_held does not hold",
    )


def test_lost_index_entries_are_found() -> None:
    """
    Given a fast copy that has lost an index,
    when it is audited,
    then the index is named, and the root, which does not cover it, is as it was.
    """
    ledger = Ledger()
    index = next(each for each in registry().indexes.values() if each.name == "by_issuer")
    ledger.store.lost = index.prefix

    assert ledger.audit().findings == (
        "index asset.by_issuer does not list the rows of definitions",
    )
