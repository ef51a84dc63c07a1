"""Range reads over overlay and backing are those of one sorted dict, whatever was written when."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.kernel.toil import Dug
from tests.kernel.toil.rules import holes
from tongbao.kernel import Count, jcs
from tongbao.kernel.state import State, after_prefix
from tongbao.testing.backing import SortedBacking

KEYS = st.integers(0, 40).map(Count)
ROWS = st.none() | st.integers(0, 1_000).map(lambda depth: Dug(depth=Count(depth)))
END = after_prefix(holes.prefix)


class Ranges(RuleBasedStateMachine):
    """A state beside a plain dict, through transactions, blocks that end well or not, flushes."""

    @initialize(first=st.dictionaries(KEYS, st.integers(0, 1_000)))
    def begin(self, first: dict[Count, int]) -> None:
        """Stand on some committed rows."""
        self.backing = SortedBacking()
        self.model = {key: Dug(depth=Count(depth)) for key, depth in first.items()}
        self.backing.put((holes.full_key(key), jcs.encode(row)) for key, row in self.model.items())
        self.state = State(self.backing)
        self.before_block = dict(self.model)
        self.savepoints: list[tuple[int, dict[Count, Dug]]] = []
        self.unflushed: dict[bytes, bytes | None] = {}

    @rule(key=KEYS, row=ROWS)
    def write(self, key: Count, row: Dug | None) -> None:
        """Put a row, or remove it."""
        self.state.write(holes, key, holes.full_key(key), row)
        if row is None:
            self.model.pop(key, None)
        else:
            self.model[key] = row

    @rule()
    def begin_transaction(self) -> None:
        """Remember where to go back to."""
        self.savepoints.append((len(self.state.journal), dict(self.model)))

    @precondition(lambda self: self.savepoints)
    @rule()
    def refuse(self) -> None:
        """Take back the last transaction."""
        mark, self.model = self.savepoints.pop()
        self.state.rollback(mark)

    @rule()
    def commit(self) -> None:
        """End the block and keep it."""
        for full_key, *_ in self.state.journal:
            self.unflushed[full_key] = self.state.raw(full_key)
        self.state.end_block()
        self.savepoints.clear()
        self.before_block = dict(self.model)

    @rule()
    def discard(self) -> None:
        """End the block and take it back."""
        self.state.rollback(0)
        self.savepoints.clear()
        self.model = dict(self.before_block)

    @precondition(lambda self: not self.state.journal)
    @rule()
    def flush(self) -> None:
        """Bring the backing up to the last block."""
        self.backing.put(self.unflushed.items())
        self.unflushed.clear()
        self.state.flushed()

    @rule()
    def warm(self) -> None:
        """Read rows beforehand, at any moment."""
        self.state.warm([holes])

    @rule(low=KEYS, high=KEYS)
    def read_range(self, low: Count, high: Count) -> None:
        """Compare the rows of a range, in order."""
        found = [
            (holes.key_of(full_key), value if isinstance(value, Dug) else holes.decode(value))
            for full_key, value in self.state.scan(
                holes.full_key(low), max(holes.full_key(high), holes.full_key(low) + b"\0")
            )
        ]
        wanted = [
            (key, self.model[key]) for key in sorted(self.model) if low <= key < high or key == low
        ]
        assert found == wanted

    @invariant()
    def all_rows_are_the_same(self) -> None:
        """The whole table, and single rows, are the dict's."""
        if not hasattr(self, "state"):
            return
        assert dict(self.state.items(holes)) == self.model
        assert list(self.state.scan(END, END + b"\xff")) == []
        for key in (Count(0), Count(17), Count(40)):
            full_key = holes.full_key(key)
            row = self.model.get(key)
            assert self.state.read(holes, full_key) == row
            assert self.state.raw(full_key) == (None if row is None else jcs.encode(row))


def test_range_reads_are_those_of_a_sorted_dict() -> None:
    """
    Given random writes, refusals, blocks kept and discarded, flushes, and rows read beforehand,
    when ranges and rows are read after each step,
    then they are what one sorted dict holds.
    """
    run_state_machine_as_test(Ranges, settings=settings(max_examples=150, stateful_step_count=40))
