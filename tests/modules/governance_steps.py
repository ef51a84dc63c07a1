"""A chain whose bank, alice and bob govern, and the steps that they take."""

from __future__ import annotations

from collections.abc import Mapping

from tongbao.kernel import Id, Module, PublicKey, Small
from tongbao.kernel.genesis import Section, section
from tongbao.kernel.kernel_module import NodeId
from tongbao.modules import governance
from tongbao.modules.governance import Action, Choice, Delay, Proposal, Propose, Start, Vote
from tongbao.testing import Chain, named_key
from tongbao.testing.genesis import ADDRESSES

DELAY_MS = 5_000
OPERATORS = ("bank", "alice", "bob")
NODE = NodeId("ab" * 20)


def validator(name: str) -> PublicKey:
    """The key of a validator, by its name."""
    return PublicKey(named_key(name).key_id)


def seats(operators: tuple[str, ...] = OPERATORS, threshold: int = 2) -> Section:
    """The section of a genesis file that names operators."""
    start = Start(
        operators=tuple(ADDRESSES[name] for name in operators),
        threshold=Small(threshold),
        delay_ms=Delay(DELAY_MS),
    )
    return section("governance", start)


def governed(
    operators: tuple[str, ...] = OPERATORS,
    threshold: int = 2,
    parameters: Mapping[str, int] | None = None,
    sections: tuple[Section, ...] = (),
    without: tuple[Module, ...] = (),
) -> Chain:
    """A chain with these operators; two of bank, alice and bob must agree unless told."""
    return Chain(
        sections=(*sections, seats(operators, threshold)), parameters=parameters, without=without
    )


def propose(chain: Chain, *actions: Action, by: str = "bank") -> Id | None:
    """A proposal that is open for a day; None where it is refused."""
    return chain.apply(by, Propose(actions=actions, closes_at=chain.in_days(1)))


def proposed(chain: Chain, *actions: Action, by: str = "bank") -> Id:
    """The id of a proposal that is open for a day."""
    made = propose(chain, *actions, by=by)
    assert made is not None
    return made


def vote(chain: Chain, voter: str, proposal: Id, choice: str = "approve") -> None:
    """Somebody votes."""
    chain.apply(voter, Vote(proposal=proposal, choice=Choice(choice)))


def known(chain: Chain, proposal: Id) -> Proposal:
    """What there is of a proposal."""
    found = governance.show(chain.view(governance.module), proposal)
    assert found is not None
    return found


def wait(chain: Chain, ms: int = DELAY_MS) -> None:
    """Let time pass, and make the block whose due work comes first."""
    chain.advance(ms)
    chain.block()


def decide(chain: Chain, *actions: Action) -> Proposal:
    """What has become of a proposal that bank made, alice approved, and that waited."""
    made = proposed(chain, *actions)
    vote(chain, "alice", made)
    wait(chain)
    return known(chain, made)


def done(chain: Chain, *actions: Action) -> None:
    """Decide something that can be carried out."""
    assert decide(chain, *actions).phase == "carried_out"
