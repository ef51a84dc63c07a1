"""The checker of networks under faults: it says nothing of a true history, and can fail."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest
from msgspec.structs import replace

from tongbao.simulation.network.checking import (
    Entry,
    LedgerBlock,
    check_agreement,
    check_history,
    compare,
    final_state,
    overtaken,
    whole,
)
from tongbao.simulation.network.history import (
    History,
    Operation,
    Payment,
    Read,
    Told,
    Writing,
    pair_of,
)

NO_FUNDS = 3013
NONCE_WAS_USED = 15


@dataclass
class Told100:
    """A history in which Alice has 100, and what a ledger says of it."""

    history: History = field(
        default_factory=lambda: History(
            balances={"alice": 100, "bob": 0}, registers={"register": (1, 1)}, since=2
        )
    )
    blocks: list[LedgerBlock] = field(default_factory=list)

    def operation(
        self, name: str, what: Payment | Writing, begun: float, *told: Told, sender: str = "alice"
    ) -> Operation:
        """Something that was sent."""
        made = Operation(name, sender, 0, 1, what, begun=begun, told=list(told))
        self.history.operations[name] = made
        return made

    def block(self, *entries: Entry) -> None:
        """The next block."""
        height = 3 + len(self.blocks)
        self.blocks.append(LedgerBlock(height, b"header %d" % height, entries))

    def findings(self) -> list[str]:
        """What the checker says."""
        return check_history(self.history, self.blocks)


def true_history() -> Told100:
    """Two payments, one that was refused, a register written twice, and reads of all of it."""
    told = Told100()
    told.operation("one", Payment("bob", 60), 1.0, Told("node1", 2.0, 0, 3, 0))
    told.operation("two", Payment("bob", 60), 2.5, Told("node2", 3.0, NO_FUNDS, 4, 0))
    told.operation("three", Payment("bob", 40), 2.6, Told("node1", 3.0, 0, 4, 1))
    first = Told("node3", 3.5, 0, 4, 2)
    told.operation("write-1", Writing((1, 2)), 2.6, first, sender="register")
    second = Told("node3", 5.0, 0, 5, 0)
    told.operation("write-2", Writing((2, 2)), 4.0, second, sender="register")
    told.operation("unknown", Payment("bob", 1), 4.5)
    told.block(Entry("one", "alice", 0))
    told.block(
        Entry("two", "alice", NO_FUNDS),
        Entry("three", "alice", 0),
        Entry("write-1", "register", 0),
        Entry("one", "alice", NONCE_WAS_USED),
    )
    told.block(Entry("write-2", "register", 0), Entry("", "", 2))
    told.history.reads += [
        Read("node1", "alice", 3, 3, units=40),
        Read("node2", "bob", 4, 3, units=100),
        Read("node4", "register", 4, 4, value=(1, 2)),
        Read("node4", "register", 5, 4, value=(2, 2)),
    ]
    return told


def test_a_true_history_has_no_findings() -> None:
    """
    Given payments, refusals, writes, a doubled submission that did nothing, and reads,
    when the ledger says the same,
    then nothing is found, and the end is what a bank and a register come to.
    """
    told = true_history()
    assert told.findings() == []
    balances, registers = final_state(told.history, told.blocks)
    assert balances == {"alice": 0, "bob": 100}
    assert registers == {"register": (2, 2)}
    assert overtaken(told.history, told.blocks) == 0
    told.history.operations["one"].nonce = 9
    assert overtaken(told.history, told.blocks) == 2


def lose(told: Told100) -> None:
    """An acknowledged payment is in no block."""
    told.blocks[0] = replace(told.blocks[0], entries=())


def double(told: Told100) -> None:
    """A payment is carried out twice."""
    again = (*told.blocks[2].entries, Entry("three", "alice", 0))
    told.blocks[2] = replace(told.blocks[2], entries=again)


def swap(told: Told100) -> None:
    """A later write stands before an earlier one that was acknowledged before it began."""
    first, second = (told.history.operations[name] for name in ("write-1", "write-2"))
    first.told, second.told = (
        [Told("node3", 3.5, 0, 5, 0)],
        [Told("node3", 5.0, 0, 4, 2)],
    )
    told.blocks[1] = replace(
        told.blocks[1],
        entries=(*told.blocks[1].entries[:2], Entry("write-2", "register", 0)),
    )
    told.blocks[2] = replace(told.blocks[2], entries=(Entry("write-1", "register", 0),))
    told.history.reads = told.history.reads[:2]


def change(told: Told100) -> None:
    """What was said to be applied was refused."""
    entries = (Entry("one", "alice", NO_FUNDS),)
    told.blocks[0] = replace(told.blocks[0], entries=entries)


def invent(told: Told100) -> None:
    """A payment of Alice's that she never sent."""
    told.block(Entry("forged", "alice", 0))


def overdraw(told: Told100) -> None:
    """A payment without funds is applied."""
    told.operation("more", Payment("bob", 500), 6.0)
    told.block(Entry("more", "alice", 0))


def refuse(told: Told100) -> None:
    """A payment with funds is refused."""
    told.operation("covered", Payment("alice", 5), 6.0, sender="bob")
    told.block(Entry("covered", "bob", NO_FUNDS))


def misread(told: Told100) -> None:
    """A node says of a height what was never so."""
    told.history.reads.append(Read("node1", "bob", 4, 0, units=99))


def reread(told: Told100) -> None:
    """A node answers with a register's value of before."""
    told.history.reads.append(Read("node1", "register", 5, 0, value=(1, 2)))


def answer_early(told: Told100) -> None:
    """A node answers at an earlier height than it was asked for."""
    told.history.reads.append(Read("node1", "alice", 3, 4, units=40))


def read_nowhere(told: Told100) -> None:
    """A node answers at a height that no ledger has."""
    told.history.reads.append(Read("node1", "alice", 99, 0, units=0))


@pytest.mark.parametrize(
    ("harm", "sign"),
    [
        (lose, "is lost"),
        (double, "and again"),
        (swap, "stands behind"),
        (change, "said"),
        (invent, "nobody has sent it"),
        (overdraw, "came to 0"),
        (refuse, "came to 3013"),
        (misread, "owns 99"),
        (reread, "holds (1, 2)"),
        (answer_early, "asked for 4"),
        (read_nowhere, "does not have"),
    ],
)
def test_every_kind_of_wrong_is_found(harm: Callable[[Told100], None], sign: str) -> None:
    """
    Given a true history,
    when something in it, or in the ledger, is lost, doubled, reordered, changed or made up,
    then the checker says so.
    """
    told = true_history()
    harm(told)
    findings = told.findings()
    assert any(sign in finding for finding in findings), findings


def test_nodes_that_disagree_are_found() -> None:
    """
    Given the ledgers of three nodes, one of them shorter,
    when one has another header, or another outcome, at some height,
    then that block and that node are named; a shorter ledger alone is nothing wrong.
    """
    told = true_history()
    same = list(told.blocks)
    assert check_agreement({"node1": same, "node2": same, "node3": same[:2]}) == []
    forked = [*same[:2], replace(same[2], header=b"another")]
    (found,) = check_agreement({"node1": same, "node2": forked})
    assert "block 5" in found and "header" in found
    judged = [replace(same[0], entries=(Entry("one", "alice", NO_FUNDS),)), *same[1:]]
    (found,) = check_agreement({"node1": same, "node2": judged})
    assert "block 3" in found and "outcomes" in found
    assert check_agreement({"node1": same, "node2": []}) == ["node2 has no block"]
    assert check_agreement({"late": same[1:], "node1": same, "behind": same[:1]}) == []
    assert whole([same[1:], same[:2]]) == same


def test_every_register_value_is_written_once() -> None:
    """
    Given the pairs of thresholds that stand for values,
    when all of them are counted out,
    then each is within what an account may have, and none comes twice.
    """
    pairs = [pair_of(number) for number in range(255 * 256 // 2)]
    assert len(set(pairs)) == len(pairs)
    assert all(1 <= ordinary <= sensitive <= 255 for ordinary, sensitive in pairs)
    assert compare("it", {"a": 1, "b": 2}, {"a": 1, "b": 3}) == ["it of b is 3, and must be 2"]
