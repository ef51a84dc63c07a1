"""A real CometBFT follows what operators decide: its validators, and whom it may speak to."""

from __future__ import annotations

import tomllib
from pathlib import Path

from msgspec.structs import replace

from tests.engines.cometbft.looking import until
from tests.engines.cometbft.whole_node import FREE, lay, operator_of
from tongbao.engines.cometbft.rpc import Rpc
from tongbao.kernel import PublicKey, Small, Time
from tongbao.kernel.envelope import encode_base64url
from tongbao.kernel.kernel_module import NodeId, Power
from tongbao.localnet.ports import free_ports
from tongbao.modules import account
from tongbao.modules.governance import Action, AdmitPeer, Propose, RemoveValidator, SetValidator
from tongbao.sdk.local import Chain
from tongbao.sdk.network import LOG, home_of, keys_of, lay_out_node, open_network
from tongbao.sdk.signer import SoftwareKey
from tongbao.sdk.wallet import Wallet

HOUR_MS = 3_600_000
ANOTHER = SoftwareKey.from_seed(b"another validator, not running..").key_id


def rpc_of(folder: Path) -> Rpc:
    """The RPC of the CometBFT that runs in a folder."""
    configuration = tomllib.loads((home_of(folder) / "config" / "config.toml").read_text())
    return Rpc(Path(configuration["rpc"]["laddr"].removeprefix("unix://")))


def decide(operator: Wallet, chain: Chain, *actions: Action) -> int:
    """Let the only operator decide, at once; the height of the block that carried it out.

    CometBFT makes an empty block behind one that changed the state; else the next one does it.
    """
    message = Propose(actions=actions, closes_at=Time(chain.now() + HOUR_MS))
    proposed = operator.send(message).height
    last = next_block(operator)
    carried = [
        height
        for height in range(proposed + 1, last + 1)
        if any(b"carried_out" in receipt for receipt in chain.block(height).receipts)
    ]
    assert len(carried) == 1
    return carried[0]


def next_block(operator: Wallet) -> int:
    """Make a block by a transaction that changes nothing but its nonce; its height."""
    return operator.send(account.SetLanes(lanes=Small(1))).height


def powers(rpc: Rpc, height: int) -> dict[str, int]:
    """Who votes on the block of a height, with which power, as CometBFT has it."""
    return {encode_base64url(one.pub_key.value): one.voting_power for one in rpc.validators(height)}


def test_a_decision_about_validators_holds_two_blocks_later(tmp_path: Path) -> None:
    """
    Given a network of one validator of power 1,
    when its operator decides that it weighs 1,000 and that a key that does not run weighs 1, and
    later that this key leaves,
    then CometBFT has the old validators in the block behind each decision, the new ones from the
    second block on, and blocks go on being made.
    """
    with open_network(lay(tmp_path), FREE) as chain:
        operator, rpc = operator_of(chain, tmp_path), rpc_of(tmp_path)
        own, other = PublicKey(keys_of(tmp_path).validator), PublicKey(ANOTHER)
        made = decide(
            operator,
            chain,
            SetValidator(key=own, power=Power(1_000)),
            SetValidator(key=other, power=Power(1)),
        )
        while next_block(operator) < made + 2:
            pass
        assert powers(rpc, made + 1) == {own: 1}
        assert powers(rpc, made + 2) == {own: 1_000, other: 1}
        left = decide(operator, chain, RemoveValidator(key=other))
        while next_block(operator) < left + 2:
            pass
        assert powers(rpc, left + 1) == {own: 1_000, other: 1}
        assert powers(rpc, left + 2) == {own: 1_000}
        rpc.close()


def test_a_node_connects_once_operators_have_admitted_it(tmp_path: Path) -> None:
    """
    Given a node that asks before it lets others connect, and another that knows its address,
    when the other tries to connect, and the first node's operator then admits it,
    then the first refuses it by its id until it is admitted, and then follows its blocks.
    """
    first, second = tmp_path / "first", tmp_path / "second"
    [port] = free_ports(1)
    address = f"127.0.0.1:{port}"
    strict = replace(FREE, p2p_listen=f"tcp://{address}", filter_peers=True)
    with open_network(lay(first), strict) as chain:
        operator, rpc = operator_of(chain, first), rpc_of(first)
        keys = lay_out_node(second, chain.genesis)
        peer = f"{keys_of(first).node}@{address}"
        with open_network(
            second, replace(strict, p2p_listen=FREE.p2p_listen, persistent_peers=(peer,))
        ):
            log = first / LOG
            until(lambda: "operators have not admitted this node" in log.read_text())
            assert rpc.net_info().n_peers == 0
            decide(operator, chain, AdmitPeer(node=NodeId(keys.node)))
            until(lambda: rpc.net_info().n_peers == 1)
            rpc.close()
