"""What is done with the folder of a network's node: kept, restored, pruned, begun from solo's."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engines.cometbft.whole_node import FREE, begun, held, need_program, operator_of, payments
from tests.sdk.kept_chain import OWNER, keep, pay
from tongbao.engines.cometbft.header import LocalHeader, encode_local
from tongbao.engines.headers import decode_header
from tongbao.kernel import Amount
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.backup import back_up
from tongbao.sdk.block_checks import BlockChecks
from tongbao.sdk.client import Head
from tongbao.sdk.doctor import examine
from tongbao.sdk.doctor_finding import Severity
from tongbao.sdk.genesis_export import check_export, export
from tongbao.sdk.network import open_network
from tongbao.sdk.opening import open_chain
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


def test_a_network_goes_on_from_the_state_of_a_solo_chain(tmp_path: Path) -> None:
    """
    Given a solo chain of six blocks,
    when its state is exported for a network of one node, checked, and the node is started,
    then the network's first block has the next height and the same rows under it, the operator
    pays on with the key that it had, and the folder is in order.
    """
    need_program()
    kept = keep(tmp_path / "solo")
    report = export(kept.folder, tmp_path / "net", "net", validators=())
    assert check_export(tmp_path / "net").state_root == kept.head.state_root == report.state_root
    folder = tmp_path / "net"
    shutil.copytree(kept.folder / "keys", folder / "keys")
    with open_network(folder, FREE) as chain:
        operator_of(chain, folder).send(pay(kept.shop, "4.00"))
        assert held(chain, kept.shop) == Amount("10.00")
        assert held(chain, OWNER) == Amount("990.00")
        header, signer = decode_header(chain.block(kept.head.height + 1).header)
        assert (header.height, header.state, signer) == (
            kept.head.height + 1,
            kept.head.state_root,
            None,
        )
        with pytest.raises(Pruned):
            chain.block(kept.head.height)
    assert audit_folder(folder).findings == ()
    with open_network(folder, FREE) as chain:
        operator_of(chain, folder).send(pay(kept.shop, "1.00"))
    assert audit_folder(folder).findings == ()


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
