"""Compares histories with ledgers: pure functions, so that the tests can show that they can fail.

The ledger says in which order everything happened. It is replayed here by the rules of a bank and
of registers, in a few lines that know nothing of the code under test.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from msgspec import Struct

from tongbao.simulation.network.history import History, Operation, Pair, Payment

INVALID_BELOW: Final = 100
"""Numbers below are those of invalid transactions: they stand in a block and did nothing."""
FINDINGS_LIMIT: Final = 50

Place = tuple[int, int]


class Entry(Struct, frozen=True):
    """One transaction of a block. `sender` is "" where the bytes are no transaction."""

    id: str
    sender: str
    number: int

    @property
    def has_happened(self) -> bool:
        """Whether it was applied or refused, not invalid."""
        return self.number == 0 or self.number >= INVALID_BELOW


class LedgerBlock(Struct, frozen=True):
    """One block of one node: all of its header's bytes, and the transactions in order."""

    height: int
    header: bytes
    entries: tuple[Entry, ...]


Ledger = Sequence[LedgerBlock]


def check_agreement(ledgers: Mapping[str, Ledger]) -> list[str]:
    """Whether all nodes have the same blocks, as far as each has them, with the same outcomes."""
    findings = []
    blocks: dict[int, tuple[str, LedgerBlock]] = {}
    for name, ledger in ledgers.items():
        if not ledger:
            findings.append(f"{name} has no block")
        for theirs in ledger:
            first, ours = blocks.setdefault(theirs.height, (name, theirs))
            if ours != theirs:
                what = "header" if ours.header != theirs.header else "outcomes"
                findings.append(f"block {ours.height}: {name} has another {what} than {first}")
                break
    return findings


def whole(ledgers: Iterable[Ledger]) -> Ledger:
    """Every block that somebody has; who joined by a snapshot lacks those of before."""
    blocks = {block.height: block for ledger in ledgers for block in ledger}
    return [blocks[height] for height in sorted(blocks)]


def check_history(history: History, ledger: Ledger) -> list[str]:
    """Everything that is wrong with a history, given the order that a ledger says; at best []."""
    findings: list[str] = []
    places = _places(history, ledger, findings)
    findings += _acknowledged(history, places)
    findings += _in_real_time(history, places)
    findings += _replayed(history, ledger)
    return findings[:FINDINGS_LIMIT]


def _places(history: History, ledger: Ledger, findings: list[str]) -> dict[str, tuple[Place, int]]:
    """Where each operation stands and what it came to; notes what is doubled or of nobody."""
    senders = {*history.balances, *history.registers}
    places: dict[str, tuple[Place, int]] = {}
    for block in ledger:
        for index, entry in enumerate(block.entries):
            place = (block.height, index)
            if not entry.has_happened or entry.sender not in senders:
                continue
            if entry.id not in history.operations and block.height > history.since:
                findings.append(f"{entry.id} stands at {place}, and nobody has sent it")
            elif entry.id in places:
                findings.append(f"{entry.id} stands at {places[entry.id][0]}, and again at {place}")
            places[entry.id] = place, entry.number
    return places


def _acknowledged(history: History, places: Mapping[str, tuple[Place, int]]) -> Iterator[str]:
    """Nothing that was acknowledged is lost, stands elsewhere, or came to something else."""
    for operation in history.operations.values():
        found = places.get(operation.id)
        for told in operation.told:
            if found is None:
                yield f"{operation.id} was acknowledged by {told.node}, and is lost"
            elif found != ((told.height, told.index), told.number):
                yield (
                    f"{operation.id} came to {found[1]} at {found[0]}; {told.node} said "
                    f"{told.number} at {(told.height, told.index)}"
                )


def _in_real_time(history: History, places: Mapping[str, tuple[Place, int]]) -> Iterator[str]:
    """What was acknowledged before something else began stands before it (linearizability).

    From the last place to the first: nothing that stands later may have ended before this began.
    """
    done = [each for each in history.operations.values() if each.id in places]
    done.sort(key=lambda each: places[each.id][0], reverse=True)
    first_end: tuple[float, Operation] | None = None
    for operation in done:
        if first_end is not None and first_end[0] < operation.begun:
            earlier = first_end[1]
            yield (
                f"{earlier.id} was acknowledged before {operation.id} was sent, and stands behind "
                f"({places[earlier.id][0]}, {places[operation.id][0]})"
            )
        ended = operation.ended
        if ended is not None and (first_end is None or ended < first_end[0]):
            first_end = ended, operation


def _replayed(history: History, ledger: Ledger) -> Iterator[str]:
    """The bank and the registers by the ledger's order, and every read at its height."""
    balances, registers = dict(history.balances), dict(history.registers)
    total = sum(balances.values())
    reads: dict[int, list[int]] = {}
    for number, read in enumerate(history.reads):
        reads.setdefault(read.height, []).append(number)
        if read.height < read.least:
            yield f"{read.node} answered at {read.height}, asked for {read.least} at least"
    for block in ledger:
        if block.height > history.since:
            for entry in block.entries:
                operation = history.operations.get(entry.id)
                if operation is not None and entry.has_happened:
                    yield from _step(operation, entry, balances, registers)
            if sum(balances.values()) != total:
                yield f"block {block.height}: the total is {sum(balances.values())}, not {total}"
        for number in reads.pop(block.height, ()):
            read = history.reads[number]
            if read.units is not None and balances.get(read.account) != read.units:
                yield (
                    f"{read.node} said at {read.height} that {read.account} owns {read.units}: "
                    f"it is {balances.get(read.account)}"
                )
            if read.value is not None and registers.get(read.account) != read.value:
                yield (
                    f"{read.node} said at {read.height} that {read.account} holds {read.value}: "
                    f"it is {registers.get(read.account)}"
                )
    for height in sorted(reads):
        yield f"somebody read at block {height}, which the ledger does not have"


def _step(
    operation: Operation, entry: Entry, balances: dict[str, int], registers: dict[str, Pair]
) -> Iterator[str]:
    """One operation as a bank or a register carries it out."""
    what = operation.what
    if not isinstance(what, Payment):
        if entry.number == 0:
            registers[operation.sender] = what.value
        else:
            yield f"{entry.id} was refused with {entry.number}, and nothing spoke against it"
        return
    is_covered = balances[operation.sender] >= what.units
    if is_covered != (entry.number == 0):
        yield (
            f"{entry.id} came to {entry.number} with {balances[operation.sender]} units "
            f"where {what.units} were paid"
        )
    if entry.number == 0:
        balances[operation.sender] -= what.units
        balances[what.payee] += what.units


def final_state(history: History, ledger: Ledger) -> tuple[dict[str, int], dict[str, Pair]]:
    """What accounts own and registers hold at the end of a ledger."""
    balances, registers = dict(history.balances), dict(history.registers)
    for block in ledger:
        for entry in block.entries if block.height > history.since else ():
            operation = history.operations.get(entry.id)
            if operation is not None and entry.has_happened:
                list(_step(operation, entry, balances, registers))
    return balances, registers


def overtaken(history: History, ledger: Ledger) -> int:
    """How many operations stand behind a later nonce of their lane: they were reordered."""
    highest: dict[tuple[str, int], int] = {}
    count = 0
    for block in ledger:
        for entry in block.entries:
            operation = history.operations.get(entry.id)
            if operation is not None and entry.has_happened:
                lane = (operation.sender, operation.lane)
                count += operation.nonce < highest.get(lane, 0)
                highest[lane] = max(operation.nonce, highest.get(lane, 0))
    return count


def compare(what: str, wanted: Mapping[str, object], found: Mapping[str, object]) -> list[str]:
    """The lines in which two tables of accounts differ."""
    return [
        f"{what} of {name} is {found.get(name)}, and must be {wanted.get(name)}"
        for name in sorted({*wanted, *found})
        if wanted.get(name) != found.get(name)
    ]
