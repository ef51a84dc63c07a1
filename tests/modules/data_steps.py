"""A data market for tests: a registrar, a source, an owner, an agent, a buyer and adjudicators."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Mapping
from hashlib import sha256
from typing import Any, Final

from msgspec.structs import replace

from tests.modules.member_steps import admitting, lei
from tongbao.kernel import Address, Amount, Hash, Id, PublicKey, Small, Time
from tongbao.kernel.genesis import section
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
    Order,
    Period,
    Purpose,
    Region,
    Schema,
    Version,
    Volume,
    data_hash,
)
from tongbao.modules.governance import Delay
from tongbao.testing import CNY, Chain, alice, bank, bob, carol

EGGS: Final = Schema("eggs.1")
DAY: Final = Field("day")
COUNT: Final = Field("count")
RESEARCH: Final = Purpose("dpv:AcademicResearch")
VIEW: Final = Mode("view")
CHINA: Final = Region("CN")
SCAN: Final = Method("scan")
SELF: Final = Method("self")
MARCH: Final = Period("2026-03")
HOUR_MS: Final = 3_600_000
HALT_MS: Final = HOUR_MS // 2
DAY_MS: Final = 24 * HOUR_MS
PEOPLE: Final = ("club", "ann", "ben", "cid")
A, B, NONCE = Hash("aa" * 32), Hash("bb" * 32), Nonce("0c" * 16)
GRANT, ROOT = Hash("01" * 32), Hash("02" * 32)


def buyer_key(number: int) -> PublicKey:
    """An X25519 key for each number."""
    public = sha256(number.to_bytes(4, "big")).digest()[:31] + b"\x01"
    return PublicKey(urlsafe_b64encode(public).decode().rstrip("="))


def hash_of(number: int) -> Hash:
    """A hash for each number."""
    return Hash(f"{number:064x}")


class Market(Chain):
    """A chain with a data market: the bank registers, alice owns, bob buys, carol is an agent.

    Club is a source with a bond of 50.00; ann, ben and cid are adjudicators of three members; bank
    is supervisor as well. Alice offers her eggs at 20.00, 10.00 at least, sealed by carol, who has
    posted 100.00.
    """

    def __init__(self, parameters: Mapping[str, int] | None = None, *, seats: int = 3) -> None:
        """Begin it, with so many adjudicators; a gap of more than half an hour is a halt."""
        start = governance.Start(operators=(bank,), threshold=Small(1), delay_ms=Delay(0))
        given = {data.HALT_MS.name: HALT_MS, **(parameters or {})}
        super().__init__(sections=(section("governance", start),), parameters=given)
        self.made = 0
        for name in PEOPLE:
            self.open_account(name)
        self._admit_members()
        for name in PEOPLE[1 : 1 + seats]:
            self.apply(name, data.Serve(serves=True))
        self.apply("bank", data.DefineSchema(schema=EGGS, fields=(DAY, COUNT)))
        self.apply("bank", self.registering())
        self.apply("bank", self.issue("club"))
        self.apply("club", data.PostBond(asset=CNY, amount=Amount("50.00")))
        self.apply("bank", self.admitting())
        self.apply("carol", data.PostBond(asset=CNY, amount=Amount("100.00")))
        self.offer = self.must(self.apply("alice", self.offering()))
        self.batch = self.must(self.apply("club", self.committing()))

    def _admit_members(self) -> None:
        roles: dict[str, tuple[str, ...]] = {
            "bank": (data.REGISTRAR, member.SUPERVISOR),
            "club": (member.DATA_SOURCE,),
            "ann": (member.ADJUDICATOR,),
            "ben": (member.ADJUDICATOR,),
            "cid": (member.ADJUDICATOR,),
        }
        self.decide(
            *(
                admitting(lei(place), (self.address(name),), given)
                for place, (name, given) in enumerate(roles.items())
            )
        )

    def decide(self, *actions: governance.Action) -> None:
        """Let the one operator decide, and make the block that carries it out."""
        self.apply("bank", governance.Propose(actions=actions, closes_at=self.in_days(1)))
        self.block()

    def must(self, made: Id | None) -> Id:
        """The id that a message has made."""
        assert made is not None
        return made

    # Messages

    def registering(self, **changes: Any) -> data.RegisterEnterprise:
        """The message that registers bob for everybody's eggs."""
        usual = data.RegisterEnterprise(
            enterprise=bob,
            region=CHINA,
            purposes=(RESEARCH,),
            asks=(Ask(schema=EGGS, fields=(DAY, COUNT)),),
        )
        return replace(usual, **changes)

    def admitting(self, **changes: Any) -> data.AdmitSource:
        """The message that admits the club as a source."""
        usual = data.AdmitSource(
            source=self.address("club"),
            schema=EGGS,
            method=SCAN,
            volume=Volume(2),
            asset=CNY,
            bond=Amount("50.00"),
        )
        return replace(usual, **changes)

    def committing(self, **changes: Any) -> data.Commit:
        """The message that commits to alice's eggs in a month."""
        self.made += 1
        usual = data.Commit(
            owner=alice,
            subject=hash_of(7),
            schema=EGGS,
            period=MARCH,
            version=Version(1),
            commitment=hash_of(1_000 + self.made),
            method=SCAN,
        )
        return replace(usual, **changes)

    def offering(self, **changes: Any) -> data.MakeOffer:
        """The message of alice's offer."""
        usual = data.MakeOffer(
            schema=EGGS,
            fields=(DAY, COUNT),
            purposes=(RESEARCH,),
            mode=VIEW,
            regions=(CHINA,),
            retention_ms=Lasting(30 * DAY_MS),
            asset=CNY,
            price=Amount("20.00"),
            floor=Amount("10.00"),
            daily_cap=DailyCap(9),
            expires_at=self.in_days(60),
            agent=carol,
        )
        return replace(usual, **changes)

    def ordering(self, **changes: Any) -> data.PlaceOrder:
        """The message by which bob asks for alice's eggs: 20.00, a fee of 1.00, a bond of 5.00."""
        self.made += 1
        usual = data.PlaceOrder(
            owner=alice,
            schema=EGGS,
            fields=(COUNT,),
            purpose=RESEARCH,
            mode=VIEW,
            batches=(self.batch,),
            asset=CNY,
            price=Amount("20.00"),
            fee=Amount("1.00"),
            deletion_bond=Amount("5.00"),
            request_hash=hash_of(3),
            buyer_key=buyer_key(self.made),
            seal_by=Time(self.time + HOUR_MS),
            delete_by=self.in_days(10),
        )
        return replace(usual, **changes)

    def sealing(self, order: Id, **changes: Any) -> data.Seal:
        """The message that seals an order by alice's offer."""
        usual = data.Seal(
            order=order,
            offer=self.offer,
            grant_hash=GRANT,
            package_root=ROOT,
            chunks=Chunks(4),
            a_commit=Hash(data_hash("a", bytes.fromhex(order), bytes.fromhex(A)).hex()),
            b_lock=Hash(data_hash("b", bytes.fromhex(order), bytes.fromhex(B)).hex()),
        )
        return replace(usual, **changes)

    def confirming(self, order: Id, **changes: Any) -> data.Confirm:
        """The message by which bob confirms what he has."""
        usual = data.Confirm(order=order, grant_hash=GRANT, package_root=ROOT, nonce=NONCE)
        return replace(usual, **changes)

    # Orders in each state

    def opened(self, **changes: Any) -> Id:
        """An order of bob's."""
        return self.must(self.apply("bob", self.ordering(**changes)))

    def sealed(self, by: str = "carol", **changes: Any) -> Id:
        """An order that carol, or alice, has sealed."""
        order = self.opened(**changes)
        self.apply(by, self.sealing(order))
        return order

    def confirmed(self, by: str = "carol", **changes: Any) -> Id:
        """An order that bob has confirmed."""
        order = self.sealed(by, **changes)
        self.apply("bob", self.confirming(order))
        return order

    def revealed(self, by: str = "carol", **changes: Any) -> Id:
        """An order whose b is on the ledger."""
        order = self.confirmed(by, **changes)
        self.licence = self.must(self.apply(by, data.Reveal(order=order, b=B)))
        return order

    def claimed(self, by: str = "carol") -> Id:
        """An order whose package bob says is faulty."""
        order = self.revealed(by)
        self.apply("bob", data.Claim(order=order, evidence_hash=hash_of(5)))
        return order

    # What there is

    def shown(self, order: Id) -> Order:
        """An order as it is."""
        found = data.order(self.view(data.module), order)
        assert found is not None
        return found

    def pass_time(self, ms: int) -> None:
        """Let time go by, with blocks as a network makes them: none is far from the one before."""
        end = self.time + ms
        while self.time < end:
            due = self.machine.next_due()
            step = end if due is None else min(max(due, self.time), end)
            self.advance_to(max(step, self.time))
            self.block()

    def held(self, name: str) -> str:
        """What somebody holds, as it is written."""
        row = asset.balance(self.view(asset.module), self.address(name), CNY)
        return "0.00" if row is None else str(row.amount)

    def earned(self, name: str) -> str:
        """What somebody has earned and not pulled."""
        rows = data.earned(self.view(data.module), self.address(name)).rows
        return str(rows[0][1].amount) if rows else "0.00"

    def bond(self, name: str) -> tuple[str, str] | None:
        """What somebody has posted, and how much of it is reserved."""
        rows = data.bonded(self.view(data.module), self.address(name)).rows
        return (str(rows[0][1].amount), str(rows[0][1].reserved)) if rows else None

    def lapses(self, name: str) -> int:
        """How many orders somebody has let lapse."""
        row = data.party(self.view(data.module), Address(self.address(name)))
        return 0 if row is None else row.lapses
