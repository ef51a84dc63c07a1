"""Joining by a snapshot: what is taken, what is refused and how, and where the node stands then."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from msgspec.structs import replace

from tests.engines.cometbft.statesync.nodes import (
    Node,
    history,
    large_genesis,
    node,
    now,
    step_by_step,
)
from tests.fixed_chain import HOUR
from tongbao.engines.cometbft import requests as q
from tongbao.engines.cometbft.application import NOT_HERE, OutOfStep
from tongbao.engines.cometbft.header import decode_local, encode_local
from tongbao.engines.cometbft.messages import ApplyResult, OfferResult, Snapshot
from tongbao.engines.cometbft.statesync.options import SyncOptions
from tongbao.engines.cometbft.statesync.writing import Writing
from tongbao.kernel import Genesis, Time
from tongbao.store.base import base_heights, base_name
from tongbao.store.record import statuses_of
from tongbao.store.snapshot.manifest import Manifest, read_manifest, write_manifest

TAKEN = 4
EVERY_FOURTH = SyncOptions(interval=TAKEN)


def blocks_on(one: Node, first: int, last: int) -> bytes:
    """Carry the history out from one block to another; the application hash behind it."""
    found = b""
    for height in range(first, last + 1):
        found = one.decide(height, *history()[height - 1])
    return found


def take_in(one: Node, source: Node, snapshot: Snapshot) -> None:
    """Hand a node every chunk of a snapshot that it has accepted."""
    for index in range(snapshot.chunks):
        assert one.apply(index, source.chunk(snapshot, index)).result is ApplyResult.ACCEPT


def test_a_node_that_joins_goes_on_as_the_others_do(tmp_path: Path) -> None:
    """
    Given a node that takes a snapshot of block 4, and goes on to block 6,
    when a fresh node joins by it, is asked where it stands, carries out what follows, ends and
    starts again,
    then hashes, headers, rows, receipts and later snapshots are those of the first node, and
    outcomes are known from block 5 on.
    """
    with (
        node(tmp_path / "old", options=EVERY_FOURTH) as old,
        node(tmp_path / "new", options=EVERY_FOURTH) as new,
    ):
        old.begin()
        at_snapshot = blocks_on(old, 1, TAKEN)
        blocks_on(old, TAKEN + 1, 6)
        (offered,) = old.snapshots()
        assert (offered.height, new.info()) == (TAKEN, (0, b""))
        assert new.offer(offered, at_snapshot).result is OfferResult.ACCEPT
        take_in(new, old, offered)
        assert new.info() == (TAKEN, at_snapshot)
        blocks_on(new, TAKEN + 1, 6)
        assert blocks_on(new, 7, 8) == blocks_on(old, 7, 8)
        theirs, ours = old.snapshots(), new.snapshots()
        assert [each.height for each in theirs] == [2 * TAKEN, TAKEN]
        assert ours == theirs[:1], "it has taken one itself, with the same bytes"
        assert new.chunk(ours[0], 0) == old.chunk(ours[0], 0) != b""
    with node(tmp_path / "old") as old, node(tmp_path / "new") as new:
        assert new.info() == old.info()
        assert (new.store.begins, new.store.first) == (TAKEN, TAKEN + 1)
        assert new.store.headers(0, 8) == old.store.headers(TAKEN, 8)
        assert list(new.store.scan(b"", b"\xff")) == list(old.store.scan(b"", b"\xff"))
        for height in range(1, 9):
            record = old.store.block(height)
            if height > TAKEN:
                assert new.store.block(height) == record
            for identifier, status in statuses_of(record):
                assert new.store.status(identifier) == (status if height > TAKEN else None)


def manifest_of(snapshot: Snapshot) -> Manifest:
    """What a snapshot's metadata say."""
    return read_manifest(snapshot.metadata)


def with_manifest(snapshot: Snapshot, manifest: Manifest) -> Snapshot:
    """The same snapshot with another manifest, under its right hash."""
    data = write_manifest(manifest)
    return replace(
        snapshot,
        metadata=data,
        hash=sha256(data).digest(),
        chunks=len(manifest.chunks),
        height=manifest.height,
    )


def with_header(snapshot: Snapshot, **changed: object) -> Snapshot:
    """The same snapshot, whose header says something else."""
    manifest = manifest_of(snapshot)
    header = replace(decode_local(manifest.header), **changed)
    return with_manifest(snapshot, replace(manifest, header=encode_local(header)))


def another_root(snapshot: Snapshot) -> Snapshot:
    """A snapshot of rows that nobody has agreed on, right in itself."""
    manifest = manifest_of(snapshot)
    (chunk,) = manifest.chunks
    chunks = (replace(chunk, root=bytes(32)),)
    header = replace(decode_local(manifest.header), state="00" * 32)
    return with_manifest(
        snapshot,
        replace(manifest, chunks=chunks, root=bytes(32), header=encode_local(header)),
    )


OFFERS: dict[str, tuple[Callable[[Snapshot], Snapshot | None], OfferResult]] = {
    "nothing": (lambda _: None, OfferResult.REJECT),
    "another format": (lambda it: replace(it, format=2), OfferResult.REJECT_FORMAT),
    "block 0": (lambda it: replace(it, height=0), OfferResult.REJECT),
    "another height": (lambda it: replace(it, height=5), OfferResult.REJECT_SENDER),
    "another count": (lambda it: replace(it, chunks=2), OfferResult.REJECT_SENDER),
    "another hash": (lambda it: replace(it, hash=bytes(32)), OfferResult.REJECT_SENDER),
    "no manifest": (
        lambda it: replace(it, metadata=b"{}", hash=sha256(b"{}").digest()),
        OfferResult.REJECT_SENDER,
    ),
    "a manifest of a later version": (
        lambda it: with_manifest(it, replace(manifest_of(it), format=2)),
        OfferResult.REJECT_FORMAT,
    ),
    "another chain": (
        lambda it: with_manifest(it, replace(manifest_of(it), chain="other-01234567")),
        OfferResult.REJECT_SENDER,
    ),
    "another genesis file": (
        lambda it: with_manifest(it, replace(manifest_of(it), genesis=bytes(32))),
        OfferResult.REJECT_SENDER,
    ),
    "other rows": (another_root, OfferResult.REJECT_SENDER),
    "no header": (
        lambda it: with_manifest(it, replace(manifest_of(it), header=b"{}")),
        OfferResult.REJECT_SENDER,
    ),
    "a header of another block": (
        lambda it: with_header(it, height=5),
        OfferResult.REJECT_SENDER,
    ),
    "a header of another state": (
        lambda it: with_header(it, state="00" * 32),
        OfferResult.REJECT_SENDER,
    ),
    "a time to come": (
        lambda it: with_header(it, time=Time(now() + HOUR)),
        OfferResult.REJECT,
    ),
    "what it is": (lambda it: it, OfferResult.ACCEPT),
}


@pytest.mark.parametrize("what", OFFERS)
def test_each_offer_has_its_answer(tmp_path: Path, what: str) -> None:
    """
    Given a fresh node, and an application hash that is trusted,
    when it is offered a snapshot that is right, or wrong in one way,
    then it accepts, or refuses it, its format or its senders; and what is not accepted leaves
    nothing behind, and no chunk of it is taken.
    """
    change, wanted = OFFERS[what]
    with node(tmp_path / "old", options=EVERY_FOURTH) as old, node(tmp_path / "new") as new:
        old.begin()
        at_snapshot = blocks_on(old, 1, TAKEN)
        (offered,) = old.snapshots()
        assert new.offer(change(offered), at_snapshot).result is wanted
        assert (tmp_path / "new" / "joining").exists() == (wanted is OfferResult.ACCEPT)
        if wanted is not OfferResult.ACCEPT:
            assert new.apply(0, old.chunk(offered, 0)).result is ApplyResult.ABORT
            assert new.info() == (0, b"")


def test_a_chain_that_has_blocks_takes_no_snapshot(tmp_path: Path) -> None:
    """
    Given a node with a block of its own,
    when it is offered a later snapshot,
    then it ends the attempt; a node that has joined takes a later one than its own, until it has
    a block.
    """
    every = SyncOptions(interval=2)
    with node(tmp_path / "old", options=every) as old, node(tmp_path / "new") as new:
        old.begin()
        hashes = {height: blocks_on(old, height, height) for height in range(1, 3)}
        old.snapshots()
        hashes |= {height: blocks_on(old, height, height) for height in range(3, 5)}
        later, earlier = old.snapshots()
        assert old.offer(later, hashes[4]).result is OfferResult.ABORT
        for snapshot in (earlier, later):
            trusted = hashes[snapshot.height]
            assert new.offer(snapshot, trusted).result is OfferResult.ACCEPT
            take_in(new, old, snapshot)
            assert new.info() == (snapshot.height, trusted)
            assert new.offer(earlier, hashes[2]).result is OfferResult.REJECT
        assert blocks_on(new, 5, 6) == blocks_on(old, 5, 6)
        assert new.offer(later, hashes[4]).result is OfferResult.ABORT
    with node(tmp_path / "new") as new:
        assert (new.store.begins, base_heights(tmp_path / "new")) == (4, [4])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Genesis:
    """A chain of several chunks."""
    return large_genesis()


def test_a_bad_chunk_is_fetched_again_and_its_sender_is_left_out(
    tmp_path: Path, large: Genesis
) -> None:
    """
    Given a snapshot of several chunks, of which one node serves some with a flipped byte, cut
    short, empty, in another's place, or longer,
    when a fresh node takes them in, out of order and one of them twice,
    then each bad one is asked for again and its sender named, no good one is lost, and the node
    stands on the rows in the end.
    """
    options = SyncOptions(interval=1)
    with node(tmp_path / "old", large, options) as old, node(tmp_path / "new", large) as new:
        old.begin()
        trusted = old.decide(1)
        (offered,) = old.snapshots()
        assert offered.chunks > 3
        assert new.offer(offered, trusted).result is OfferResult.ACCEPT
        good = [old.chunk(offered, index) for index in range(offered.chunks)]
        middle = len(good[1]) // 2
        flipped = good[1][:middle] + bytes([good[1][middle] ^ 1]) + good[1][middle + 1 :]
        for bad in (flipped, good[1][:-1], b"", good[2], good[1] + b"\0"):
            answer = new.apply(1, bad, "liar")
            assert answer.result is ApplyResult.RETRY
            assert (answer.refetch_chunks, answer.reject_senders) == ((1,), ("liar",))
        assert new.apply(offered.chunks, good[0]).result is ApplyResult.ABORT
        for index in (*reversed(range(1, offered.chunks)), 2, 0):
            assert new.apply(index, good[index]).result is ApplyResult.ACCEPT
        assert new.info() == (1, trusted)
        assert old.decide(2) == new.decide(2)


def test_it_may_be_killed_at_each_step_of_joining(tmp_path: Path) -> None:
    """
    Given a fresh node that joins, and every change of the disk that it makes on the way,
    when its process is killed before each of them, and started again on what is there,
    then it is fresh, or stands on the snapshot; it joins, and takes the next block.
    """
    with node(tmp_path / "old", options=EVERY_FOURTH) as old:
        old.begin()
        trusted = blocks_on(old, 1, TAKEN)
        (offered,) = old.snapshots()
        wanted = blocks_on(old, TAKEN + 1, TAKEN + 1)
        steps: list[str] = []
        with node(tmp_path / "counted") as new:
            step_by_step(new, Writing(steps.append))
            new.offer(offered, trusted)
            take_in(new, old, offered)
        assert "rename joining" in steps and len(steps) > 15
        for at in range(len(steps)):
            folder = tmp_path / f"new-{at}"
            _die_at(at, folder, old, offered, trusted)
            with node(folder) as new:
                assert not (folder / "joining").exists(), steps[at]
                if new.info() == (0, b""):
                    assert new.offer(offered, trusted).result is OfferResult.ACCEPT
                    take_in(new, old, offered)
                assert new.info() == (TAKEN, trusted), steps[at]
                assert blocks_on(new, TAKEN + 1, TAKEN + 1) == wanted
                assert (folder / base_name(TAKEN)).is_dir()


def _die_at(at: int, folder: Path, old: Node, offered: Snapshot, trusted: bytes) -> None:
    """Join in another process, which is killed before a step."""
    process = os.fork()
    if process == 0:
        left = [at]

        def before(step: str) -> None:
            if left[0] == 0:
                os.kill(os.getpid(), signal.SIGKILL)
            left[0] -= 1

        with node(folder) as new:
            step_by_step(new, Writing(before))
            new.offer(offered, trusted)
            take_in(new, old, offered)
        os._exit(0)
    _, status = os.waitpid(process, 0)
    assert os.waitstatus_to_exitcode(status) == -signal.SIGKILL


def test_what_a_base_lacks_stands_in_it(tmp_path: Path) -> None:
    """
    Given a node that has joined at block 4,
    when somebody looks into its base,
    then `joined.json` names that block, and the genesis file is the chain's.
    """
    with node(tmp_path / "old", options=EVERY_FOURTH) as old, node(tmp_path / "new") as new:
        old.begin()
        trusted = blocks_on(old, 1, TAKEN)
        (offered,) = old.snapshots()
        new.offer(offered, trusted)
        take_in(new, old, offered)
    base = tmp_path / "new" / base_name(TAKEN)
    assert msgspec.json.decode((base / "joined.json").read_bytes()) == {"height": TAKEN}
    names = {path.name for path in base.iterdir()}
    assert names == {*("genesis.json", "manifest.json", "joined.json", "chunks", "history")}


def test_a_wrong_time_in_a_snapshot_is_noticed_or_changes_nothing(tmp_path: Path) -> None:
    """
    Given snapshots whose rows are right, and whose header says an earlier or a later time than the
    block had,
    when nodes join by them and are given the next block,
    then the one with the earlier time decides it as all others do, and the other stops and says
    what to do.
    """
    with node(tmp_path / "old", options=EVERY_FOURTH) as old:
        old.begin()
        trusted = blocks_on(old, 1, TAKEN)
        (offered,) = old.snapshots()
        wanted = blocks_on(old, TAKEN + 1, TAKEN + 1)
        for name, moved in (("early", -3_000), ("late", 3_000)):
            time = decode_local(manifest_of(offered).header).time + moved
            changed = with_header(offered, time=Time(time))
            with node(tmp_path / name) as new:
                assert new.offer(changed, trusted).result is OfferResult.ACCEPT
                assert new.apply(0, old.chunk(offered, 0)).result is ApplyResult.ACCEPT
                if moved < 0:
                    assert blocks_on(new, TAKEN + 1, TAKEN + 1) == wanted
                    continue
                with pytest.raises(OutOfStep, match="join again"):
                    blocks_on(new, TAKEN + 1, TAKEN + 1)


def test_a_query_says_what_a_node_never_had(tmp_path: Path) -> None:
    """
    Given a node that has joined at block 4, and one that has all blocks,
    when both are asked by ABCI about a transaction of block 2, and of block 5,
    then the first says that it can't know of the one, and both tell the other.
    """
    with node(tmp_path / "old", options=EVERY_FOURTH) as old, node(tmp_path / "new") as new:
        old.begin()
        trusted = blocks_on(old, 1, TAKEN)
        (offered,) = old.snapshots()
        new.offer(offered, trusted)
        take_in(new, old, offered)
        blocks_on(new, TAKEN + 1, 6)
        blocks_on(old, TAKEN + 1, 6)
        ids = [old.store.block(height).outbox[0][0] for height in (2, 6)]
        asked = [[_status(one, identifier) for identifier in ids] for one in (old, new)]
        assert asked[0][1] == asked[1][1] != (0, b"")
        assert (asked[0][0][0], asked[1][0]) == (0, (NOT_HERE, b""))


def _status(one: Node, identifier: bytes) -> tuple[int, bytes]:
    answer = one.application.query(q.RequestQuery(data=identifier, path="status"))
    return answer.code, answer.value
