"""A chain whose blocks a real CometBFT orders: each transaction is answered, once, whoever dies."""

from __future__ import annotations

import threading
from collections import Counter
from pathlib import Path

import pytest
from msgspec.structs import replace

from tests.engines.cometbft.whole_node import (
    FREE,
    begun,
    cometbft_of,
    held,
    kill_cometbft,
    lay,
    operator_of,
    payments,
)
from tests.fixed_chain import key
from tests.sdk.kept_chain import CNY, OWNER
from tongbao.engines.cometbft.keys import VALIDATOR_KEY, KeyFileError
from tongbao.engines.solo import Busy, EngineStopped
from tongbao.kernel import Amount, Block, Count, Invalid, InvalidTransaction, Machine, Time
from tongbao.modules import asset
from tongbao.sdk.audit import audit_folder
from tongbao.sdk.client import Applied, Refused
from tongbao.sdk.errors import Unreachable
from tongbao.sdk.folder import Folder, FolderError
from tongbao.sdk.local import Chain
from tongbao.sdk.network import home_of, lay_out_node, open_network
from tongbao.sdk.opening import open_chain
from tongbao.store.memory import MemoryStore

WINDOW = 250
"""As many payments as one lane of nonces lets wait."""
SECONDS = 60


def applied(answers: list[Applied | Exception]) -> list[Applied]:
    """All of them, none of which is an error."""
    wrong = [answer for answer in answers if not isinstance(answer, Applied)]
    assert not wrong, wrong[:3]
    return [answer for answer in answers if isinstance(answer, Applied)]


def each_is_once(chain: Chain, wires: list[bytes]) -> None:
    """Each transaction stands in exactly one block, as applied."""
    counted = Counter[bytes]()
    for height in range(1, chain.head().height + 1):
        record = chain.block(height)
        for wire, (_, number) in zip(record.transactions, record.outbox, strict=True):
            counted[wire] += number == 0
    assert [counted[wire] for wire in wires] == [1] * len(wires)


def test_every_payment_is_answered_once_though_cometbft_is_killed(tmp_path: Path) -> None:
    """
    Given a node with 500 payments on their way,
    when its CometBFT is killed in the middle of them, and again,
    then every payment is answered as applied, stands in one block, and the shop has their sum.
    """
    with begun(tmp_path) as (chain, _, shop):
        wires = payments(chain, tmp_path, shop, 500)
        sent = []
        for start in (0, WINDOW):
            tickets = [chain.queue(wire) for wire in wires[start : start + WINDOW]]
            tickets[20].future().result(SECONDS)
            kill_cometbft(tmp_path)
            sent += [chain.applied(ticket.future().result(SECONDS)) for ticket in tickets]
        assert len({answer.id for answer in sent}) == 500
        each_is_once(chain, wires)
        assert held(chain, shop) == Amount("5.00")
        assert chain.waiting == 0


def test_a_node_goes_on_after_a_restart_and_its_folder_is_in_order(tmp_path: Path) -> None:
    """
    Given a node that has made blocks and is closed,
    when it is opened to read, audited, and opened again as a node,
    then it reads alike, nothing is wrong, transactions are not taken by the reader, and the node
    pays on; CometBFT ends with the node.
    """
    with begun(tmp_path) as (chain, operator, shop):
        operator.send(asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=shop))
        head = chain.head()
    assert cometbft_of(tmp_path) is None
    with open_chain(tmp_path) as reader:
        assert reader.head().height >= head.height
        assert held(reader, shop) == Amount("1.00")
        with pytest.raises(EngineStopped, match="tongbao run"):
            reader.submit(payments(reader, tmp_path, shop, 1)[0])
    assert audit_folder(tmp_path).findings == ()
    with open_network(tmp_path, FREE) as chain:
        operator = operator_of(chain, tmp_path)
        operator.send(asset.Transfer(asset=CNY, amount=Amount("2.00"), payee=shop))
        assert held(chain, shop) == Amount("3.00")
    assert audit_folder(tmp_path).findings == ()


def test_the_same_history_has_the_same_roots_without_a_network(tmp_path: Path) -> None:
    """
    Given a history of payments and refusals that CometBFT has ordered,
    when a machine is given the same blocks without any engine,
    then the state root of each block is the one that the node's header says.
    """
    with begun(tmp_path) as (chain, _, shop):
        chain.submit_many(payments(chain, tmp_path, shop, 100))
        with pytest.raises(Refused):
            operator_of(chain, tmp_path).send(
                asset.Transfer(asset=CNY, amount=Amount("9000.00"), payee=shop)
            )
        machine = Machine(chain.registry, chain.genesis, MemoryStore(), -1, 0)
        machine.genesis()
        machine.commit()
        for height in range(1, chain.head().height + 1):
            record = chain.block(height)
            block = Block(
                height=Count(height), time=Time(record.time), transactions=record.transactions
            )
            assert machine.apply(block).rows == record.rows
            machine.commit()
            assert f'"state":"{machine.state_root.hex()}"'.encode() in record.header


def test_two_clients_at_once_have_their_own_answers(tmp_path: Path) -> None:
    """
    Given two accounts with money,
    when both pay 200 times at once, and one sends every payment twice,
    then each payment is applied once, and all money is where it belongs.
    """
    with begun(tmp_path) as (chain, operator, shop):
        other = operator.open_account(key("other"))
        operator.send(asset.Transfer(asset=CNY, amount=Amount("500.00"), payee=other.address))
        answers: list[Applied] = []

        def pay() -> None:
            transfer = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=shop)
            answers.extend(other.send(transfer) for _ in range(50))

        wires = payments(chain, tmp_path, shop, 200)
        second = threading.Thread(target=pay)
        second.start()
        first = applied(chain.submit_many(wires + wires))
        second.join(SECONDS)
        assert len({answer.id for answer in first}) == 200
        assert len(answers) == 50
        assert held(chain, shop) == Amount("52.00")
        each_is_once(chain, wires)


def test_a_transaction_that_can_not_be_is_told_at_once_and_nothing_waits(tmp_path: Path) -> None:
    """
    Given a running node,
    when it is sent a wrong signature, a nonce that is too far, a payment a second time after its
    block, a refused one a second time, and other bytes,
    then each is told why, the second time as the first, and nothing is left waiting.
    """
    with begun(tmp_path) as (chain, _, shop):
        good, *_, far = payments(chain, tmp_path, shop, 400)
        first, second = (chain.submit(good), chain.submit(good))
        assert first == second
        for wire, why in (
            (payments(chain, tmp_path, shop, 1)[0][:-8] + b"AAAAAAAA", None),
            (far, Invalid.NONCE_IS_TOO_FAR),
            (b"no transaction", Invalid.ENVELOPE_IS_MALFORMED),
        ):
            with pytest.raises(InvalidTransaction) as caught:
                chain.submit(wire)
            assert why in (None, caught.value.why)
        [too_much] = payments(chain, tmp_path, shop, 1, amount="9000.00")
        refused = []
        for _ in range(2):
            with pytest.raises(Refused) as told:
                chain.submit(too_much)
            refused.append((told.value.number, told.value.transaction_id))
        assert refused[0] == refused[1]
        assert chain.waiting == 0


def test_a_full_queue_says_so_and_what_waits_is_carried_out(tmp_path: Path) -> None:
    """
    Given a node whose queue takes two transactions, and whose CometBFT was just killed,
    when three are sent,
    then the third is told that the node is busy, and the two are applied when CometBFT is back.
    """
    with begun(tmp_path, replace(FREE, queue_transactions=2)) as (chain, _, shop):
        one, two, three = payments(chain, tmp_path, shop, 3)
        kill_cometbft(tmp_path)
        tickets = [chain.queue(one), chain.queue(two)]
        with pytest.raises(Busy):
            chain.queue(three)
        assert chain.queue(one) is tickets[0]
        for ticket in tickets:
            chain.applied(ticket.future().result(SECONDS))
        assert chain.submit(three).height


def test_whoever_waits_for_no_quorum_is_told_after_a_while(tmp_path: Path) -> None:
    """
    Given a chain in this process whose patience is at its end, and whose CometBFT was just killed,
    when one payment is submitted, and then two at once,
    then each is told as undecided, with its bytes; submitted again with patience, it is applied.
    """
    with begun(tmp_path) as (chain, _, shop):
        wires = payments(chain, tmp_path, shop, 3)
        chain.patience_s, patience_s = 0.0, chain.patience_s
        kill_cometbft(tmp_path)
        with pytest.raises(Unreachable, match="may have happened or may still happen") as told:
            chain.submit(wires[0])
        undecided = [told.value, *chain.submit_many(wires[1:])]
        assert [getattr(each, "transaction", None) for each in undecided] == wires
        chain.patience_s = patience_s
        applied(chain.submit_many(wires))
        each_is_once(chain, wires)


def test_a_node_that_closes_answers_what_it_took(tmp_path: Path) -> None:
    """
    Given 100 payments in the queue of a node,
    when it is closed at once,
    then each is answered, as applied; and one more is told that the engine is closed.
    """
    with begun(tmp_path) as (chain, _, shop):
        wires = payments(chain, tmp_path, shop, 101)
        tickets = [chain.queue(wire) for wire in wires[:100]]
        chain.close()
        assert all(ticket.is_answered for ticket in tickets)
        applied([chain.applied(ticket.result()) for ticket in tickets])
        with pytest.raises(EngineStopped):
            chain.queue(wires[100])


def test_a_reader_sees_whole_blocks_and_waits_for_none(tmp_path: Path) -> None:
    """
    Given a node under a stream of payments,
    when the head, balances and a dry run are asked all the time,
    then what both accounts hold is always what was issued.
    """
    with begun(tmp_path) as (chain, _, shop):
        tickets = [chain.queue(wire) for wire in payments(chain, tmp_path, shop, 250)]
        heights = set()
        while not all(ticket.is_answered for ticket in tickets):
            with chain.reading() as height:
                total = int(held(chain, OWNER)) + int(held(chain, shop))
                heights.add(height)
            assert total == int(Amount("1000.00")), height
        assert held(chain, shop) == Amount("2.50")
        assert len(heights) >= 1


def test_an_operator_opens_a_network_only_with_its_files(tmp_path: Path) -> None:
    """
    Given a folder of a network,
    when its keys are gone, or it is laid out a second time,
    then what is wrong is said, and nothing is started.
    """
    lay(tmp_path)
    with pytest.raises(FolderError):
        lay_out_node(tmp_path, Folder(tmp_path).genesis())
    (home_of(tmp_path) / VALIDATOR_KEY).unlink()
    with pytest.raises(KeyFileError):
        open_network(tmp_path, FREE)
    assert cometbft_of(tmp_path) is None
