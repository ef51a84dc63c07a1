"""Which roles may send a message that the chain has reserved."""

from __future__ import annotations

import pytest

from tests.modules.governance_steps import done, governed, propose
from tests.modules.member_steps import FIRST, FIRST_BANK, SECOND, admitting
from tongbao.kernel import Amount, AssetCode, GenesisError, Small
from tongbao.kernel.genesis import section
from tongbao.modules import asset, member
from tongbao.modules.governance import (
    GrantPermission,
    GrantRole,
    OpenPermission,
    RevokePermission,
    SuspendMember,
)
from tongbao.modules.member import (
    ISSUER,
    SUPERVISOR,
    FirstMember,
    FirstPermission,
    PermissionName,
    Role,
    Start,
    Why,
)
from tongbao.testing import CNY, Chain, carol, mallory

DEFINE = PermissionName("asset.define")
GRANT = GrantPermission(permission=DEFINE, role=Role(ISSUER))


def define(code: str) -> asset.Define:
    """An asset of the sender's."""
    return asset.Define(code=AssetCode(code), scale=Small(2))


def test_a_reserved_message_is_for_members_with_the_role() -> None:
    """
    Given carol's bank, which may issue, and mallory's, which may not,
    when defining is granted to issuers, and to nobody else,
    then carol defines, mallory and bob, who is no member, do not, though both could before.
    """
    chain = governed()
    done(
        chain,
        admitting(accounts=(carol,), roles=(ISSUER,)),
        admitting(SECOND, accounts=(mallory,), roles=(SUPERVISOR,)),
    )
    chain.apply("mallory", define("BEFORE"))
    done(chain, GRANT)
    chain.apply("carol", define("GOOD"))
    for sender in ("mallory", "bob"):
        with chain.refuses(Why.SENDER_HAS_NO_PERMISSION):
            chain.apply(sender, define("BAD"))
    view = chain.view(member.module)
    assert member.permission(view, DEFINE) == member.Permission(roles=(Role(ISSUER),))
    assert [name for name, _ in member.reserved(view).rows] == [DEFINE]


def test_a_suspended_member_may_not() -> None:
    """
    Given carol's bank, which alone may define,
    when it is suspended,
    then carol may not, and nor may anybody.
    """
    chain = governed()
    done(chain, admitting(accounts=(carol,), roles=(ISSUER,)), GRANT)
    done(chain, SuspendMember(member=FIRST))
    with chain.refuses(Why.SENDER_HAS_NO_PERMISSION):
        chain.apply("carol", define("BAD"))


def test_what_the_last_role_has_lost_stays_reserved_until_it_is_opened() -> None:
    """
    Given a message that issuers alone may send,
    when they may not any more, and then it is opened,
    then nobody may send it, and then everybody.
    """
    chain = governed()
    done(chain, admitting(accounts=(carol,), roles=(ISSUER,)), GRANT)
    done(chain, RevokePermission(permission=DEFINE, role=Role(ISSUER)))
    for sender in ("carol", "bob"):
        with chain.refuses(Why.SENDER_HAS_NO_PERMISSION):
            chain.apply(sender, define("BAD"))
    done(chain, OpenPermission(permission=DEFINE))
    chain.apply("bob", define("GOOD"))


def test_one_refused_message_takes_the_others_back() -> None:
    """
    Given a message that issuers alone may send,
    when bob sends a payment and then that message in one transaction,
    then the transaction is refused, and writes nothing but its nonce.
    """
    chain = governed()
    done(chain, GRANT)
    payment = asset.Transfer(asset=CNY, amount=Amount("1.00"), payee=carol)
    with chain.refuses(Why.SENDER_HAS_NO_PERMISSION):
        chain.apply("bob", payment, define("BAD"))


def test_permissions_that_make_no_sense_are_refused() -> None:
    """
    Given a chain on which nothing is reserved,
    when a message that can't be reserved is, or for a role that there is not, or twice, or what
    was not granted is revoked or opened,
    then each is refused.
    """
    chain = governed()
    for name in ("asset.transfer", "governance.vote", "asset.dream"):
        with chain.refuses(Why.PERMISSION_IS_UNKNOWN):
            propose(chain, GrantPermission(permission=PermissionName(name), role=Role(ISSUER)))
    with chain.refuses(Why.ROLE_IS_UNKNOWN):
        propose(chain, GrantPermission(permission=DEFINE, role=Role("jester")))
    with chain.refuses(Why.PERMISSION_IS_GRANTED):
        propose(chain, GRANT, GRANT)
    with chain.refuses(Why.PERMISSION_IS_NOT_GRANTED):
        propose(chain, RevokePermission(permission=DEFINE, role=Role(ISSUER)))
    with chain.refuses(Why.PERMISSION_IS_NOT_GRANTED):
        propose(chain, GRANT, RevokePermission(permission=DEFINE, role=Role(SUPERVISOR)))
    with chain.refuses(Why.PERMISSION_IS_OPEN):
        propose(chain, OpenPermission(permission=DEFINE))


def test_genesis_reserves_messages() -> None:
    """
    Given a section that reserves defining for issuers, and issuing for nobody,
    when a chain begins with it,
    then carol's bank, which may issue, defines, and nobody issues; and a message that can't be
    reserved is no part of a genesis file.
    """
    bank = FirstMember(lei=FIRST, name=FIRST_BANK, accounts=(carol,), roles=(Role(ISSUER),))
    reserved = (
        FirstPermission(permission=DEFINE, roles=(Role(ISSUER),)),
        FirstPermission(permission=PermissionName("asset.issue")),
    )
    start = Start(members=(bank,), permissions=reserved)
    chain = Chain(sections=(section("member", start),), funded=False)
    chain.apply("carol", define("GOOD"))
    with chain.refuses(Why.SENDER_HAS_NO_PERMISSION):
        chain.apply("bank", define("BAD"))
    with chain.refuses(Why.SENDER_HAS_NO_PERMISSION):
        chain.apply("carol", chain.issue("bob"))
    wrong = Start(permissions=(FirstPermission(permission=PermissionName("asset.transfer")),))
    with pytest.raises(GenesisError, match="PERMISSION_IS_UNKNOWN"):
        Chain(sections=(section("member", wrong),))


def test_a_role_that_is_granted_later_suffices() -> None:
    """
    Given a message that issuers alone may send, and carol's bank without a role,
    when the bank becomes an issuer,
    then carol sends it.
    """
    chain = governed()
    done(chain, admitting(accounts=(carol,)), GRANT)
    with chain.refuses(Why.SENDER_HAS_NO_PERMISSION):
        chain.apply("carol", define("BAD"))
    done(chain, GrantRole(member=FIRST, role=Role(ISSUER)))
    chain.apply("carol", define("GOOD"))
