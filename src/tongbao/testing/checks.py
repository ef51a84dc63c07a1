"""What must hold after every block, whatever the transactions were."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from tongbao.kernel import Machine, jcs
from tongbao.kernel.kernel_module import marks
from tongbao.kernel.module import Index
from tongbao.kernel.row_keys import encode_by_value
from tongbao.kernel.state import PREFIX_BYTES, after_prefix
from tongbao.kernel.trie import Trie

Rows = Mapping[bytes, bytes]
"""Values by full key: the rows of tables and the entries of indexes."""

SHOWN: Final = 5


def rows_of(machine: Machine) -> dict[bytes, bytes]:
    """Every row and index entry as the machine reads it now, a candidate's included."""
    state = machine._state  # what no module may see is what has to be looked at here
    return {
        key: value if type(value) is bytes else jcs.encode(value)
        for prefix in (*machine.registry.tables, *machine.registry.indexes)
        for key, value in state.scan(prefix, after_prefix(prefix))
    }


def structures_of(machine: Machine) -> dict[Any, Any]:
    """Every derived structure, rebuilt from the rows as the machine reads them now."""
    built = {}
    for module in machine.registry.modules:
        view = machine.audit(module)
        for derived in module.structures:
            built[derived] = derived.build(view[derived.of].items())
    return built


def check_state(machine: Machine, live: Rows) -> None:
    """Assert invariants, rows, indexes and structures of the last committed block.

    `live` holds the rows that all blocks together have written.
    """
    broken = machine.broken_invariants()
    assert not broken, f"broken invariants: {', '.join(broken)}"
    found = rows_of(machine)
    # Entries are their row's key as plain bytes, so an overlay's entry reads like a stored one.
    assert found == live, f"the machine reads other rows: {difference(live, found)}"
    check_indexes(machine, live)
    for derived, built in structures_of(machine).items():
        kept = machine.audit(derived.of.module).structure(derived)
        assert kept == built, f"a structure over {derived.of.name} is {kept!r}, not {built!r}"


def check_indexes(machine: Machine, live: Rows) -> None:
    """Assert that each index lists the rows of its table, less the due ones marked stuck."""
    registry = machine.registry
    by_prefix: dict[bytes, list[bytes]] = {}
    for key in live:
        by_prefix.setdefault(key[:PREFIX_BYTES], []).append(key)
    stuck = {marks.key_of(key) for key in by_prefix.get(marks.prefix, ())}
    for prefix, index in registry.indexes.items():
        wanted = _entries(index, live, by_prefix.get(index.of.prefix, []), stuck)
        found = {key: live[key] for key in by_prefix.get(prefix, ())}
        name = f"{index.module.name}.{index.name}"
        assert found == wanted, f"index {name}: {difference(wanted, found)}"


def _entries(
    index: Index[Any, Any, Any], live: Rows, keys: list[bytes], stuck: set[Any]
) -> dict[bytes, bytes]:
    """The entries that an index has by its table's rows."""
    wanted = {}
    for key in keys:
        place = index.by(index.of.decode(live[key]))
        row_key = key[PREFIX_BYTES:]
        marked = (index.module.number, index.number, row_key.hex()) in stuck
        if place is not None and not marked:
            wanted[index.prefix + encode_by_value(place) + row_key] = row_key
    return wanted


def check_root(machine: Machine, live: Rows) -> None:
    """Assert that the state root is that of the rows alone, computed from nothing else."""
    leaves = [
        (sha256(key).digest(), sha256(value).digest())
        for key, value in live.items()
        if key[:PREFIX_BYTES] in machine.registry.tables
    ]
    assert Trie.load(leaves).root == machine.state_root, "the state root is not that of the rows"


def difference(wanted: Rows, found: Rows) -> str:
    """What two sets of rows differ in, for a person to read."""
    keys = sorted(key for key in {*wanted, *found} if wanted.get(key) != found.get(key))
    lines = [f"{key.hex()}: {wanted.get(key)!r} became {found.get(key)!r}" for key in keys[:SHOWN]]
    return "; ".join(lines) + (f"; and {len(keys) - SHOWN} more" if len(keys) > SHOWN else "")
