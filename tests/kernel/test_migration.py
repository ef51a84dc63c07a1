"""A record that migrates is listed where its new version belongs, and taken off from there."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator

from tests.kernel.shelf_one import shelf as before
from tests.kernel.shelf_two import shelf as after
from tongbao.kernel import Block, Count, Id, Machine, Small, Time
from tongbao.kernel.state import Backing
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.testing import Chain, alice, named_key
from tongbao.testing.checks import check_indexes, rows_of
from tongbao.testing.genesis import genesis_of, registry_with


class Kept(Backing):
    """Rows that an earlier node has left, and those of the blocks since."""

    def __init__(self, rows: dict[bytes, bytes]) -> None:
        """Keep rows."""
        self.rows = dict(rows)

    def get(self, key: bytes) -> bytes | None:
        """One value."""
        return self.rows.get(key)

    def scan(self, start: bytes, stop: bytes) -> Iterator[tuple[bytes, bytes]]:
        """Values in order."""
        keys = sorted(self.rows)
        for key in keys[bisect_left(keys, start) : bisect_left(keys, stop)]:
            yield key, self.rows[key]


def listed(machine: Machine, level: int) -> int:
    """How many books a query lists."""
    return len(after.ranked(machine.view(after.module), Small(level)).rows)


def taken(machine: Machine, book: Id) -> Block:
    """A block in which alice takes a book."""
    message, time = after.Take(book=book), machine.time + 1
    payload = payload_bytes(machine.chain, alice, 4, Time(time + 1_000), (message,))
    wire = sign(payload, [named_key("alice")])
    return Block(height=Count(machine.height + 1), time=Time(time), transactions=(wire,))


def test_rows_of_an_earlier_version_are_listed_by_the_new_one() -> None:
    """
    Given three books of rank 5, kept by a module whose next version counts levels,
    when a machine with that version opens on their rows, takes one in a block that is discarded,
    then again in one that is committed, and its rows are brought up to it in between and after,
    then level 50 lists three and then two, rank 5 none, the indexes are those of the rows
    throughout, and the state root is that of the rows alone.
    """
    old = Chain(before.module)
    books = [old.apply("alice", before.Put(rank=Small(5))) for _ in range(3)]
    assert books[0] is not None
    registry = registry_with(after.module)
    kept = Kept(old.ledger.live.rows)
    known = old.machine
    machine = Machine(registry, genesis_of(registry), kept, known.height, known.time)
    assert (listed(machine, 50), listed(machine, 5)) == (3, 0)
    check_indexes(machine, rows_of(machine))
    assert machine.state_root == known.state_root

    machine.flushed()
    machine.apply(taken(machine, books[0]))
    machine.discard()
    assert (listed(machine, 50), listed(machine, 5)) == (3, 0)

    decided = machine.apply(taken(machine, books[0]))
    assert [result.number for result in decided.results] == [0]
    machine.commit()
    for key, value in decided.rows:
        if value is None:
            kept.rows.pop(key, None)
        else:
            kept.rows[key] = value
    machine.flushed()
    assert (listed(machine, 50), listed(machine, 5)) == (2, 0)
    check_indexes(machine, kept.rows)
