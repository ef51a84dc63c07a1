"""A chain on which alice's data are offered, asked for, sold and disputed, and its pages."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from tests.console.conftest import Shown
from tests.fixed_chain import BEGIN, HOUR, FixedChain, key
from tests.modules.member_steps import FIRST, FIRST_BANK, SECOND
from tests.node.access.test_sessions import opened
from tests.node.conftest import Served, serving_chain
from tongbao.engines.solo import Producer
from tongbao.kernel import (
    Amount,
    AssetCode,
    Hash,
    Id,
    Machine,
    Message,
    PublicKey,
    Reference,
    Registry,
    Small,
    Time,
)
from tongbao.kernel.genesis import section
from tongbao.modules import asset, data, member
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
    Version,
    Volume,
    data_hash,
)
from tongbao.modules.member import FirstMember, MemberName, Role
from tongbao.modules.registry import MODULES
from tongbao.sdk.genesis_builder import build_genesis, single_key
from tongbao.store.memory import MemoryStore

DAY = 24 * HOUR
EGGS = Schema("eggs.1")
FIELDS = (Field("day"), Field("count"))
RESEARCH = Purpose("dpv:AcademicResearch")
HALF = Hash("bb" * 32)
GRANT, ROOT = Hash("01" * 32), Hash("02" * 32)


class TradedChain(FixedChain):
    """As its parent, with every module: the bank registers and is a source, the shop may buy."""

    def __init__(self) -> None:
        """Begin the chain in memory, with money for everybody."""
        self.store = MemoryStore()
        registry = Registry(MODULES)
        roles = tuple(map(Role, (data.REGISTRAR, member.DATA_SOURCE, member.SUPERVISOR)))
        members = (
            FirstMember(lei=FIRST, name=FIRST_BANK, accounts=(self.bank,), roles=roles),
            FirstMember(lei=SECOND, name=MemberName("Insurer"), accounts=(self.shop,), roles=()),
        )
        self.genesis = build_genesis(
            registry,
            "fixed",
            BEGIN,
            key("authority").key_id,
            tuple(single_key(key(name).key_id) for name in ("bank", "alice", "shop")),
            {},
            (section("member", member.Start(members=members)),),
        )
        machine = Machine(registry, self.genesis, self.store, -1, 0)
        self.producer = Producer(machine, self.store, key("authority"))
        self.producer.begin()
        self.nonces = {}
        issued = [
            asset.Issue(
                asset=self.cny, amount=Amount("500.00"), payee=payee, reference=Reference(name)
            )
            for name, payee in (("one", self.alice), ("two", self.shop), ("three", self.bank))
        ]
        define = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        self.make(self.signed("bank", define, *issued))


class Traded(Shown):
    """The chain behind a node: orders in several states, and where each is shown."""

    def __init__(self, served: Served, fixed: TradedChain) -> None:
        """Make the chain's history."""
        self.served = served
        self.fixed: TradedChain = fixed
        self.numbers = 0
        self._open_market()
        self.offer, self.batch = self._offer()
        self.asked, self.sold, self.withdrawn = (self.order() for _ in range(3))
        self.do("alice", self.seal(self.sold), data.WithdrawOrder(order=self.withdrawn))
        confirmed = data.Confirm(
            order=self.sold, grant_hash=GRANT, package_root=ROOT, nonce=Nonce("0c" * 16)
        )
        self.do("shop", confirmed)
        self.do("alice", data.Reveal(order=self.sold, b=HALF))
        self.do("shop", data.Accept(order=self.sold))

    def do(self, name: str, *messages: Message) -> list[Id]:
        """Apply messages of bank, alice or shop; the ids of what they made."""
        answer = self.served.send(self.fixed.signed(name, *messages))
        assert answer.json()["receipt"]["outcome"] == "applied", answer.text
        return list(answer.json()["receipt"].get("ids", ()))

    def _open_market(self) -> None:
        fixed = self.fixed
        enterprise = data.RegisterEnterprise(
            enterprise=fixed.shop,
            region=Region("CN"),
            purposes=(RESEARCH,),
            asks=(Ask(schema=EGGS, fields=FIELDS),),
        )
        source = data.AdmitSource(
            source=fixed.bank,
            schema=EGGS,
            method=Method("check-in"),
            volume=Volume(9),
            asset=fixed.cny,
            bond=Amount("50.00"),
        )
        posted = data.PostBond(asset=fixed.cny, amount=Amount("50.00"))
        self.do("bank", data.DefineSchema(schema=EGGS, fields=FIELDS), enterprise, posted, source)

    def _offer(self) -> tuple[Id, Id]:
        commit = data.Commit(
            owner=self.fixed.alice,
            subject=Hash("07" * 32),
            schema=EGGS,
            period=Period("2026-03"),
            version=Version(1),
            commitment=Hash("08" * 32),
            method=Method("check-in"),
        )
        offer = data.MakeOffer(
            schema=EGGS,
            fields=FIELDS,
            purposes=(RESEARCH,),
            mode=Mode("view"),
            regions=(Region("CN"),),
            retention_ms=Lasting(30 * DAY),
            asset=self.fixed.cny,
            price=Amount("20.00"),
            floor=Amount("10.00"),
            daily_cap=DailyCap(9),
            expires_at=Time(BEGIN + 60 * DAY),
            agent=self.fixed.bank,
        )
        return self.do("alice", offer)[0], self.do("bank", commit)[0]

    def order(self) -> Id:
        """An order of the shop's for alice's eggs."""
        self.numbers += 1
        public = urlsafe_b64encode(bytes([self.numbers]) * 31 + b"\x01").decode().rstrip("=")
        message = data.PlaceOrder(
            owner=self.fixed.alice,
            schema=EGGS,
            fields=FIELDS[1:],
            purpose=RESEARCH,
            mode=Mode("view"),
            batches=(self.batch,),
            asset=self.fixed.cny,
            price=Amount("20.00"),
            fee=Amount("1.00"),
            deletion_bond=Amount("5.00"),
            request_hash=Hash("03" * 32),
            buyer_key=PublicKey(public),
            seal_by=Time(BEGIN + 3 * HOUR),
            delete_by=Time(BEGIN + 10 * DAY),
        )
        return self.do("shop", message)[0]

    def seal(self, order: Id) -> data.Seal:
        """Alice's own seal."""
        lock = data_hash("b", bytes.fromhex(order), bytes.fromhex(HALF))
        return data.Seal(
            order=order,
            offer=self.offer,
            grant_hash=GRANT,
            package_root=ROOT,
            chunks=Chunks(1),
            a_commit=Hash("04" * 32),
            b_lock=Hash(lock.hex()),
        )

    def grant(self, order: Id, name: str = "alice") -> str:
        """The path of a grant, among those of a party."""
        return f"/accounts/{getattr(self.fixed, name)}/grants/{order}"

    @property
    def pages(self) -> dict[str, str]:
        """A path of every kind of page that has to do with data."""
        return {
            "person": f"/accounts/{self.fixed.alice}",
            "enterprise": f"/accounts/{self.fixed.shop}",
            "source": f"/accounts/{self.fixed.bank}",
            "asked": self.grant(self.asked),
            "sold": self.grant(self.sold),
            "withdrawn": self.grant(self.withdrawn, "shop"),
            "strange": self.grant(self.sold, "bank"),
            "odd": f"/accounts/{self.fixed.alice}/grants/eggs",
        }


@contextmanager
def trading(**settings: object) -> Iterator[Traded]:
    """Serve the chain until the `with` statement ends, for alice where it asks who calls."""
    fixed = TradedChain()
    with (
        fixed.running(lambda: BEGIN + 60_000) as chain,
        serving_chain(fixed, chain, **settings) as served,  # type: ignore[arg-type]
    ):
        traded = Traded(served, fixed)
        served.client.headers.update(opened(served, fixed.alice, key("alice")))
        yield traded
