"""Who governs: whom genesis or the authority names, and whom those who govern choose."""

from __future__ import annotations

import pytest

from tests.modules.governance_steps import (
    DELAY_MS,
    NODE,
    decide,
    done,
    governed,
    known,
    propose,
    proposed,
    validator,
    vote,
)
from tongbao.kernel import Address, Count, GenesisError, Invalid, Small
from tongbao.kernel.genesis import section
from tongbao.kernel.kernel_module import Power, SettingName
from tongbao.modules import account, governance
from tongbao.modules.governance import (
    AddOperator,
    AdmitPeer,
    Council,
    Delay,
    FirstValidator,
    Found,
    RemoveOperator,
    SetDelay,
    SetParameter,
    SetThreshold,
    Start,
    Why,
)
from tongbao.testing import Chain, alice, bank, bob, carol

ADMIT = AdmitPeer(node=NODE)
NOBODY = Address("ee" * 20)


def council(chain: Chain) -> Council | None:
    """Who governs."""
    return governance.operators(chain.view(governance.module))


def test_voters_and_threshold_are_those_of_the_moment_of_the_proposal() -> None:
    """
    Given an open proposal of three operators of whom two must agree,
    when another makes carol an operator, takes bob out, asks for one and waits for nothing,
    then on the first carol has no vote, bob has, two must agree, and it waits as it would have.
    """
    chain = governed()
    first = proposed(chain, ADMIT)
    done(
        chain,
        AddOperator(operator=carol),
        RemoveOperator(operator=bob),
        SetThreshold(threshold=Small(1)),
        SetDelay(delay_ms=Delay(0)),
    )
    assert council(chain) == Council(
        operators=(bank, alice, carol), threshold=Small(1), delay_ms=Delay(0)
    )
    with chain.refuses(Why.SENDER_IS_NOT_VOTER):
        vote(chain, "carol", first)
    vote(chain, "bob", first)
    assert known(chain, first).carries_at == chain.machine.time + DELAY_MS
    with chain.refuses(Why.SENDER_IS_NOT_OPERATOR):
        propose(chain, ADMIT, by="bob")
    alone = proposed(chain, ADMIT, by="carol")
    assert known(chain, alone).phase == "approved"
    chain.block()
    assert known(chain, alone).phase == "carried_out"


def test_no_proposal_leaves_operators_who_can_not_decide() -> None:
    """
    Given two operators who must agree,
    when it is proposed to remove one, to ask for three, or for none, to name one twice, one who
    has no account, or to remove one who is none,
    then each is refused at once.
    """
    chain = governed(operators=("bank", "alice"))
    for action in (
        RemoveOperator(operator=alice),
        SetThreshold(threshold=Small(3)),
        SetThreshold(threshold=Small(0)),
    ):
        with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
            propose(chain, action)
    with chain.refuses(Why.OPERATOR_IS_DOUBLED):
        propose(chain, AddOperator(operator=alice))
    with chain.refuses(Why.ACCOUNT_NOT_FOUND):
        propose(chain, AddOperator(operator=NOBODY))
    with chain.refuses(Why.OPERATOR_NOT_FOUND):
        propose(chain, RemoveOperator(operator=carol))
    full = governed(parameters={"governance.operators_limit": 3})
    with full.refuses(Why.TOO_MANY_OPERATORS):
        propose(full, AddOperator(operator=carol))


def test_a_lower_limit_of_operators_keeps_none_from_going() -> None:
    """
    Given four operators, and then a limit of two,
    when it is decided to change the threshold and the delay, and to remove one of them,
    then all is done, and a fifth operator is refused still.
    """
    chain = governed(("bank", "alice", "bob", "carol"))
    lower = SetParameter(name=SettingName("governance.operators_limit"), value=Count(2))
    assert decide(chain, lower).phase == "carried_out"
    changes = SetDelay(delay_ms=Delay(0)), SetThreshold(threshold=Small(3))
    assert decide(chain, *changes, RemoveOperator(operator=carol)).phase == "carried_out"
    with chain.refuses(Why.TOO_MANY_OPERATORS):
        propose(chain, AddOperator(operator=carol))


def test_an_operators_account_stays_open() -> None:
    """
    Given an operator,
    when the operator closes the account, and again after the others have removed the operator,
    then the first is refused, and the second applied.
    """
    chain = governed()
    with chain.refuses(Why.OPERATOR_CANNOT_CLOSE):
        chain.apply("bob", account.Close(heir=carol))
    done(chain, RemoveOperator(operator=bob))
    chain.apply("bob", account.Close(heir=carol))


def founding(**changed: object) -> Found:
    """The message that makes bank and alice operators."""
    told: dict[str, object] = {
        "authority": validator("authority"),
        "operators": (bank, alice),
        "threshold": Small(2),
        "delay_ms": Delay(0),
    }
    return Found(**told | changed)  # type: ignore[arg-type]


def test_the_authority_names_first_operators_once(chain: Chain) -> None:
    """
    Given a chain without operators,
    when mallory's key would name them, or the authority such as could not decide, and then two,
    and others again,
    then the first are refused, the two govern, and the others are refused.
    """
    with chain.refuses(Why.SIGNER_IS_NOT_AUTHORITY):
        chain.apply("mallory", founding(authority=validator("mallory")))
    with chain.refuses(Why.THRESHOLD_IS_OUT_OF_REACH):
        chain.apply("carol", founding(threshold=Small(3)), also_sign=("authority",))
    with chain.refuses(Why.ACCOUNT_NOT_FOUND):
        unknown = (bank, NOBODY)
        chain.apply("carol", founding(operators=unknown), also_sign=("authority",))
    with chain.is_invalid(Invalid.NEW_KEY_HAS_NOT_SIGNED):
        chain.apply("carol", founding())
    chain.apply("carol", founding(), also_sign=("authority",))
    assert council(chain) == Council(operators=(bank, alice), threshold=Small(2), delay_ms=Delay(0))
    with chain.refuses(Why.OPERATORS_ARE_NAMED):
        chain.apply("carol", founding(threshold=Small(1)), also_sign=("authority",))


def start(**changed: object) -> Start:
    """A section in which bank governs alone."""
    told: dict[str, object] = {
        "operators": (bank,),
        "threshold": Small(1),
        "delay_ms": Delay(0),
    }
    return Start(**told | changed)  # type: ignore[arg-type]


def test_genesis_names_validators_and_nodes() -> None:
    """
    Given a section with a validator, whose key is the engine's, and a node,
    when a chain begins with it,
    then both are there.
    """
    first = FirstValidator(key=validator("authority"), power=Power(7))
    chain = Chain(sections=(section("governance", start(validators=(first,), peers=(NODE,))),))
    view = chain.view(governance.module)
    assert [(key, row.power) for key, row in governance.validators(view).rows] == [(first.key, 7)]
    assert [node for node, _ in governance.peers(view).rows] == [NODE]


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"threshold": Small(2)}, "THRESHOLD_IS_OUT_OF_REACH"),
        ({"operators": (bank, bank)}, "OPERATOR_IS_DOUBLED"),
        ({"operators": (NOBODY,)}, "ACCOUNT_NOT_FOUND"),
        ({"operators": ()}, "length >= 1"),
        ({"delay_ms": 40 * 86_400_000}, "<= 2592000000"),
        (
            {"validators": (FirstValidator(key=validator("bank"), power=Power(1)),)},
            "not the keys that the genesis file's engine has",
        ),
    ],
)
def test_a_chain_does_not_begin_with_a_wrong_section(changed: dict[str, object], told: str) -> None:
    """
    Given a section whose operators could not decide, or whose validators are not the engine's,
    when a chain would begin with it,
    then the error says what is wrong.
    """
    with pytest.raises(GenesisError, match=told):
        Chain(sections=(section("governance", start(**changed)),))
