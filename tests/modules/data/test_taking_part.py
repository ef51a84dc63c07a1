"""Who takes part in the data market, with what: schemas, sources, batches, offers, adjudicators."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.modules.data_steps import (
    CHINA,
    COUNT,
    DAY,
    EGGS,
    MARCH,
    RESEARCH,
    SELF,
    Market,
    hash_of,
)
from tests.modules.guardian_steps import WAIT_MS, agreed, guarded, pass_time
from tests.modules.member_steps import admitting, lei
from tests.modules.reasons_named import unnamed_reasons
from tongbao.kernel import Address, Amount, AssetId, Id, Module, Reason, Registry, Time
from tongbao.modules import account, data, governance, member, reading
from tongbao.modules.data import Ask, Field, Method, Schema, Version, Why
from tongbao.modules.registry import MODULES
from tongbao.testing import CNY, Chain, alice, bob, mallory

NOBODY = Address("ab" * 20)
NOWHERE = Id("cd" * 20)
UNKNOWN = AssetId(f"NONE.{NOBODY}")
MILK = Schema("milk.1")


@pytest.fixture
def market() -> Market:
    """A market."""
    return Market()


def test_only_a_registrar_registers(market: Market) -> None:
    """
    Given mallory, who acts for no member,
    when she defines, registers, suspends, admits and ends,
    then each is refused; and on a chain without members nobody is a registrar.
    """
    messages = [
        data.DefineSchema(schema=MILK, fields=(DAY,)),
        market.registering(),
        data.SuspendEnterprise(enterprise=bob),
        market.admitting(),
        data.EndSource(source=market.address("club"), schema=EGGS),
    ]
    for message in messages:
        with market.refuses(Why.SENDER_IS_NOT_REGISTRAR):
            market.apply("mallory", message)
    older = Chain(without=(member.module, reading.module, governance.module))
    with older.refuses(Why.SENDER_IS_NOT_REGISTRAR):
        older.apply("bank", messages[0])


def test_a_schema_is_defined_once_and_never_of_a_sensitive_category(market: Market) -> None:
    """
    Given the schema of eggs,
    when it is defined again, or one of a sensitive category, with a field twice, or named `event`,
    then each is refused.
    """
    with market.refuses(Why.SCHEMA_IS_DEFINED):
        market.apply("bank", data.DefineSchema(schema=EGGS, fields=(DAY,)))
    with market.refuses(Why.SENSITIVE_IS_REFUSED):
        market.apply("bank", data.DefineSchema(schema=MILK, fields=(DAY,), sensitive=True))
    with market.refuses(Why.WORD_IS_DOUBLED):
        market.apply("bank", data.DefineSchema(schema=MILK, fields=(DAY, DAY)))
    with market.refuses(Why.FIELD_IS_RESERVED):
        market.apply("bank", data.DefineSchema(schema=MILK, fields=(DAY, Field("event"))))


def test_an_enterprise_is_registered_for_what_there_is(market: Market) -> None:
    """
    Given the schema of eggs,
    when an enterprise is registered for other fields or schemas, or that is no account,
    then it is refused; and none is suspended that is not registered.
    """
    wrong: list[tuple[Reason, data.RegisterEnterprise]] = [
        (Why.SCHEMA_NOT_FOUND, market.registering(asks=(Ask(schema=MILK, fields=(DAY,)),))),
        (
            Why.FIELD_NOT_FOUND,
            market.registering(asks=(Ask(schema=EGGS, fields=(Field("name"),)),)),
        ),
        (Why.WORD_IS_DOUBLED, market.registering(purposes=(RESEARCH, RESEARCH))),
        (Why.ACCOUNT_NOT_FOUND, market.registering(enterprise=NOBODY)),
    ]
    for why, message in wrong:
        with market.refuses(why):
            market.apply("bank", message)
    with market.refuses(Why.ENTERPRISE_NOT_FOUND):
        market.apply("bank", data.SuspendEnterprise(enterprise=mallory))
    shown = data.enterprise(market.view(data.module), bob)
    assert shown is not None and shown.region == CHINA


def test_a_source_is_admitted_with_role_and_bond_and_ended(market: Market) -> None:
    """
    Given the club, whose bond of 50.00 is reserved for eggs,
    when it is admitted again, without a bond or the role, for a schema that is not, as `self`,
    then each is refused; and its bond is free when it is ended.
    """
    market.apply("bank", data.DefineSchema(schema=MILK, fields=(DAY,)))
    wrong: list[tuple[Reason, data.AdmitSource]] = [
        (Why.SOURCE_IS_ADMITTED, market.admitting()),
        (Why.BOND_IS_TOO_LOW, market.admitting(schema=MILK, bond=Amount("0.01"))),
        (Why.SOURCE_HAS_NO_ROLE, market.admitting(source=mallory)),
        (Why.SCHEMA_NOT_FOUND, market.admitting(schema=Schema("none.1"))),
        (Why.METHOD_IS_SELF, market.admitting(method=SELF)),
        (Why.ACCOUNT_NOT_FOUND, market.admitting(source=NOBODY)),
        (Why.ASSET_NOT_FOUND, market.admitting(schema=MILK, asset=UNKNOWN)),
        (Why.DECIMALS_DIFFER, market.admitting(schema=MILK, bond=Amount("1"))),
    ]
    for why, message in wrong:
        with market.refuses(why):
            market.apply("bank", message)
    with market.refuses(Why.BOND_IS_TOO_LOW):
        market.apply("club", data.WithdrawBond(asset=CNY, amount=Amount("0.01")))
    club = market.address("club")
    assert len(data.admitted(market.view(data.module), club).rows) == 1

    market.apply("bank", data.EndSource(source=club, schema=EGGS))
    with market.refuses(Why.SOURCE_NOT_FOUND):
        market.apply("bank", data.EndSource(source=club, schema=EGGS))
    market.apply("club", data.WithdrawBond(asset=CNY, amount=Amount("50.00")))
    assert (market.held("club"), market.bond("club")) == ("1000.00", None)


def test_a_source_says_one_thing_of_a_month_within_its_volume(market: Market) -> None:
    """
    Given the club, which has committed to alice's March and may commit to two batches a month,
    when it says another thing of it, the same of another month, or too much,
    then each is refused; a correction names its predecessor, which is live no more.
    """
    first = market.batch
    wrong: list[tuple[Reason, data.Commit]] = [
        (Why.VERSION_IS_TAKEN, market.committing()),
        (Why.COMMITMENT_IS_TAKEN, market.committing(subject=hash_of(8), commitment=hash_of(1_001))),
        (Why.SOURCE_NOT_FOUND, market.committing(method=Method("device"))),
        (Why.SCHEMA_NOT_FOUND, market.committing(schema=MILK)),
        (Why.ACCOUNT_NOT_FOUND, market.committing(owner=NOBODY)),
        (Why.METHOD_IS_SELF, market.committing(method=SELF)),
        (Why.PREDECESSOR_IS_WRONG, market.committing(version=Version(2))),
        (Why.PREDECESSOR_IS_WRONG, market.committing(version=Version(3), supersedes=first)),
        (Why.PREDECESSOR_IS_WRONG, market.committing(subject=hash_of(8), supersedes=first)),
        (
            Why.PREDECESSOR_IS_WRONG,
            market.committing(version=Version(2), supersedes=first, owner=mallory),
        ),
    ]
    for why, message in wrong:
        with market.refuses(why):
            market.apply("club", message)
    market.apply("club", market.committing(version=Version(2), supersedes=first))
    with market.refuses(Why.VOLUME_IS_SPENT):
        market.apply("club", market.committing(subject=hash_of(8)))
    old = data.batch(market.view(data.module), first)
    assert old is not None and old.superseded
    assert len(data.batches_of(market.view(data.module), alice).rows) == 2


def test_a_person_commits_to_its_own_rows_and_says_so(market: Market) -> None:
    """
    Given mallory, who is no source,
    when she commits to rows of her own as `self`, and to alice's,
    then only the first is applied, and labelled.
    """
    own = market.must(market.apply("mallory", market.committing(owner=mallory, method=SELF)))
    with market.refuses(Why.METHOD_IS_SELF):
        market.apply("mallory", market.committing(method=SELF))
    found = data.batch(market.view(data.module), own)
    assert found is not None and (found.method, found.period) == (SELF, MARCH)


def test_only_its_owner_retires_a_batch_and_once(market: Market) -> None:
    """
    Given alice's batch,
    when mallory retires it, and alice twice,
    then only alice's first is applied; and what is retired has no correction.
    """
    retired = data.Retire(batch=market.batch)
    with market.refuses(Why.SENDER_IS_NOT_OWNER):
        market.apply("mallory", retired)
    with market.refuses(Why.BATCH_NOT_FOUND):
        market.apply("alice", data.Retire(batch=NOWHERE))
    market.apply("alice", retired)
    with market.refuses(Why.BATCH_IS_NOT_LIVE):
        market.apply("alice", retired)
    correction = market.committing(version=Version(2), supersedes=market.batch)
    with market.refuses(Why.PREDECESSOR_IS_WRONG):
        market.apply("club", correction)


def test_an_offer_is_refused_that_can_not_be(market: Market) -> None:
    """
    Given alice with one offer, and owners who may have two,
    when she offers what there isn't, for ever, for nothing, or a third time,
    then each is refused.
    """
    wrong: list[tuple[Reason, data.MakeOffer]] = [
        (Why.SCHEMA_NOT_FOUND, market.offering(schema=MILK)),
        (Why.FIELD_NOT_FOUND, market.offering(fields=(Field("name"),))),
        (Why.WORD_IS_DOUBLED, market.offering(fields=(COUNT, COUNT))),
        (Why.EXPIRY_IS_WRONG, market.offering(expires_at=market.in_days(400))),
        (Why.PRICE_IS_BELOW_FLOOR, market.offering(floor=Amount("20.01"))),
        (Why.PRICE_IS_BELOW_FLOOR, market.offering(floor=Amount("0.00"))),
        (Why.ACCOUNT_NOT_FOUND, market.offering(agent=NOBODY)),
        (Why.ASSET_NOT_FOUND, market.offering(asset=UNKNOWN)),
        (Why.DECIMALS_DIFFER, market.offering(price=Amount("20"))),
    ]
    for why, message in wrong:
        with market.refuses(why):
            market.apply("alice", message)
    few = Market({"data.offers_limit": 1})
    with few.refuses(Why.TOO_MANY_OFFERS):
        few.apply("alice", few.offering())


def test_an_offer_ends_by_withdrawal_or_expiry(market: Market) -> None:
    """
    Given alice's offer and one that expires in a day,
    when she withdraws the first and the day passes,
    then neither is there, only she could, and nothing is sealed by either.
    """
    short = market.must(market.apply("alice", market.offering(expires_at=market.in_days(1))))
    with market.refuses(Why.SENDER_IS_NOT_OWNER):
        market.apply("mallory", data.WithdrawOffer(offer=market.offer))
    market.apply("alice", data.WithdrawOffer(offer=market.offer))
    with market.refuses(Why.OFFER_NOT_FOUND):
        market.apply("alice", data.WithdrawOffer(offer=market.offer))
    market.pass_time(24 * 3_600_000)

    view = market.view(data.module)
    assert (data.offers_of(view, alice).rows, data.offer(view, short)) == ((), None)


def test_an_expired_offer_seals_nothing_swept_or_not() -> None:
    """
    Given a chain that does one item of due work a block, and two offers that expire at one time,
    when an order is sealed in the block of that time by the one that is not swept yet,
    then it is refused.
    """
    market = Market({"kernel.due_items": 1})
    expires_at = market.in_days(1)
    made = [
        market.must(market.apply("alice", market.offering(expires_at=expires_at))) for _ in range(2)
    ]
    market.advance_to(expires_at - 3_600_000)
    order = market.opened(seal_by=Time(expires_at + 3_600_000))
    clock = data.clock(market.view(data.module))
    assert clock is not None
    while market.machine.next_due() != expires_at:
        due = market.machine.next_due()
        assert due is not None
        market.advance_to(max(due, market.time))
        market.block()
    market.advance_to(expires_at)
    with market.refuses(Why.OFFER_HAS_EXPIRED):
        market.apply("carol", market.sealing(order, offer=max(made)))


def test_adjudicators_serve_by_role_and_are_few() -> None:
    """
    Given a market that lets three serve, and three who do,
    when mallory would serve, and a fourth adjudicator,
    then both are refused; and one who stops makes room.
    """
    market = Market({"data.adjudicators_limit": 3})
    with market.refuses(Why.SENDER_IS_NOT_ADJUDICATOR):
        market.apply("mallory", data.Serve(serves=True))
    dan = market.open_account("dan")
    market.decide(admitting(lei(9), (dan,), (member.ADJUDICATOR,)))
    with market.refuses(Why.TOO_MANY_ADJUDICATORS):
        market.apply("dan", data.Serve(serves=True))
    market.apply("ann", data.Serve())
    market.apply("dan", data.Serve(serves=True))

    listed = data.adjudicating(market.view(data.module)).rows
    assert {address for address, _ in listed} == {dan, *map(market.address, ("ben", "cid"))}


def test_whoever_has_business_stays(market: Market) -> None:
    """
    Given an owner with an offer, a buyer, an agent with a bond, a source and an adjudicator,
    when each closes its account, and mallory hers,
    then only mallory's is closed.
    """
    for name in ("alice", "bob", "carol", "club", "ann"):
        with market.refuses(Why.PARTY_CANNOT_CLOSE):
            market.apply(name, account.Close(heir=market.address("bank")))
    market.apply("mallory", account.Close(heir=market.address("bank")))


def test_no_offer_outlives_a_recovery_of_its_owner() -> None:
    """
    Given an owner with guardians, in whose name a thief has made an offer,
    when the guardians recover the account,
    then the offer has ended with it.
    """
    market = Market()
    dave = guarded(market)
    made = market.apply("dave", market.offering(), signed_by=("phone", "paper"))
    assert made is not None
    agreed(market, dave, "new", "newer")
    pass_time(market, WAIT_MS)

    assert data.offers_of(market.view(data.module), dave).rows == ()


def test_every_refusal_is_reached_by_a_test() -> None:
    """
    Given the refusals of this module,
    when its tests are read,
    then each is expected by one of them, in a table of what is wrong or alone.
    """
    text = "".join(path.read_text() for path in sorted(Path(__file__).parent.glob("test_*.py")))
    in_tables = set(re.findall(r"[(,]\s*Why\.([A-Z_]+)[,)]", text))

    assert [
        name for name in unnamed_reasons(data.module, Path(__file__)) if name not in in_tables
    ] == []


def test_the_module_is_a_chains_once() -> None:
    """
    Given the modules of this distribution,
    when they are put together,
    then `data` is number 11, and its role is declared once.
    """
    found: Module = next(one for one in MODULES if one.name == "data")

    assert (found.number, data.REGISTRAR in Registry(MODULES).roles) == (11, True)
