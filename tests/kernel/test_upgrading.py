"""Code decides up to the block before an upgrade that it is not; the code that it is goes on."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tests.kernel.shelf_one import shelf as one
from tests.kernel.shelf_two import shelf as two
from tongbao.kernel import (
    Block,
    Count,
    Decided,
    Genesis,
    GenesisError,
    Hash,
    Machine,
    Message,
    Module,
    PublicKey,
    Registry,
    Small,
    Time,
)
from tongbao.kernel.code import UpgradeNeeded
from tongbao.kernel.kernel_module import ModuleLine
from tongbao.modules import upgrade
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.choosing import code_of
from tongbao.testing import alice, named_key
from tongbao.testing.backing import SortedBacking
from tongbao.testing.checks import check_indexes, rows_of
from tongbao.testing.genesis import GENESIS_TIME, genesis_of, registry_with

AUTHORITY = PublicKey(named_key("authority").key_id)
OLD, NEW = registry_with(one.module), registry_with(two.module)
GENESIS = genesis_of(OLD)


def line_of(module: Module, registry: Registry) -> ModuleLine:
    """What an upgrade says of a module as it is installed."""
    line = next(each for each in GENESIS.modules if each.name == module.name)
    return replace(line, hash=code_of(registry)[module.name])


class Node:
    """A machine with its code, over rows that outlive it."""

    def __init__(self, registry: Registry = OLD, genesis: Genesis = GENESIS) -> None:
        """Begin the chain with the first code."""
        self.rows = SortedBacking()
        self.nonce = 0
        self.genesis = genesis
        self.machine = Machine(registry, genesis, self.rows, -1, 0, code=code_of(registry))
        self._keep(self.machine.genesis())

    def _keep(self, decided: Decided) -> None:
        self.machine.commit()
        self.rows.put(decided.rows)
        self.machine.flushed()

    def start(self, registry: Registry, *, is_asked: bool = True) -> None:
        """Start again, with other code; whose hashes don't count unless that `is_asked`."""
        height, time = self.machine.height, self.machine.time
        code = code_of(registry) if is_asked else None
        self.machine = Machine(registry, self.genesis, self.rows, height, time, code=code)

    def make(self, *messages: Message, also: str = "alice") -> Decided:
        """A block of one transaction of alice's, or an empty one."""
        time = Time(GENESIS_TIME + 1_000 * (self.machine.height + 1))
        wires: tuple[bytes, ...] = ()
        if messages:
            self.nonce += 1
            expires = Time(time + 1_000)
            payload = payload_bytes(self.machine.chain, alice, self.nonce, expires, messages)
            keys = [named_key(name) for name in dict.fromkeys(("alice", also))]
            wires = (sign(payload, keys),)
        height = Count(self.machine.height + 1)
        decided = self.machine.apply(Block(height=height, time=time, transactions=wires))
        assert [result.number for result in decided.results] == [0] * len(wires)
        self._keep(decided)
        return decided


def scheduled(*lines: ModuleLine, height: int = 5) -> Node:
    """A chain with two books, at height 3, whose next version decides from a height on."""
    node = Node()
    for _ in range(2):
        node.make(one.Put(rank=Small(5)))
    message = upgrade.Schedule(
        authority=AUTHORITY,
        height=Count(height),
        modules=lines or (line_of(two.module, NEW),),
    )
    node.make(message, also="authority")
    return node


def test_the_old_code_stops_and_the_new_one_goes_on() -> None:
    """
    Given a chain at height 3 on which a module has other code from block 5 on,
    when the code of genesis makes blocks as far as it may, and then the new code goes on,
    then the first refuses block 5 and changes nothing, the second can't start before it has to
    and can then, the root at which it starts is that of the first, and rows of both decide.
    """
    node = scheduled()
    with pytest.raises(GenesisError, match="needs module shelf 1234"):
        node.start(NEW)
    node.start(OLD)
    node.make()
    root, rows = node.machine.state_root, dict(node.rows.rows)
    for _ in range(2):
        with pytest.raises(UpgradeNeeded, match="from block 5 on this chain needs module shelf"):
            node.make(one.Put(rank=Small(7)))
    assert (node.machine.height, node.machine.state_root, node.rows.rows) == (4, root, rows)

    node.start(NEW)
    assert node.machine.state_root == root
    check_indexes(node.machine, rows_of(node.machine))
    assert len(two.ranked(node.machine.view(two.module), Small(50)).rows) == 2
    book = two.ranked(node.machine.view(two.module), Small(50)).rows[0][0]
    node.nonce -= 2  # what block 5 refused was in no block
    node.make(two.Take(book=book))
    check_indexes(node.machine, node.rows.rows)
    assert len(two.ranked(node.machine.view(two.module), Small(50)).rows) == 1


def test_the_old_code_may_start_to_read_where_it_has_stopped_but_not_later() -> None:
    """
    Given a chain whose old code has stopped before block 5, and which new code has taken to 5,
    when the old code starts on the rows of either,
    then it starts on the first and makes no block, and is refused on the second.
    """
    node = scheduled()
    node.make()
    node.start(OLD)
    with pytest.raises(UpgradeNeeded):
        node.make()
    node.start(NEW)
    node.make()
    assert node.machine.height == 5
    with pytest.raises(UpgradeNeeded, match="from block 5 on this chain needs module shelf"):
        node.start(OLD)


def test_code_of_the_same_version_is_told_by_its_hash_alone() -> None:
    """
    Given two chains on which an upgrade to other code of the same version is scheduled,
    when one machine knows the hashes of its code and the other does not,
    then the first stops before it, the second goes past it, and up to there their roots are one.
    """
    other_code = replace(line_of(one.module, OLD), hash=Hash("ab" * 32))
    node, free = scheduled(other_code), scheduled(other_code)
    free.start(OLD, is_asked=False)
    assert node.make().state_root == free.make().state_root
    with pytest.raises(UpgradeNeeded, match="hash abababababababab"):
        node.make()
    free.make()
    assert (node.machine.height, free.machine.height) == (4, 5)


def test_a_new_module_begins_without_rows() -> None:
    """
    Given a chain of Tongbao's modules alone, to which an upgrade adds a module from block 3 on,
    when the code with that module takes over,
    then nothing of its state was there, its first row is, and older code can't read any more.
    """
    plain = registry_with()
    genesis = genesis_of(plain)
    node = Node(plain, genesis)
    line = line_of(one.module, OLD)
    message = upgrade.Schedule(authority=AUTHORITY, height=Count(3), modules=(line,))
    node.make(message, also="authority")
    node.make()
    with pytest.raises(UpgradeNeeded, match="from block 3 on this chain needs module shelf 1234"):
        node.make()
    root = node.machine.state_root
    node.start(OLD)
    assert node.machine.state_root == root
    assert one.ranked(node.machine.view(one.module), Small(5)).rows == ()
    node.make(one.Put(rank=Small(5)))
    assert len(one.ranked(node.machine.view(one.module), Small(5)).rows) == 1
    with pytest.raises(GenesisError, match="module shelf 1234 version 1 is not installed"):
        node.start(plain)
