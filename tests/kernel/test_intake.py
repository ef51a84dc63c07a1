"""What another process of the node has read and verified is taken over, and changes nothing."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fixed_chain import FIRST_MODULES, FixedChain, fixed_genesis
from tongbao.kernel import Decided, Invalid, InvalidTransaction, Machine
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.genesis import chain_id
from tongbao.kernel.intake import Intake
from tongbao.simulation.mischief_recipes import CHAPTERS, RECIPES
from tongbao.simulation.playing import REGISTRY, genesis_for
from tongbao.testing.genesis import PEOPLE
from tongbao.testing.histories import History
from tongbao.testing.keys import named_key
from tongbao.testing.ledger import Ledger


def hand_over(front: Intake, machine: Machine, wire: bytes) -> None:
    """Let a machine take over what another process takes; what it refuses is not handed over."""
    with suppress(InvalidTransaction):
        read = front.decode(wire)
        payload = decode_envelope(wire).payload
        machine.take_over(wire, read.id, payload, read.signers)


def decide(ledger: Ledger, time: int, wires: tuple[bytes, ...]) -> Decided:
    """The next block of a chain, kept."""
    decided = ledger.machine.apply(ledger.block(time, wires))
    ledger.commit(decided)
    return decided


@settings(max_examples=12)
@given(st.integers(0, 2**32))
def test_what_is_taken_over_comes_to_the_same(seed: int) -> None:
    """
    Given a random history, spoilt transactions and several signatures among it,
    when one machine reads and verifies it all by itself, and another takes over what a process
    without state has read,
    then results, receipts, rows and roots are the same in each block.
    """
    genesis = genesis_for(str(seed))
    whole, helped = Ledger(REGISTRY, genesis), Ledger(REGISTRY, genesis)
    front = Intake(REGISTRY, whole.machine.chain, whole.machine.parameters)
    signers = [named_key(person) for person in PEOPLE]
    history = History(whole.machine, str(seed), 60, signers, RECIPES, CHAPTERS)
    for step in history.steps():
        wires = tuple(found.wire for found in step.submissions)
        for wire in wires:
            hand_over(front, helped.machine, wire)
        decided = decide(whole, step.time, wires)
        history.learn(step, decided.results)
        assert decide(helped, step.time, wires) == decided


def test_what_is_taken_over_is_remembered_like_what_was_verified() -> None:
    """
    Given a payment that a process without state has read,
    when a machine takes it over,
    then it knows the payment, decodes it to the same without a signature left to check, and
    forgets it with the block that holds it.
    """
    chain = FixedChain()
    machine = chain.producer.machine
    front = Intake(FIRST_MODULES, chain_id(chain.genesis), machine.parameters)
    wire = chain.pay("1.00")
    read = front.decode(wire)
    taken = machine.take_over(wire, read.id, decode_envelope(wire).payload, read.signers)
    assert (taken.id, taken.payload, taken.signers) == (read.id, read.payload, read.signers)
    assert machine.knows(wire)
    assert machine.decode(wire) is taken
    assert not taken.signatures
    chain.make(wire)
    assert not machine.knows(wire)
    assert machine.parse(wire).signatures == read.signatures


@pytest.mark.parametrize("signer", ["shop", "bank"])
def test_the_machine_still_judges_who_must_sign(signer: str) -> None:
    """
    Given a payment that is said to be signed by another than its sender,
    when the machine takes it over and a block has it,
    then it is invalid there as it is anywhere.
    """
    chain = FixedChain()
    machine = chain.producer.machine
    wire = chain.pay("1.00")
    other = machine.parse(chain.signed(signer, *machine.parse(wire).payload.messages)).signers
    machine.take_over(wire, machine.parse(wire).id, decode_envelope(wire).payload, other)
    made = chain.producer.make((wire,), machine.time + 1_000)
    assert made is not None
    assert made.invalid == {wire: Invalid.THRESHOLD_IS_NOT_MET.number}


def test_an_intake_needs_no_machine() -> None:
    """
    Given only the modules, a genesis file and parameters,
    when an intake reads a payment of that chain, one of more bytes than allowed, and a spoilt one,
    then it takes the first and says why not of the others.
    """
    chain = FixedChain()
    parameters = dict(chain.producer.machine.parameters)
    intake = Intake(FIRST_MODULES, chain_id(fixed_genesis()), parameters)
    wire = chain.pay("1.00")
    assert intake.decode(wire).wire == wire
    with pytest.raises(InvalidTransaction) as spoilt:
        intake.decode(wire[:-86] + b"A" * 86)
    assert spoilt.value.why is Invalid.SIGNATURE_IS_WRONG
    intake.parameters = parameters | {"kernel.transaction_bytes": len(wire) - 1}
    with pytest.raises(InvalidTransaction) as long:
        intake.decode(wire)
    assert long.value.why is Invalid.TRANSACTION_IS_TOO_LARGE
