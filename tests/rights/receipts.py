"""A grant of alice's that the tests of receipts begin from: the order, its request, its offer."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.rights.material import fixed
from tongbao.kernel import Address, Amount, AssetId, ChainId, Count, Hash, Id, PublicKey, Time
from tongbao.modules import member
from tongbao.modules.data import (
    Ask,
    DailyCap,
    Enterprise,
    Field,
    Lasting,
    Mode,
    Offer,
    Order,
    Phase,
    Purpose,
    Region,
    Schema,
)
from tongbao.rights.receipt import Institution, make_receipt
from tongbao.rights.requests import DataRequest, Why, request_hash

CHAIN = ChainId("eggs-0a1b2c3d")
ORDER_ID, OFFER_ID = Id("22" * 20), Id("33" * 20)
ALICE, BOB, CAROL = Address("aa" * 20), Address("bb" * 20), Address("cc" * 20)
CNY = AssetId(f"CNY.{'dd' * 20}")
EGGS, DAY, COUNT = Schema("eggs.1"), Field("day"), Field("count")
RESEARCH = Purpose("dpv:AcademicResearch")
MADE_AT = 1_795_000_000_123
DAY_MS = 86_400_000
DELETE_BY = Time(MADE_AT + 10 * DAY_MS)
INSURER = Institution(
    lei=member.Lei(f"INSURER00000000000{member.check_digits_of('INSURER00000000000')}"[:20]),
    name=member.MemberName("Example Insurance (Shanghai) Ltd"),
)

REQUEST = DataRequest(
    asset=CNY,
    batches=(Id("44" * 20), Id("45" * 20)),
    buyer=BOB,
    chain=CHAIN,
    delete_by=DELETE_BY,
    fee=Amount("1.00"),
    fields=(COUNT,),
    mode=Mode("view"),
    owner=ALICE,
    price=Amount("20.00"),
    purpose=RESEARCH,
    schema=EGGS,
    why=Why("早餐里的鸡蛋: how diets change with the seasons"),
)
OFFER = Offer(
    owner=ALICE,
    schema=EGGS,
    fields=(DAY, COUNT),
    purposes=(RESEARCH,),
    mode=Mode("view"),
    regions=(Region("CN"),),
    retention_ms=Lasting(30 * DAY_MS),
    asset=CNY,
    price=Amount("20.00"),
    floor=Amount("10.00"),
    daily_cap=DailyCap(9),
    expires_at=Time(MADE_AT + 60 * DAY_MS),
    agent=CAROL,
)
ENTERPRISE = Enterprise(
    region=Region("CN"), purposes=(RESEARCH,), asks=(Ask(schema=EGGS, fields=(DAY, COUNT)),)
)


def order_of(request: DataRequest) -> Order:
    """The order that a request was made for, not yet sealed."""
    return Order(
        buyer=request.buyer,
        owner=request.owner,
        schema=request.schema,
        fields=request.fields,
        purpose=request.purpose,
        mode=request.mode,
        batches=request.batches,
        asset=request.asset,
        price=request.price,
        fee=request.fee,
        deletion_bond=Amount("5.00"),
        request_hash=Hash(request_hash(request).hex()),
        buyer_key=PublicKey("A" * 42 + "E"),
        delete_by=request.delete_by,
        phase=Phase("open"),
        deadline=Time(MADE_AT + DAY_MS),
        grown=Count(0),
        asked_at=Time(MADE_AT),
    )


def sealed(order: Order, grant: bytes) -> Order:
    """The same once carol has sealed it."""
    return replace(
        order,
        phase=Phase("sealed"),
        seller=CAROL,
        offer=OFFER_ID,
        grant_hash=Hash(grant.hex()),
        package_root=Hash(fixed("root").hex()),
    )


def receipt_of(request: DataRequest = REQUEST, **changes: Any) -> bytes:
    """The receipt of a request, by way of its order."""
    given: dict[str, Any] = {
        "chain": CHAIN,
        "order_id": ORDER_ID,
        "order": order_of(request),
        "request": request,
        "offer_id": OFFER_ID,
        "offer": OFFER,
        "enterprise": ENTERPRISE,
        "seller": CAROL,
        "made_at": MADE_AT,
        "institution": INSURER,
    }
    return make_receipt(**(given | changes))
