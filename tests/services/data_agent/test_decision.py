"""What an agent seals, and each rule that refuses, as a table."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.modules.data_steps import (
    CHINA,
    COUNT,
    DAY,
    DAY_MS,
    EGGS,
    HOUR_MS,
    MARCH,
    RESEARCH,
    SCAN,
    VIEW,
    hash_of,
)
from tongbao.kernel import Amount, AssetId, Count, Hash, Id, Time
from tongbao.modules.data import (
    Ask,
    Batch,
    DailyCap,
    Enterprise,
    Lasting,
    Mode,
    Offer,
    Purpose,
    Region,
    Schema,
    Version,
)
from tongbao.services.data_agent.decision import (
    REQUEST_MS,
    Facts,
    OrderState,
    Refuse,
    Seal,
    Terms,
    decide,
    is_repeated,
)
from tongbao.services.data_agent.refusals import Refusal
from tongbao.testing import CNY, alice, bob, carol, mallory

NOW = 1_790_000_000_000
BATCH, OTHER_BATCH = Id("0a" * 20), Id("0b" * 20)
OFFER, CHEAP = Id("01" * 20), Id("02" * 20)
SMILES = Purpose("dpv:Marketing")

TERMS = Terms(
    owner=alice,
    buyer=bob,
    schema=EGGS,
    fields=(COUNT,),
    purpose=RESEARCH,
    mode=VIEW,
    batches=(BATCH,),
    asset=CNY,
    price=Amount("20.00"),
    fee=Amount("1.00"),
    delete_by=NOW + 10 * DAY_MS,
)
OFFERED = Offer(
    owner=alice,
    schema=EGGS,
    fields=(DAY, COUNT),
    purposes=(RESEARCH,),
    mode=VIEW,
    regions=(CHINA,),
    retention_ms=Lasting(30 * DAY_MS),
    asset=CNY,
    price=Amount("20.00"),
    floor=Amount("10.00"),
    daily_cap=DailyCap(2),
    expires_at=Time(NOW + DAY_MS),
    agent=carol,
)
ENTERPRISE = Enterprise(
    region=CHINA, purposes=(RESEARCH, SMILES), asks=(Ask(schema=EGGS, fields=(COUNT,)),)
)
HELD = Batch(
    source=mallory,
    owner=alice,
    subject=hash_of(7),
    schema=EGGS,
    period=MARCH,
    version=Version(1),
    commitment=hash_of(8),
    method=SCAN,
)
STATE = OrderState(
    requested=TERMS,
    heard_at=NOW - HOUR_MS,
    used=False,
    deadline=NOW + HOUR_MS,
    frozen_until=None,
    bond=2_000,
    free=2_000,
)
FACTS = Facts(
    agent=carol,
    time=NOW,
    enterprise=ENTERPRISE,
    offers=((OFFER, OFFERED),),
    batches={BATCH: HELD},
    copies={BATCH: (COUNT,)},
    state=STATE,
)


def asking(**changes: Any) -> tuple[Terms, Facts]:
    """Other terms, which were requested like that."""
    terms = replace(TERMS, **changes)
    return terms, replace(FACTS, state=replace(STATE, requested=terms))


def enterprise(**changes: Any) -> tuple[Terms, Facts]:
    """A buyer that is something else."""
    return TERMS, replace(FACTS, enterprise=replace(ENTERPRISE, **changes))


def offering(**changes: Any) -> tuple[Terms, Facts]:
    """An offer that says something else."""
    return TERMS, replace(FACTS, offers=((OFFER, replace(OFFERED, **changes)),))


def holding(**changes: Any) -> tuple[Terms, Facts]:
    """A batch that is something else."""
    return TERMS, replace(FACTS, batches={BATCH: replace(HELD, **changes)})


def knowing(**changes: Any) -> tuple[Terms, Facts]:
    """Other facts."""
    return TERMS, replace(FACTS, **changes)


def standing(**changes: Any) -> tuple[Terms, Facts]:
    """An order in another state."""
    return TERMS, replace(FACTS, state=replace(STATE, **changes))


REFUSED: list[tuple[str, Refusal, tuple[Terms, Facts]]] = [
    ("nobody knows the buyer", Refusal.BUYER_IS_NOT_REGISTERED, knowing(enterprise=None)),
    ("the buyer is suspended", Refusal.BUYER_IS_SUSPENDED, enterprise(suspended=True)),
    (
        "the purpose is not the buyer's",
        Refusal.PURPOSE_IS_NOT_REGISTERED,
        asking(purpose=Purpose("dpv:Advertising")),
    ),
    ("a field too many", Refusal.FIELD_IS_NOT_REGISTERED, asking(fields=(COUNT, DAY))),
    ("no field", Refusal.FIELD_IS_NOT_REGISTERED, asking(fields=())),
    (
        "another schema",
        Refusal.FIELD_IS_NOT_REGISTERED,
        asking(schema=Schema("eggs.2")),
    ),
    ("no offer", Refusal.NO_OFFER, knowing(offers=())),
    ("an offer to another agent", Refusal.NO_OFFER, offering(agent=mallory)),
    ("an offer to seal oneself", Refusal.NO_OFFER, offering(agent=None)),
    ("another's offer", Refusal.NO_OFFER, offering(owner=bob)),
    ("the offer ends now", Refusal.OFFER_HAS_EXPIRED, offering(expires_at=Time(NOW))),
    ("the field is not offered", Refusal.FIELD_IS_NOT_OFFERED, offering(fields=(DAY,))),
    ("the purpose is not offered", Refusal.PURPOSE_IS_NOT_OFFERED, asking(purpose=SMILES)),
    ("to store", Refusal.MODE_IS_NOT_OFFERED, asking(mode=Mode("store"))),
    ("abroad", Refusal.REGION_IS_NOT_OFFERED, enterprise(region=Region("SG"))),
    (
        "in another asset",
        Refusal.ASSET_IS_NOT_OFFERED,
        asking(asset=AssetId(f"USD.{bob}")),
    ),
    ("with other decimals", Refusal.ASSET_IS_NOT_OFFERED, asking(price=Amount("20.000"))),
    ("below the floor", Refusal.PRICE_IS_TOO_LOW, asking(price=Amount("9.99"))),
    ("all of it a fee", Refusal.PRICE_IS_TOO_LOW, asking(fee=Amount("20.00"))),
    (
        "kept too long",
        Refusal.RETENTION_IS_TOO_LONG,
        asking(delete_by=NOW + 30 * DAY_MS + 1),
    ),
    (
        "the third of a day",
        Refusal.DAILY_CAP_IS_REACHED,
        offering(day=Count(NOW // DAY_MS), used=Count(2)),
    ),
    ("an unknown batch", Refusal.BATCH_IS_NOT_SOLD, asking(batches=(OTHER_BATCH,))),
    ("no batch", Refusal.BATCH_IS_NOT_SOLD, asking(batches=())),
    ("one batch twice", Refusal.BATCH_IS_NOT_SOLD, asking(batches=(BATCH, BATCH))),
    ("another's batch", Refusal.BATCH_IS_NOT_SOLD, holding(owner=bob)),
    ("a batch of another schema", Refusal.BATCH_IS_NOT_SOLD, holding(schema=Schema("eggs.2"))),
    ("a corrected batch", Refusal.BATCH_IS_NOT_SOLD, holding(superseded=True)),
    ("an erased batch", Refusal.BATCH_IS_NOT_SOLD, holding(retired=True)),
    ("no copy", Refusal.COPY_IS_MISSING, knowing(copies={})),
    ("a copy that hides it", Refusal.COPY_IS_MISSING, knowing(copies={BATCH: (DAY,)})),
    ("nobody asked before", Refusal.REQUEST_IS_UNKNOWN, standing(requested=None)),
    (
        "more than was asked for",
        Refusal.ORDER_DIFFERS,
        standing(requested=replace(TERMS, delete_by=NOW + DAY_MS)),
    ),
    (
        "the same number, written otherwise",
        Refusal.ORDER_DIFFERS,
        standing(requested=replace(TERMS, fee=Amount("10.0"))),
    ),
    ("an order of it before", Refusal.REQUEST_IS_USED, standing(used=True)),
    (
        "asked too long ago",
        Refusal.REQUEST_HAS_EXPIRED,
        standing(heard_at=NOW - REQUEST_MS - 1),
    ),
    ("too late", Refusal.TIME_IS_SHORT, standing(deadline=NOW)),
    ("frozen", Refusal.ORDER_IS_FROZEN, standing(frozen_until=NOW + 1)),
    ("a cent of bond too little", Refusal.BOND_IS_TOO_LOW, standing(free=1_999)),
]


@pytest.mark.parametrize(("what", "why", "case"), REFUSED, ids=[row[0] for row in REFUSED])
def test_each_rule_refuses_what_breaks_it(
    what: str, why: Refusal, case: tuple[Terms, Facts]
) -> None:
    """Given an order that one rule forbids, when decided, then it is refused by that rule."""
    assert decide(*case) == Refuse(why), what


def test_an_order_that_keeps_all_rules_is_sealed() -> None:
    """Given an order that an offer covers, when decided, then it is sealed by that offer."""
    assert decide(TERMS, FACTS) == Seal(OFFER)


def test_a_request_is_judged_as_its_order_would_be() -> None:
    """Given terms and no order yet, when decided, then only what an order adds is not asked."""
    assert decide(*knowing(state=None)) == Seal(OFFER)
    terms, facts = asking(price=Amount("9.99"))
    assert decide(terms, replace(facts, state=None)) == Refuse(Refusal.PRICE_IS_TOO_LOW)


@pytest.mark.parametrize(
    "case",
    [
        asking(price=Amount("10.00")),
        asking(delete_by=NOW + 30 * DAY_MS),
        offering(day=Count(NOW // DAY_MS - 1), used=Count(2)),
        offering(day=Count(NOW // DAY_MS), used=Count(1)),
        offering(expires_at=Time(NOW + 1)),
        standing(deadline=NOW + 1),
        standing(frozen_until=NOW),
        standing(heard_at=NOW - REQUEST_MS),
    ],
)
def test_what_is_just_within_a_rule_is_sealed(case: tuple[Terms, Facts]) -> None:
    """Given an order at the edge of a rule, when decided, then it is sealed."""
    assert decide(*case) == Seal(OFFER)


def test_of_several_offers_one_that_covers_it_is_taken_and_the_nearest_is_told() -> None:
    """Given offers, when decided, then the lowest floor that covers seals, else the nearest."""
    cheap = replace(OFFERED, floor=Amount("5.00"))
    offers = ((OFFER, OFFERED), (CHEAP, cheap))
    assert decide(*knowing(offers=offers)) == Seal(CHEAP)
    foreign = (CHEAP, replace(cheap, mode=Mode("store")))
    assert decide(*knowing(offers=((OFFER, OFFERED), foreign))) == Seal(OFFER)
    far = (OFFER, replace(OFFERED, fields=(DAY,)))
    near = (CHEAP, replace(OFFERED, floor=Amount("21.00")))
    assert decide(*knowing(offers=(far, near))) == Refuse(Refusal.PRICE_IS_TOO_LOW)


def test_every_rule_about_an_order_is_in_the_table() -> None:
    """Given all rules that `decide` knows, when compared with the table, then each is there."""
    elsewhere = {
        Refusal.REQUEST_IS_MALFORMED,
        Refusal.CHAIN_DIFFERS,
        Refusal.SENDER_IS_NOT_BUYER,
        Refusal.EVENT_IS_REPEATED,
        Refusal.TOO_MANY_REQUESTS,
        Refusal.SEAL_IS_TOO_LATE,
        Refusal.PACKAGE_CAN_NOT_BE_MADE,
    }
    asked = {why for why in Refusal if why.number < Refusal.OWNER_DIFFERS.number} - elsewhere
    assert asked == {why for _, why, _ in REFUSED}


def test_an_event_that_is_told_twice_is_seen_across_batches() -> None:
    """Given events of two batches, when one is in both, then they are repeated; else not."""
    first, second = [Hash("01" * 32), Hash("02" * 32)], [Hash("03" * 32)]
    assert not is_repeated([first, second, []])
    assert is_repeated([first, [*second, first[0]]])


def test_numbers_of_rules_are_given_once() -> None:
    """Given all rules, when numbered, then no number is two rules'."""
    assert len({why.number for why in Refusal}) == len(Refusal)


def test_the_page_for_operators_has_every_rule() -> None:
    """Given all rules, when the page is read, then it has the number and the words of each."""
    page = (Path(__file__).parents[3] / "docs/operate/data-agent.md").read_text(encoding="utf-8")
    told = [line for line in page.splitlines() if line.startswith("| ") and line[2].isdigit()]
    assert told == [f"| {why.number} | {why.rule} |" for why in Refusal]
