"""What a recording tells of the data market: every message, each applied, a block a step."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from tongbao.kernel import Amount, AssetId, Hash, Id, Machine, Message, PublicKey, Small, Time
from tongbao.kernel import Reference as Ref
from tongbao.modules import asset, data, governance, member
from tongbao.modules.data import (
    Ask,
    Chunks,
    DailyCap,
    Field,
    Lasting,
    Method,
    Mode,
    Nonce,
    Period,
    Purpose,
    Region,
    Schema,
    Verdict,
    Version,
    Volume,
    data_hash,
)
from tongbao.modules.data.attestation import Attestation
from tongbao.modules.governance import Action
from tongbao.rights.attestation import sign_attestation
from tongbao.testing import named_key
from tongbao.testing.genesis import ADDRESSES

HOUR_MS: Final = 3_600_000
DAY_MS: Final = 24 * HOUR_MS
EGGS: Final = Schema("eggs.1")
FIELDS: Final = (Field("day"), Field("count"))
RESEARCH: Final = Purpose("dpv:AcademicResearch")
CHINA: Final = Region("CN")
B: Final = Hash("bb" * 32)
ADJUDICATORS: Final = ("bob", "carol", "mallory")

Step = list[tuple[str, Message]]
"""The transactions of a block: who sends each, and what it says."""


def told(machine: Machine, coin: AssetId) -> Iterator[Step]:
    """The bank registers and buys, alice sells, bob is supervisor, three decide."""
    yield from opening(coin)
    yield from offering(machine, coin)
    yield from selling(machine, coin)
    yield from closing(machine, coin)


def admissions() -> tuple[Action, ...]:
    """What operators decide before: the bank may register, two more may decide claims, and bob."""
    authority, *others = (
        member.Lei(base + member.check_digits_of(base))
        for base in (f"STORY{place}{0:012d}" for place in range(4))
    )
    roles = {
        "bank": (data.REGISTRAR, member.DATA_SOURCE),
        "carol": (member.ADJUDICATOR,),
        "mallory": (member.ADJUDICATOR,),
    }
    admitted = (
        governance.AdmitMember(
            member=lei,
            name=member.MemberName(f"House of {person}"),
            accounts=(ADDRESSES[person],),
            roles=tuple(map(member.Role, given)),
        )
        for lei, (person, given) in zip(others, roles.items(), strict=True)
    )
    role = member.Role(member.ADJUDICATOR)
    return (*admitted, governance.GrantRole(member=authority, role=role))


def opening(coin: AssetId) -> Iterator[Step]:
    """Who takes part."""
    bank = ADDRESSES["bank"]
    value = Amount("500.00")
    issued = asset.Issue(asset=coin, amount=value, payee=bank, reference=Ref("market"))
    yield [("bank", issued), ("bank", data.DefineSchema(schema=EGGS, fields=FIELDS))]
    enterprise = data.RegisterEnterprise(
        enterprise=bank,
        region=CHINA,
        purposes=(RESEARCH,),
        asks=(Ask(schema=EGGS, fields=FIELDS),),
    )
    posted = data.PostBond(asset=coin, amount=Amount("30.00"))
    yield [("bank", enterprise), ("bank", posted), ("bank", admitting(coin, "20.00"))]
    yield [(name, data.Serve(serves=True)) for name in ADJUDICATORS]


def admitting(coin: AssetId, bond: str) -> data.AdmitSource:
    """The bank may attest eggs, with a bond."""
    return data.AdmitSource(
        source=ADDRESSES["bank"],
        schema=EGGS,
        method=Method("scan"),
        volume=Volume(3),
        asset=coin,
        bond=Amount(bond),
    )


def proving() -> data.ProveTwoContents:
    """The bank has attested two contents of a month."""
    said = Attestation(
        about="person",
        batch=Hash("07" * 32),
        iat=1_772_000_000,
        iss=ADDRESSES["bank"],
        method="scan",
        period=Period("2026-04"),
        schema=EGGS,
        sub=Hash("08" * 32),
        version=1,
    )
    texts = [
        sign_attestation(replace(said, batch=Hash(batch * 32)), named_key("bank").seed)
        for batch in ("07", "09")
    ]
    first, second = (data.SignedText(text.decode()) for text in texts)
    return data.ProveTwoContents(first=first, second=second)


def committing(number: int) -> data.Commit:
    """A month of alice's, of a number."""
    return data.Commit(
        owner=ADDRESSES["alice"],
        subject=Hash(f"{number:064x}"),
        schema=EGGS,
        period=Period("2026-03"),
        version=Version(1),
        commitment=Hash(f"{number + 100:064x}"),
        method=Method("scan"),
    )


def offering(machine: Machine, coin: AssetId) -> Iterator[Step]:
    """What is to be sold; one batch is retired."""
    yield [("bank", committing(1)), ("bank", committing(2))]
    offer = data.MakeOffer(
        schema=EGGS,
        fields=FIELDS,
        purposes=(RESEARCH,),
        mode=Mode("view"),
        regions=(CHINA,),
        retention_ms=Lasting(30 * DAY_MS),
        asset=coin,
        price=Amount("20.00"),
        floor=Amount("10.00"),
        daily_cap=DailyCap(5),
        expires_at=Time(machine.time + 60 * DAY_MS),
    )
    yield [("alice", offer), ("alice", data.Retire(batch=batches(machine)[1]))]


def batches(machine: Machine) -> list[Id]:
    """The batches of alice's that can be sold first."""
    rows = data.batches_of(machine.view(data.module), ADDRESSES["alice"]).rows
    return [name for name, row in sorted(rows, key=lambda pair: (pair[1].retired, pair[0]))]


def ordering(machine: Machine, coin: AssetId, number: int) -> data.PlaceOrder:
    """An order of the bank's, of a number."""
    public = bytes([number]) * 31 + b"\x01"
    return data.PlaceOrder(
        owner=ADDRESSES["alice"],
        schema=EGGS,
        fields=FIELDS[1:],
        purpose=RESEARCH,
        mode=Mode("view"),
        batches=(batches(machine)[0],),
        asset=coin,
        price=Amount("20.00"),
        fee=Amount("1.00"),
        deletion_bond=Amount("5.00"),
        request_hash=Hash("03" * 32),
        buyer_key=PublicKey(urlsafe_b64encode(public).decode().rstrip("=")),
        seal_by=Time(machine.time + HOUR_MS),
        delete_by=Time(machine.time + 10 * DAY_MS),
    )


def sealing(machine: Machine, order: Id) -> data.Seal:
    """The consent of alice."""
    offers = data.offers_of(machine.view(data.module), ADDRESSES["alice"]).rows
    return data.Seal(
        order=order,
        offer=offers[0][0],
        grant_hash=Hash("01" * 32),
        package_root=Hash("02" * 32),
        chunks=Chunks(1),
        a_commit=Hash("04" * 32),
        b_lock=Hash(data_hash("b", bytes.fromhex(order), bytes.fromhex(B)).hex()),
    )


def confirming(order: Id) -> data.Confirm:
    """The bank has what was sealed."""
    grant, root = Hash("01" * 32), Hash("02" * 32)
    return data.Confirm(order=order, grant_hash=grant, package_root=root, nonce=Nonce("0c" * 16))


def selling(machine: Machine, coin: AssetId) -> Iterator[Step]:
    """Two orders are sealed and revealed, two are not."""
    yield [("bank", ordering(machine, coin, number)) for number in range(1, 5)]
    rows = data.bought(machine.view(data.module), ADDRESSES["bank"]).rows
    first, second, third, fourth = (name for name, _ in rows)
    until = Time(machine.time + HOUR_MS)
    yield [
        ("alice", sealing(machine, first)),
        ("alice", sealing(machine, second)),
        ("bank", data.CancelOrder(order=third)),
        ("bob", data.Freeze(order=fourth, until=until, reason=Small(1))),
    ]
    yield [
        ("bank", confirming(first)),
        ("bank", confirming(second)),
        ("alice", data.WithdrawOrder(order=fourth)),
    ]
    yield [("alice", data.Reveal(order=order, b=B)) for order in (first, second)]
    claim = data.Claim(order=second, evidence_hash=Hash("05" * 32))
    yield [("bank", data.Accept(order=first)), ("bank", claim)]
    verdict = Verdict("upheld")
    yield [(name, data.Vote(order=second, verdict=verdict)) for name in ADJUDICATORS[:2]]


def closing(machine: Machine, coin: AssetId) -> Iterator[Step]:
    """What was set aside comes back, and the market closes."""
    bank = ADDRESSES["bank"]
    view = machine.view(data.module)
    licences = [name for name, _ in data.licensed_to(view, bank).rows]
    [(offer, _)] = data.offers_of(view, ADDRESSES["alice"]).rows
    attested = Hash("06" * 32)
    yield [
        *(
            ("bank", data.AttestDeletion(licence=name, attestation_hash=attested))
            for name in licences
        ),
        ("alice", data.Pull(asset=coin)),
        ("alice", data.WithdrawOffer(offer=offer)),
    ]
    yield [
        ("bank", data.EndSource(source=bank, schema=EGGS)),
        ("bank", admitting(coin, "1.00")),
        ("alice", proving()),
        ("bank", data.WithdrawBond(asset=coin, amount=Amount("29.00"))),
        ("bank", data.Pull(asset=coin)),
        ("bank", data.SuspendEnterprise(enterprise=bank)),
        *((name, data.Serve()) for name in ADJUDICATORS),
    ]
