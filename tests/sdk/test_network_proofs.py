"""Proofs of a chain that a real CometBFT orders: believed offline, and by a client who asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tests.engines.cometbft.whole_node import begun
from tests.node.conftest import serving_chain
from tests.sdk.kept_chain import CNY, OWNER, PASSPHRASE, pay
from tongbao.kernel import Address, Amount
from tongbao.modules import asset
from tongbao.sdk import to_json
from tongbao.sdk.client import Client
from tongbao.sdk.folder import Folder, trust_bytes
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import OPERATOR, open_chain
from tongbao.sdk.proofs import NetworkTrust
from tongbao.sdk.prover import NotProven
from tongbao.sdk.verification import verify
from tongbao.sdk.wallet import Wallet


class Network(NamedTuple):
    """A network of one that runs."""

    folder: Path
    chain: Chain
    operator: Wallet
    shop: Address


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Started once."""
    folder = tmp_path_factory.mktemp("network")
    with begun(folder) as (chain, operator, shop):
        yield Network(folder, chain, operator, shop)


def trust_of(network: Network) -> bytes:
    """The trust file that was made with the genesis file."""
    return Folder(network.folder).trust_file.read_bytes()


def test_rows_and_transactions_are_proven_by_real_votes(network: Network) -> None:
    """
    Given a chain that a real CometBFT orders, and its folder's trust file,
    when a payment and the holdings after it are proven,
    then the proofs verify offline, and speak of the payment's block or a later one.
    """
    paid = network.operator.send(pay(network.shop, "1.25"))
    trust = trust_of(network)
    found = verify(to_json(network.chain.prove_transaction(paid.id)), trust)
    assert (found.height, found.transaction_id) == (paid.height, paid.id)
    held = network.chain.query(asset.balance, network.shop, CNY)
    assert held is not None
    row = verify(to_json(network.chain.prove_row("asset.holdings", (network.shop, CNY))), trust)
    assert row.height >= paid.height
    assert row.value == {"@version": 1, "amount": str(held.amount)}
    assert row.time == network.chain.block(row.height).time
    absent = network.chain.prove_row("asset.holdings", ("ab" * 20, CNY))
    assert verify(to_json(absent), trust).value is None


def test_every_block_from_the_first_is_believed_from_the_genesis_file(network: Network) -> None:
    """
    Given all light blocks of a real CometBFT,
    when each is asked for and its transactions are proven,
    then header, state and time are those of this node's log.
    """
    trust = trust_of(network)
    last = network.chain.light_block().height
    for height in range(1, last):
        told = network.chain.light_block(height + 1)
        record = network.chain.block(height)
        assert told.height == height + 1
        for identifier, number in record.outbox:
            found = verify(to_json(network.chain.prove_transaction(identifier.hex())), trust)
            assert (found.height, found.time) == (height, record.time)
            assert found.receipt.get("number", 0) == number


def test_the_trust_file_is_made_new(network: Network) -> None:
    """
    Given the trust file of the newest block, as the running chain gives it,
    when a later payment is proven,
    then it makes the proof believable as the genesis's does.
    """
    newer = to_json(network.chain.trust())
    paid = network.operator.send(pay(network.shop, "0.50"))
    proof = to_json(network.chain.prove_transaction(paid.id))
    assert verify(proof, newer) == verify(proof, trust_of(network))


def test_a_client_believes_a_real_network_over_http(network: Network) -> None:
    """
    Given a node of a real network and a client with the trust file,
    when it pays, asks for the head, for rows and for a newer trust file,
    then all is proven, and it reads what it wrote.
    """
    nobody: Any = None
    signer = Keystore(network.folder / "keys").unlock(OPERATOR, PASSPHRASE)
    with (
        serving_chain(nobody, network.chain) as served,
        HttpChain(served.address, trust=trust_of(network)) as chain,
    ):
        before = held_by(network.chain, network.shop)
        paid = chain.wallet(OWNER, signer).send(pay(network.shop, "2.00"))
        assert held_by(chain, network.shop) == before + Amount("2.00")
        head = chain.head()
        assert head.height >= paid.height
        assert head.time == network.chain.block(head.height).time
        newer = chain.trust()
        assert isinstance(newer, NetworkTrust) and newer.height > 0
        proof = to_json(chain.prove_transaction(paid.id))
        assert verify(proof, trust_of(network)).height == paid.height
        assert chain.status(paid.id).state == "applied"


def held_by(chain: Client, owner: Address) -> Amount:
    """What somebody holds."""
    found = chain.query(asset.balance, owner, CNY)
    assert found is not None
    return found.amount


def test_a_folder_without_its_node_proves_nothing(tmp_path: Path) -> None:
    """
    Given the folder of a network's node that was stopped,
    when it is opened to read and a row is to be proven,
    then it is said that a running node has the votes; and the trust file is the genesis's.
    """
    with begun(tmp_path / "node"):
        pass
    with open_chain(tmp_path / "node") as chain:
        with pytest.raises(NotProven, match="running node"):
            chain.prove_row("asset.holdings", (OWNER, CNY))
        assert to_json(chain.trust()) == trust_bytes(chain.genesis)
