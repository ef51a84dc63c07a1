"""Two real nodes: one has the history, the other joins it, by a snapshot or by every block."""

from __future__ import annotations

import json
import urllib.request
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engines.cometbft.looking import until
from tests.engines.cometbft.whole_node import FREE, begun, held, payments
from tests.sdk.kept_chain import CNY
from tongbao.engines.cometbft.configuration import StateSync
from tongbao.engines.cometbft.statesync.options import SyncOptions
from tongbao.kernel import Address
from tongbao.localnet.ports import free_ports
from tongbao.sdk import to_json, verify
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.backup import back_up
from tongbao.sdk.doctor import examine
from tongbao.sdk.joined import NeverHere, NoHistory
from tongbao.sdk.local import Chain
from tongbao.sdk.network import NetworkOptions, keys_of, lay_out_node, open_network
from tongbao.sdk.pruning import prune
from tongbao.sdk.snapshots import take
from tongbao.store.errors import Pruned

HOLDINGS = "asset.holdings"
SECONDS = 60
PAYMENTS = 20
ROUNDS = 10


class Network:
    """Where the first node listens."""

    def __init__(self, folder: Path) -> None:
        """Choose addresses for the node of a folder."""
        self.folder = folder
        self.p2p, self.rpc = free_ports(2)

    @property
    def first(self) -> NetworkOptions:
        """What the first node is told: a snapshot every fifth block."""
        return replace(
            FREE,
            p2p_listen=f"tcp://127.0.0.1:{self.p2p}",
            rpc_listen=f"tcp://127.0.0.1:{self.rpc}",
            snapshots=SyncOptions(interval=5, keep=3),
        )

    @property
    def peer(self) -> str:
        """How others reach it."""
        return f"{keys_of(self.folder).node}@127.0.0.1:{self.p2p}"

    def later(self, *, by_snapshot: bool) -> NetworkOptions:
        """What a node is told that comes later; it trusts block 2, of which somebody told it."""
        rpc = f"tcp://127.0.0.1:{self.rpc}"
        sync = StateSync(rpc_servers=(rpc, rpc), trust_height=2, trust_hash=self._hash_of(2))
        return replace(
            FREE, persistent_peers=(self.peer,), state_sync=sync if by_snapshot else None
        )

    def _hash_of(self, height: int) -> str:
        url = f"http://127.0.0.1:{self.rpc}/commit?height={height}"
        with urllib.request.urlopen(url, timeout=SECONDS) as answer:  # our own node, on loopback
            found = json.load(answer)
        return str(found["result"]["signed_header"]["commit"]["block_id"]["hash"])


def pay_all(chain: Chain, folder: Path, shop: Address, rounds: int = ROUNDS) -> None:
    """Payments in several blocks, some hundred unless there are fewer rounds."""
    for _ in range(rounds):
        some = payments(chain, folder, shop, PAYMENTS)
        assert not any(isinstance(each, Exception) for each in chain.submit_many(some))


def joined(folder: Path, first: Chain, options: NetworkOptions) -> Chain:
    """A fresh node that has reached the height at which the first is now."""
    lay_out_node(folder, first.genesis)
    chain = open_network(folder, options)
    wanted = first.head()
    try:
        until(lambda: chain.head().height >= wanted.height)
    except BaseException:
        chain.close()
        raise
    return chain


def finished(folder: Path) -> bool:
    """Whether snapshots are there, and none is being taken."""
    names = [path.name for path in folder.iterdir()]
    return bool(names) and all(name.isdecimal() for name in names)


def same(one: Chain, other: Chain, shop: Address) -> None:
    """Both come to the same block, with the same rows and headers; empty ones may follow."""
    last = max(one.head().height, other.head().height)
    until(lambda: min(one.head().height, other.head().height) >= last)
    assert held(one, shop) == held(other, shop)
    assert one.headers(last - 2, last) == other.headers(last - 2, last)
    assert one.audit() == other.audit() == []


def test_a_fresh_node_joins_by_a_snapshot_and_by_all_blocks(tmp_path: Path) -> None:
    """
    Given a network of one validator with two hundred payments and snapshots,
    when a fresh node joins by state sync, another one by all blocks since genesis, and payments
    go on through each of the three,
    then all have the same rows and headers; the one that joined late has no old block, says of an
    old transaction that it can't know, tells and proves later ones as the others do.
    """
    network = Network(tmp_path / "first")
    with begun(tmp_path / "first", network.first) as (first, _, shop):
        old = next(filter(None, (first.block(at).transactions for at in range(5))))[0]
        pay_all(first, network.folder, shop)
        late = joined(tmp_path / "late", first, network.later(by_snapshot=True))
        with late:
            assert late.begins >= 5 and late.begins % 5 == 0
            assert late.first_block == late.begins + 1
            same(first, late, shop)
            with pytest.raises(NeverHere, match=f"block {late.begins}"):
                late.status(first.submit(old).id)
            with pytest.raises(NeverHere):
                late.submit(old)
            with pytest.raises(Pruned):
                late.block(late.begins)
            (wire,) = payments(late, network.folder, shop, 1)
            paid = late.submit(wire)
            assert late.status(paid.id).state == "applied"
            for proof in (late.prove_transaction(paid.id), late.prove_row(HOLDINGS, (shop, CNY))):
                verify(to_json(proof), to_json(first.trust()))
            whole = joined(tmp_path / "whole", first, network.later(by_snapshot=False))
            with whole:
                (wire,) = payments(whole, network.folder, shop, 1)
                assert whole.submit(wire).id
                same(first, late, shop)
                same(first, whole, shop)
                assert whole.begins == 0
                assert whole.submit(old) == first.submit(old)
        with open_network(tmp_path / "late", network.later(by_snapshot=True)) as again:
            (wire,) = payments(first, network.folder, shop, 1)
            first.submit(wire)
            same(first, again, shop)


def test_a_folder_that_joined_is_audited_and_says_what_it_can_not_do(tmp_path: Path) -> None:
    """
    Given the folder of a node that has joined by a snapshot, closed after a payment,
    when it is audited and examined, and a snapshot, a backup and a pruning are asked of it,
    then the audit counts what is there and finds nothing, the doctor says what was never here,
    and the others refuse it in words that name where to ask, leaving nothing behind.
    """
    network = Network(tmp_path / "first")
    folder = tmp_path / "late"
    with begun(network.folder, network.first) as (first, _, shop):
        pay_all(first, network.folder, shop, rounds=4)
        with joined(folder, first, network.later(by_snapshot=True)) as late:
            (wire,) = payments(late, network.folder, shop, 1)
            late.submit(wire)
            same(first, late, shop)
            begins = late.begins
    report = audit_folder(folder)
    assert (report.findings, report.blocks) == ((), report.height - begins)
    findings = {finding.text for finding in examine(folder).findings}
    assert f"joined by state sync: outcomes of blocks 0 to {begins} were never here" in findings
    before = {path.name for path in tmp_path.iterdir()}
    for ask in (
        lambda: take(folder, tmp_path / "snapshot"),
        lambda: back_up(folder, tmp_path / "backup"),
        lambda: prune(folder, 0),
    ):
        with pytest.raises(NoHistory, match=f"joined its network at block {begins}"):
            ask()
    assert {path.name for path in tmp_path.iterdir()} == before


def test_a_node_that_serves_a_bad_chunk_keeps_nobody_from_joining(tmp_path: Path) -> None:
    """
    Given a network in which a second node serves every chunk of its snapshots with a flipped byte,
    when a fresh node joins that knows both,
    then it refuses what the liar gives it, takes the rows from the other, and has the same root.
    """
    network = Network(tmp_path / "first")
    with begun(network.folder, network.first) as (first, _, shop):
        [liar_port] = free_ports(1)
        options = replace(
            network.later(by_snapshot=False),
            p2p_listen=f"tcp://127.0.0.1:{liar_port}",
            snapshots=SyncOptions(interval=5, keep=3),
        )
        with joined(tmp_path / "liar", first, options) as liar:
            while first.head().height < 7:
                pay_all(first, network.folder, shop, rounds=1)
            same(first, liar, shop)
            folder = tmp_path / "liar" / "snapshots"
            until(lambda: finished(folder) and finished(network.folder / "snapshots"))
            for chunk in folder.glob("*/chunks/*.rows"):
                data = chunk.read_bytes()
                chunk.write_bytes(data[:-1] + bytes([data[-1] ^ 1]))
            peer = f"{keys_of(tmp_path / 'liar').node}@127.0.0.1:{liar_port}"
            wanted = network.later(by_snapshot=True)
            wanted = replace(wanted, persistent_peers=(peer, *wanted.persistent_peers))
            with joined(tmp_path / "late", first, wanted) as late:
                assert late.begins > 0
                same(first, late, shop)
