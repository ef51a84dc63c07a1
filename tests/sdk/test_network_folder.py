"""What is done with the folder of a network's node: kept, restored, pruned, begun from solo's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engines.cometbft.whole_node import FREE, begun, held, need_program, operator_of, payments
from tests.sdk.kept_chain import CNY, OWNER, PASSPHRASE, Kept, keep, pay, reopen
from tongbao.engines.cometbft.header import LocalHeader, encode_local
from tongbao.engines.headers import decode_header
from tongbao.kernel import Amount, GenesisError, PublicKey, Small, Time
from tongbao.kernel.kernel_module import NodeId, Power
from tongbao.modules import governance
from tongbao.sdk import to_json, verify
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.backup import back_up
from tongbao.sdk.block_checks import BlockChecks
from tongbao.sdk.client import Head
from tongbao.sdk.doctor import examine
from tongbao.sdk.doctor_finding import Severity
from tongbao.sdk.genesis_export import check_export, export
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.network import NodeKeys, make_keys, open_network
from tongbao.sdk.network_trust import first_trust
from tongbao.sdk.opening import AUTHORITY, OPERATOR, open_chain
from tongbao.sdk.pruning import prune
from tongbao.sdk.restore import restore
from tongbao.sdk.snapshot_import import import_snapshot
from tongbao.sdk.snapshots import take
from tongbao.store.errors import Pruned


def head_of(folder: Path) -> Head:
    """Where the chain in a folder is."""
    with open_chain(folder) as chain:
        return chain.head()


def test_a_node_s_folder_is_kept_restored_and_pruned_as_any_other(tmp_path: Path) -> None:
    """
    Given the folder of a network's node with some blocks,
    when it is backed up and restored, written as a snapshot that is imported, and pruned,
    then each has the same head, an audit finds nothing, the doctor finds nothing broken, and the
    pruned node goes on.
    """
    folder = tmp_path / "node"
    with begun(folder) as (chain, _, shop):
        chain.submit_many(payments(chain, folder, shop, 50))
    head = head_of(folder)
    back_up(folder, tmp_path / "backup")
    assert restore(tmp_path / "backup", tmp_path / "restored").height == head.height
    take(folder, tmp_path / "snapshot")
    import_snapshot(tmp_path / "snapshot", tmp_path / "imported")
    assert head_of(tmp_path / "restored") == head_of(tmp_path / "imported") == head
    prune(folder, 1)
    for name in ("node", "restored", "imported"):
        assert audit_folder(tmp_path / name).findings == (), name
        found = examine(tmp_path / name, is_deep=True).findings
        assert all(one.severity is not Severity.BROKEN for one in found), name
    with open_network(folder, FREE) as chain:
        operator_of(chain, folder).send(pay(shop, "1.00"))
        assert held(chain, shop) == Amount("1.50")
    assert audit_folder(folder).findings == ()


def decided(folder: Path, keys: NodeKeys | None, power: int = 1) -> Kept:
    """A closed solo chain, whose operators have let the node vote whose keys are given."""
    kept = keep(folder)
    if keys is None:
        return kept
    with reopen(folder) as chain:
        own = Keystore(folder / "keys")
        operator, authority = (own.unlock(name, PASSPHRASE) for name in (OPERATOR, AUTHORITY))
        chain.wallet(OWNER, operator, authority).send(
            governance.Found(
                authority=PublicKey(authority.key_id),
                operators=(OWNER,),
                threshold=Small(1),
                delay_ms=governance.Delay(0),
            )
        )
        vote = governance.SetValidator(key=PublicKey(keys.validator), power=Power(power))
        admit = governance.AdmitPeer(node=NodeId(keys.node))
        closes = Time(chain.now() + 60_000)
        chain.wallet(OWNER, operator).send(
            governance.Propose(actions=(vote, admit), closes_at=closes)
        )
        wanted = [keys.validator]
        while [key for key, _ in chain.query(governance.validators).rows] != wanted:
            chain.wallet(OWNER, operator).send(pay(kept.shop, "0.01"))
        return Kept(folder, chain.head(), kept.shop)


def test_a_network_goes_on_from_the_state_of_a_solo_chain(tmp_path: Path) -> None:
    """
    Given a solo chain whose operators have decided on the validator of a network,
    when its state is exported for that network, checked, and the node is started in it,
    then the network's first block has the next height and the same rows under it, the operator
    pays on with the key that it had, a proof is believed from the genesis file on, and the folder
    is in order.
    """
    need_program()
    folder = tmp_path / "net"
    keys = make_keys(tmp_path / "keys-of-node")
    kept = decided(tmp_path / "solo", keys)
    report = export(kept.folder, folder, "net", network=True)
    assert check_export(folder).state_root == kept.head.state_root == report.state_root
    shutil.copytree(tmp_path / "keys-of-node", folder, dirs_exist_ok=True)
    shutil.copytree(kept.folder / "keys", folder / "keys")
    with open_chain(kept.folder) as solo:
        before = held(solo, kept.shop)
    with open_network(folder, FREE) as chain:
        operator_of(chain, folder).send(pay(kept.shop, "4.00"))
        assert held(chain, kept.shop) == before + Amount("4.00")
        first = kept.head.height + 1
        header, signer = decode_header(chain.block(first).header)
        assert (header.height, header.state, signer) == (first, kept.head.state_root, None)
        with pytest.raises(Pruned):
            chain.block(kept.head.height)
        proof = chain.prove_row("asset.holdings", (kept.shop, CNY))
        trust = first_trust(chain.genesis)
        assert verify(to_json(proof), to_json(trust)).value
    assert audit_folder(folder).findings == ()
    with open_network(folder, FREE) as chain:
        operator_of(chain, folder).send(pay(kept.shop, "1.00"))
    assert audit_folder(folder).findings == ()


@pytest.mark.parametrize(("is_decided", "says"), [(False, "no validators"), (True, "power 1 each")])
def test_no_network_goes_on_where_nobody_has_decided_who_votes(
    tmp_path: Path, is_decided: bool, says: str
) -> None:
    """
    Given a solo chain without validators, or with one of another power than one,
    when it is exported for a network,
    then what to decide first is said, and there is no folder.
    """
    keys = make_keys(tmp_path / "node") if is_decided else None
    kept = decided(tmp_path / "solo", keys, power=7)
    with pytest.raises(GenesisError, match=says):
        export(kept.folder, tmp_path / "net", "net", network=True)
    assert not (tmp_path / "net").exists()


def test_a_header_counts_only_on_a_chain_of_its_engine(tmp_path: Path) -> None:
    """
    Given the blocks of a network's node, and those of a solo chain,
    when a network's header is changed, or stands on a solo chain, or a signed one in a network,
    then a check of the block says what is wrong.
    """
    with begun(tmp_path / "node") as (chain, _, _):
        first, second = chain.headers(0, 1)
        network = chain.genesis
    kept = keep(tmp_path / "solo")
    with open_chain(kept.folder) as solo:
        signed, authority = solo.headers(0, 0)[0], solo.genesis
    assert BlockChecks(network).of_line(first, 0) == []
    assert "nobody has signed its header" in BlockChecks(authority).of_line(first, 0)[0]
    assert "signed by one key" in BlockChecks(network).of_line(signed, 0)[0]
    header, _ = decode_header(second.header)
    assert isinstance(header, LocalHeader)
    checks = BlockChecks(network)
    assert checks.of_line(first, 0) == []
    forged = replace(second, header=encode_local(replace(header, previous=header.state)))
    assert checks.of_line(forged, 1) == ["block 1: it does not follow the block before it"]
    spaced = replace(second, header=second.header.replace(b":", b": ", 1))
    assert "not a local header" in BlockChecks(network).of_line(spaced, 0)[0]
