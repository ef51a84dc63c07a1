"""What CometBFT is told of validators and peers: the rows, and nothing that it can't take."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from tests.modules.governance_steps import (
    DELAY_MS,
    NODE,
    done,
    governed,
    proposed,
    validator,
    vote,
    wait,
)
from tongbao.engines.cometbft.membership import (
    NOT_ADMITTED,
    UNKNOWN_FILTER,
    answer_filter,
    first_validators,
    updates_of,
)
from tongbao.kernel import GenesisError, Id, Machine, Name, PublicKey, Small
from tongbao.kernel.envelope import encode_base64url
from tongbao.kernel.genesis import EngineLine, Genesis, section
from tongbao.kernel.kernel_module import Power
from tongbao.modules import governance
from tongbao.modules.governance import (
    AdmitPeer,
    FirstValidator,
    RemovePeer,
    RemoveValidator,
    SetValidator,
)
from tongbao.modules.registry import registry
from tongbao.testing import Chain, bank
from tongbao.testing.backing import SortedBacking
from tongbao.testing.genesis import genesis_of

POWERS = {"first": 5, "second": 7, "third": 1}


def told(updates: Any) -> dict[str, int]:
    """Powers by key, which come in the order of keys."""
    found = [(encode_base64url(one.pub_key.ed25519), one.power) for one in updates]
    assert found == sorted(found)
    return dict(found)


def set_validator(name: str, power: int) -> SetValidator:
    """The action for a validator."""
    return SetValidator(key=validator(name), power=Power(power))


def approved(chain: Chain, *actions: governance.Action) -> Id:
    """A proposal that is carried out once the delay is over."""
    made = proposed(chain, *actions)
    vote(chain, "alice", made)
    return made


def updates_of_next(chain: Chain) -> dict[str, int]:
    """What the block after the delay changes, as CometBFT is told before it is committed."""
    chain.advance(DELAY_MS)
    decided = chain.machine.apply(chain.ledger.block(chain.time, ()))
    found = told(updates_of(chain.machine, decided))
    chain.ledger.commit(decided)
    return found


def network(*names: str, keys: tuple[str, ...] | None = None) -> Genesis:
    """The genesis of a network whose governance names validators; by default the engine's."""
    lines = tuple(FirstValidator(key=validator(name), power=Power(POWERS[name])) for name in names)
    start = governance.Start(
        operators=(bank,), threshold=Small(1), delay_ms=governance.Delay(0), validators=lines
    )
    genesis = genesis_of(registry(), sections=(section("governance", start),) if names else ())
    engine_keys = tuple(PublicKey(validator(name)) for name in (names if keys is None else keys))
    return replace(genesis, engine=EngineLine(name=Name("cometbft"), keys=engine_keys))


def begun(genesis: Genesis) -> Machine:
    """A machine after block 0."""
    machine = Machine(registry(), genesis, SortedBacking(), -1, 0)
    machine.genesis()
    machine.commit()
    return machine


def test_the_first_validators_are_those_of_block_0() -> None:
    """
    Given a network whose genesis names three validators,
    when CometBFT asks for the first ones,
    then it is told all of them with their powers.
    """
    found = told(first_validators(begun(network("first", "second", "third"))))
    assert found == {validator(name): power for name, power in POWERS.items()}


def test_a_network_whose_validators_are_not_its_engines_does_not_begin() -> None:
    """
    Given a genesis file whose engine has a key, and that has no section of governance,
    when CometBFT asks for the first validators,
    then the error says what to name where; a chain of one authority has none to tell.
    """
    with pytest.raises(GenesisError, match="name them in the section governance"):
        first_validators(begun(network(keys=("first",))))
    assert first_validators(begun(genesis_of(registry()))) == ()


def test_a_block_tells_what_it_changes_of_the_validators() -> None:
    """
    Given two validators,
    when one block sets another power, adds one and removes one, and the next changes nothing,
    then CometBFT is told just that: the power, the new one, and 0 for the one that left.
    """
    chain = governed()
    done(chain, set_validator("first", 5), set_validator("second", 7))
    approved(
        chain,
        set_validator("first", 6),
        set_validator("third", 1),
        RemoveValidator(key=validator("second")),
    )
    changes = updates_of_next(chain)
    assert changes == {validator("first"): 6, validator("third"): 1, validator("second"): 0}
    assert updates_of_next(chain) == {}


def test_a_validator_that_came_and_went_in_one_block_is_not_told() -> None:
    """
    Given a validator,
    when one block adds another and removes it, and removes the first and adds it again,
    then CometBFT, which would stop if it were to remove a key it does not know, hears only of the
    first, with its new power.
    """
    chain = governed()
    done(chain, set_validator("first", 5))
    approved(
        chain,
        set_validator("second", 7),
        RemoveValidator(key=validator("first")),
        set_validator("first", 6),
        RemoveValidator(key=validator("second")),
    )
    assert updates_of_next(chain) == {validator("first"): 6}


def filtered(chain: Chain, path: str) -> int:
    """The code that CometBFT is answered."""
    return answer_filter(chain.machine, f"/p2p/filter/{path}").code


def test_cometbft_speaks_to_admitted_nodes_alone() -> None:
    """
    Given a chain that admits nobody,
    when CometBFT asks for a node before it is admitted, while a block that admits it is decided,
    after that, and after it was removed,
    then it may speak to it only while it is admitted by a committed block.
    """
    chain = governed()
    path = f"id/{NODE}"
    assert filtered(chain, path) == NOT_ADMITTED
    approved(chain, AdmitPeer(node=NODE))
    chain.advance(DELAY_MS)
    decided = chain.machine.apply(chain.ledger.block(chain.time, ()))
    assert filtered(chain, path) == NOT_ADMITTED
    chain.ledger.commit(decided)
    assert filtered(chain, path) == 0
    approved(chain, RemovePeer(node=NODE))
    wait(chain)
    assert filtered(chain, path) == NOT_ADMITTED


def test_whom_this_nodes_operator_has_chosen_is_spoken_to(chain: Chain) -> None:
    """
    Given a node whose list admits nobody, and whose operator has chosen one,
    when CometBFT asks for that one, and for another,
    then it may speak to the chosen one.
    """
    chosen = frozenset({str(NODE)})
    codes = [
        answer_filter(chain.machine, f"/p2p/filter/id/{name}", chosen).code
        for name in (NODE, "cd" * 20)
    ]
    assert codes == [0, NOT_ADMITTED]


@pytest.mark.parametrize(
    ("path", "code"),
    [
        ("addr/10.0.0.1:26656", 0),
        (f"id/{NODE.upper()}", NOT_ADMITTED),
        (f"id/{NODE}0", NOT_ADMITTED),
        ("id/", NOT_ADMITTED),
        ("id/\N{LATIN SMALL LETTER E WITH ACUTE}", NOT_ADMITTED),
        ("name/me", UNKNOWN_FILTER),
    ],
)
def test_other_questions_have_an_answer(path: str, code: int) -> None:
    """
    Given a chain that admits a node,
    when CometBFT asks for an address, for no id, or for something else,
    then addresses are not judged, and what is no id is not admitted.
    """
    chain = governed()
    done(chain, AdmitPeer(node=NODE))
    assert filtered(chain, path) == code


def test_before_the_first_block_the_configuration_decides() -> None:
    """
    Given a node that has no block yet, and must ask others for a snapshot,
    when CometBFT asks for a node,
    then it may speak to it.
    """
    machine = Machine(registry(), genesis_of(registry()), SortedBacking(), -1, 0)
    assert answer_filter(machine, f"/p2p/filter/id/{NODE}").code == 0
