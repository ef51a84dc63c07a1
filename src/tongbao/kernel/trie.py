"""The state trie of `trie_proof`, laid out so that a block of changes updates it in microseconds.

The root is a pure function of the live rows. The layout is local and appears in no proof: 4^depth
buckets, each the sorted entries (path || H(value) || leaf) of the rows whose paths start alike,
and above them one array of node hashes per level, with a flag per node that tells an empty
subtree, a lone leaf and a subtree of several rows apart.

Undo and growth. When rows outnumber the buckets four to one, each bucket is split into four: the
nodes that exist stay as they are, one more level appears below. An `Undo` keeps the old buckets
and nodes of the depth it was made at. At that depth, reverting puts them back. If the trie has
grown since, the old buckets still say exactly which rows lay below their prefixes, so they are
written back as changes; the trie never shrinks again. A proof of the past reads the nodes down to
the smallest depth involved, which all records know, and rebuilds the one bucket below from them.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from typing import NamedTuple

from tongbao.kernel.trie_bucket import (
    ENTRY,
    ROW,
    edited,
    find,
    place_of,
    rows_of,
    split,
    subtree_hash,
    with_leaves,
)
from tongbao.kernel.trie_loading import (
    LONE_LEAF,
    MAX_DEPTH,
    NO_ROW,
    ROWS_PER_BUCKET,
    SUBTREE,
    Part,
    depth_for,
    make_part,
)
from tongbao.kernel.trie_proof import EMPTY, Proof, Siblings, digit


class OldLevel(NamedTuple):
    """What the nodes at these ascending places of one level were: hashes joined, and kinds."""

    places: array[int]
    hashes: bytes
    kinds: bytes

    def find(self, place: int) -> int:
        """Where in this record a node is, or -1."""
        at = bisect_left(self.places, place)
        return at if at < len(self.places) and self.places[at] == place else -1


class Undo(NamedTuple):
    """What one update replaced: enough to revert it, or to look behind it."""

    depth: int
    length: int
    root: bytes
    root_after: bytes
    buckets: tuple[bytes, ...]
    levels: tuple[OldLevel, ...]

    @property
    def places(self) -> array[int]:
        """The ascending places of the old buckets."""
        return self.levels[self.depth].places


class Trie:
    """The rows of the state as (path, H(value)), their root, and proofs about them."""

    def __init__(self, depth: int = 2) -> None:
        """Begin empty, with 4^depth buckets."""
        assert 0 <= depth <= MAX_DEPTH, depth
        self._depth = depth
        self._length = 0
        self._root = EMPTY
        self._buckets = [b""] * 4**depth
        self._hashes = [bytearray(32 * 4**level) for level in range(depth + 1)]
        self._kinds = [bytearray(4**level) for level in range(depth + 1)]

    @classmethod
    def load(cls, items: Iterable[tuple[bytes, bytes]], depth: int = 2) -> Trie:
        """A trie of many (path, H(value)) at once, in any order, each path once."""
        rows = [path + value for path, value in items]
        depth = depth_for(len(rows), depth)
        return cls.of_parts([make_part(rows, depth, 0, 4**depth)])

    @classmethod
    def of_parts(cls, parts: Sequence[Part]) -> Trie:
        """The trie whose buckets these are: all of them, in order."""
        depth = parts[0].depth
        trie = cls(depth)
        assert sum(len(part.kinds) for part in parts) == 4**depth
        place = 0
        for part in parts:
            assert (part.depth, part.first) == (depth, place)
            at = 0
            for size in memoryview(part.sizes).cast("I"):
                if size:
                    stop = at + size * ENTRY
                    trie._buckets[place] = part.entries[at:stop]
                    at = stop
                place += 1
            trie._length += at // ENTRY
        trie._hashes[depth] = bytearray().join([part.hashes for part in parts])
        trie._kinds[depth] = bytearray().join([part.kinds for part in parts])
        for level in range(depth - 1, -1, -1):
            trie._hash_nodes(level, range(4**level))
        trie._root = bytes(trie._hashes[0])
        return trie

    def __len__(self) -> int:
        """The number of rows."""
        return self._length

    @property
    def root(self) -> bytes:
        """The state root, 32 bytes."""
        return self._root

    @property
    def depth(self) -> int:
        """The levels above the buckets. Local: differs between nodes, changes no root or proof."""
        return self._depth

    def get(self, path: bytes) -> bytes | None:
        """H(value) of the row at `path`, or None."""
        assert len(path) == 32, path
        bucket = self._buckets[place_of(path, self._depth)]
        at = find(bucket, path)
        return bucket[at + 32 : at + ROW] if at >= 0 else None

    def update(self, changes: Mapping[bytes, bytes | None]) -> Undo:
        """Set H(value) per path; None removes, and removing what is absent changes nothing."""
        self._make_room(changes)
        return self._write(changes)

    def undo(self, undo: Undo) -> None:
        """Revert the newest update that is not reverted yet."""
        assert undo.root_after == self._root, "records are reverted newest first"
        assert undo.depth <= self._depth, "a trie never shrinks"
        if undo.depth < self._depth:
            self._write(self._changes_back(undo))
        else:
            for place, bucket in zip(undo.places, undo.buckets, strict=True):
                self._buckets[place] = bucket
            for old, hashes, kinds in zip(undo.levels, self._hashes, self._kinds, strict=True):
                for at, place in enumerate(old.places):
                    hashes[place * 32 : place * 32 + 32] = old.hashes[at * 32 : at * 32 + 32]
                    kinds[place] = old.kinds[at]
            self._length = undo.length
            self._root = undo.root
        assert (self._root, self._length) == (undo.root, undo.length)

    def prove(self, path: bytes, behind: Sequence[Undo] = ()) -> Proof:
        """The proof that `path` has its row or none.

        With `behind`, as of before those updates: their records from the newest to the one just
        after the wanted state, without a gap. Nothing is reverted: the records are read through.
        """
        assert len(path) == 32, path
        self._check_chain(behind)
        depth = min([self._depth, *(undo.depth for undo in behind)])
        steps: list[Siblings] = []
        level = place = 0
        kind = self._node(0, 0, behind)[1]
        while kind == SUBTREE and level < depth:
            children = [self._node(level + 1, 4 * place + i, behind) for i in range(4)]
            taken = digit(path, level)
            steps.append(_siblings([child[0] for child in children], taken))
            kind = children[taken][1]
            place = 4 * place + taken
            level += 1
        if kind == NO_ROW:
            return Proof(tuple(steps))
        while level < depth:
            # A lone leaf was lifted up to here: follow it down to its bucket.
            level += 1
            below = range(4 * place, 4 * place + 4)
            place = next(child for child in below if self._node(level, child, behind)[1])
        entries = self._bucket(depth, place, behind)
        while len(entries) > ENTRY:
            parts = split(entries, level)
            taken = digit(path, level)
            level += 1
            steps.append(_siblings([subtree_hash(part, level) for part in parts], taken))
            entries = parts[taken]
        if not entries:
            return Proof(tuple(steps))
        return Proof(tuple(steps), entries[:32].hex(), entries[32:ROW].hex())

    def _check_chain(self, behind: Sequence[Undo]) -> None:
        """Assert that the records lead from this state backward without a gap."""
        root = self._root
        for undo in behind:
            assert undo.root_after == root, "records from the newest backward, without a gap"
            root = undo.root

    def _make_room(self, changes: Mapping[bytes, bytes | None]) -> None:
        """Grow first, so that the update's own record is of the depth that it leaves."""
        room = ROWS_PER_BUCKET * 4**self._depth - self._length
        if len(changes) <= room:
            return
        # Exact, so that overwriting many rows of a small trie grows nothing.
        coming = sum(1 for path, value in changes.items() if value and self.get(path) is None)
        going = sum(1 for path, value in changes.items() if not value and self.get(path))
        after = self._length + coming - going
        while after > ROWS_PER_BUCKET * 4**self._depth and self._depth < MAX_DEPTH:
            self._grow()

    def _grow(self) -> None:
        """Split every bucket into four; all nodes that exist keep their hashes."""
        depth = self._depth
        self._buckets = [part for bucket in self._buckets for part in split(bucket, depth)]
        self._depth = depth + 1
        self._hashes.append(bytearray(32 * 4**self._depth))
        self._kinds.append(bytearray(4**self._depth))
        self._hash_buckets(range(4**self._depth))

    def _write(self, changes: Mapping[bytes, bytes | None]) -> Undo:
        """Apply the changes at the present depth."""
        root, length, depth = self._root, self._length, self._depth
        replaced = self._edit_buckets(changes)
        places = sorted(replaced)
        old_buckets = tuple([replaced[place] for place in places])
        levels = [self._old_level(depth, places)]
        self._hash_buckets(places)
        for level in range(depth - 1, -1, -1):
            places = list(dict.fromkeys([place >> 2 for place in places]))
            levels.append(self._old_level(level, places))
            self._hash_nodes(level, places)
        levels.reverse()
        self._root = bytes(self._hashes[0])
        return Undo(depth, length, root, self._root, old_buckets, tuple(levels))

    def _edit_buckets(self, changes: Mapping[bytes, bytes | None]) -> dict[int, bytes]:
        """Apply the changes to the buckets alone; those that changed, as they were, by place."""
        buckets, shift = self._buckets, 24 - 2 * self._depth
        hash_of, place_in = sha256, int.from_bytes
        replaced: dict[int, bytes] = {}
        for path, value in changes.items():
            place = place_in(path[:3]) >> shift
            old = buckets[place]
            at = old.find(path)
            if value is not None and at >= 0 and not at % ENTRY:
                # `edited`, spelled out for a row that was there: nearly all are.
                row = path + value
                new = old[:at] + row + hash_of(b"\x00" + row).digest() + old[at + ENTRY :]
            else:
                new = edited(old, path, value)
                self._length += (len(new) - len(old)) // ENTRY
            if new == old:
                continue
            buckets[place] = new
            if place not in replaced:
                replaced[place] = old
        return replaced

    def _old_level(self, level: int, places: list[int]) -> OldLevel:
        """What these nodes are now."""
        hashes, kinds = self._hashes[level], self._kinds[level]
        joined = b"".join([hashes[place * 32 : place * 32 + 32] for place in places])
        return OldLevel(array("I", places), joined, bytes([kinds[place] for place in places]))

    def _hash_buckets(self, places: Iterable[int]) -> None:
        """Set the lowest level's nodes at these places."""
        depth, buckets = self._depth, self._buckets
        hashes, kinds = self._hashes[depth], self._kinds[depth]
        for place in places:
            bucket = buckets[place]
            size = len(bucket)
            kinds[place] = SUBTREE if size > ENTRY else LONE_LEAF if size else NO_ROW
            hashes[place * 32 : place * 32 + 32] = subtree_hash(bucket, depth)

    def _hash_nodes(self, level: int, places: Iterable[int]) -> None:
        """Set nodes of a higher level from their four children."""
        hash_of = sha256
        hashes, kinds = self._hashes[level], self._kinds[level]
        below, kinds_below = self._hashes[level + 1], self._kinds[level + 1]
        for place in places:
            quad = kinds_below[place * 4 : place * 4 + 4]
            if SUBTREE in quad or quad.count(NO_ROW) < 3:
                node: bytes | bytearray = hash_of(
                    b"\x01" + below[place * 128 : place * 128 + 128]
                ).digest()
                kind = SUBTREE
            elif LONE_LEAF in quad:
                at = place * 128 + quad.index(LONE_LEAF) * 32
                node = below[at : at + 32]
                kind = LONE_LEAF
            else:
                node = EMPTY
                kind = NO_ROW
            hashes[place * 32 : place * 32 + 32] = node
            kinds[place] = kind

    def _node(self, level: int, place: int, behind: Sequence[Undo]) -> tuple[bytes, int]:
        """Hash and kind of a node before the updates `behind`; all of them know this level."""
        # What the oldest record replaced is what was there before all of them.
        for undo in reversed(behind):
            old = undo.levels[level]
            at = old.find(place)
            if at >= 0:
                return old.hashes[at * 32 : at * 32 + 32], old.kinds[at]
        return bytes(self._hashes[level][place * 32 : place * 32 + 32]), self._kinds[level][place]

    def _bucket(self, depth: int, place: int, behind: Sequence[Undo]) -> bytes:
        """The sorted rows below a node, before the updates `behind`."""
        deeper = 2 * (self._depth - depth)
        parts = self._buckets[place << deeper : place + 1 << deeper]
        rows = dict(rows_of(b"".join(parts)))
        for undo in behind:
            deeper = 2 * (undo.depth - depth)
            first = bisect_left(undo.places, place << deeper)
            stop = bisect_left(undo.places, place + 1 << deeper)
            replaced = set(undo.places[first:stop])
            rows = {path: rows[path] for path in rows if place_of(path, undo.depth) not in replaced}
            rows.update(rows_of(b"".join(undo.buckets[first:stop])))
        return with_leaves([path + rows[path] for path in sorted(rows)])

    def _changes_back(self, undo: Undo) -> dict[bytes, bytes | None]:
        """The changes that revert an update of a time when the trie was less deep."""
        changes: dict[bytes, bytes | None] = {}
        for place, bucket in zip(undo.places, undo.buckets, strict=True):
            changes.update(dict.fromkeys(dict(rows_of(self._bucket(undo.depth, place, ())))))
            changes.update(rows_of(bucket))
        return changes


def _siblings(children: list[bytes], taken: int) -> Siblings:
    """Three of four hashes, as a proof spells them."""
    first, second, third = (
        "" if child == EMPTY else child.hex() for i, child in enumerate(children) if i != taken
    )
    return first, second, third
