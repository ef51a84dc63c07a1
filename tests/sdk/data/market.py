"""A data market behind a real node: a club attests, alice owns, carol seals, bob buys."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from msgspec.structs import replace

from tests.modules.member_steps import admitting, lei
from tests.node.process import running
from tests.rights.material import fixed
from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tongbao.kernel import Amount, AssetCode, AssetId, Hash, Id, Message, Small, Time
from tongbao.kernel import Reference as Ref
from tongbao.kernel.genesis import section
from tongbao.modules import asset, data, governance, member
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.requests import DataRequest, Why
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import AUTHORITY
from tongbao.sdk.wallet import Wallet
from tongbao.testing.genesis import registry_with
from tongbao.testing.keys import named_key

PEOPLE: Final = ("bank", "alice", "bob", "carol", "club", "ann", "ben", "cid", "mallory")
PANEL: Final = ("ann", "ben", "cid")
ADDRESSES: Final = {name: genesis_address(place) for place, name in enumerate(PEOPLE)}
CNY: Final = AssetId(f"CNY.{ADDRESSES['bank']}")
EGGS: Final = data.Schema("eggs.1")
DAY, COUNT = data.Field("day"), data.Field("count")
RESEARCH: Final = data.Purpose("dpv:AcademicResearch")
CHINA: Final = data.Region("CN")
DAY_MS: Final = 86_400_000
SCHEMA: Final = Schema(
    SchemaName(EGGS), (Field(FieldName(DAY), "date"), Field(FieldName(COUNT), "integer"))
)
USUAL: Final = {data.HALT_MS.name: 3_600_000, data.DELETION_MS.name: 1}
"""A node makes no block for long where nothing happens: that is no halt in these tests."""
BOND: Final = Amount("5.00")


def named(wallet: Wallet, name: str) -> Wallet:
    """The wallet of a person on the same chain."""
    return wallet.chain.wallet(ADDRESSES[name], named_key(name))


class Market:
    """A market behind a node at `address`; every person has a wallet."""

    def __init__(self, address: str) -> None:
        """Ask the node at an address."""
        self.address = address
        self.chain = HttpChain(address)
        self.wallets = {
            name: self.chain.wallet(ADDRESSES[name], named_key(name)) for name in PEOPLE
        }
        self.batches: dict[Id, Batch] = {}

    def send(self, name: str, *messages: Message) -> str:
        """Send as a person; the last id that was made, if any."""
        made = self.wallets[name].send(*messages).receipt.ids
        return made[-1] if made else ""

    def open(self) -> None:
        """Everybody takes part; alice offers her eggs, to be viewed and monthly."""
        bank = [asset.Define(code=AssetCode("CNY"), scale=Small(2))]
        payees = ("bob", "carol", "club", "mallory")
        self.send("bank", *bank, *(issue(name) for name in payees))
        self._admit()
        for name in PANEL:
            self.send(name, data.Serve(serves=True))
        self.send("bank", data.DefineSchema(schema=EGGS, fields=(DAY, COUNT)))
        for buyer in ("bob", "mallory"):
            asks = (data.Ask(schema=EGGS, fields=(DAY, COUNT)),)
            enterprise = data.RegisterEnterprise(
                enterprise=ADDRESSES[buyer], region=CHINA, purposes=(RESEARCH,), asks=asks
            )
            self.send("bank", enterprise)
        self.send("club", data.PostBond(asset=CNY, amount=Amount("50.00")))
        self.send("bank", admission())
        self.send("carol", data.PostBond(asset=CNY, amount=Amount("900.00")))
        self.offers = {mode: Id(self.send("alice", offer(mode))) for mode in ("view", "stream")}

    def _admit(self) -> None:
        roles: dict[str, tuple[str, ...]] = {
            "bank": (data.REGISTRAR, member.SUPERVISOR),
            "club": (member.DATA_SOURCE,),
            **dict.fromkeys(PANEL, (member.ADJUDICATOR,)),
        }
        actions = (
            admitting(lei(place), (ADDRESSES[name],), given)
            for place, (name, given) in enumerate(roles.items())
        )
        closes = Time(self.chain.now() + DAY_MS)
        self.send("bank", governance.Propose(actions=tuple(actions), closes_at=closes))

    def attest(self, period: str, rows: int = 19, **changes: Any) -> Id:
        """The club commits to a month of alice's, of so many rows; the batch's id."""
        subject = Hash(fixed(f"alice at the club {len(self.batches)}").hex())
        told = [
            Row(event_hash(fixed("club"), f"{period} {row}".encode()), (f"{period}-01", row % 3))
            for row in range(rows)
        ]
        origin = Origin(period=Period(period), source=ADDRESSES["club"], subject=subject)
        secret = fixed(f"{period} {len(self.batches)}")
        batch = make_batch(SCHEMA, origin, told, secret, secret[:16])
        commit = data.Commit(
            owner=ADDRESSES["alice"],
            subject=subject,
            schema=EGGS,
            period=data.Period(period),
            version=data.Version(1),
            commitment=Hash(commitment_of(batch.header).hex()),
            method=data.Method("scan"),
        )
        name = Id(self.send("club", replace(commit, **changes)))
        self.batches[name] = batch
        return name

    def request(self, *batches: Id, **changes: Any) -> DataRequest:
        """What bob would ask alice for: the count of some batches, for 20.00."""
        usual = DataRequest(
            asset=CNY,
            batches=batches,
            buyer=ADDRESSES["bob"],
            chain=self.chain.id,
            delete_by=Time(self.chain.now() + 10 * DAY_MS),
            fee=Amount("1.00"),
            fields=(COUNT,),
            mode=data.Mode("view"),
            owner=ADDRESSES["alice"],
            price=Amount("20.00"),
            purpose=RESEARCH,
            schema=EGGS,
            why=Why("we look for what people eat"),
        )
        return replace(usual, **changes)

    def row(self, order: str) -> data.Order:
        """An order on the ledger."""
        found = self.chain.query(data.order, Id(order))
        assert found is not None
        return found

    def phase(self, order: str) -> str:
        """How far an order is."""
        return str(self.row(order).phase)

    def held(self, name: str) -> int:
        """Cents that a person holds."""
        row = self.chain.query(asset.balance, ADDRESSES[name], CNY)
        return 0 if row is None else row.amount.units

    def earned(self, name: str) -> int:
        """Cents that a person has earned and not pulled."""
        rows = self.chain.query(data.earned, ADDRESSES[name]).rows
        return sum(row.amount.units for _, row in rows)

    def await_phase(self, order: str, *phases: str) -> str:
        """Wait until an order has come to one of these phases, as the chain tells it."""
        for _ in self.chain.happenings("0.0", thing=order):
            if (found := self.phase(order)) in phases:
                return found
        raise AssertionError("the chain was closed")


def issue(name: str) -> asset.Issue:
    """A person's first money."""
    return asset.Issue(
        asset=CNY, amount=Amount("50000.00"), payee=ADDRESSES[name], reference=Ref(f"first-{name}")
    )


def admission() -> data.AdmitSource:
    """The club is admitted as a source."""
    return data.AdmitSource(
        source=ADDRESSES["club"],
        schema=EGGS,
        method=data.Method("scan"),
        volume=data.Volume(1_000),
        asset=CNY,
        bond=Amount("50.00"),
    )


def offer(mode: str) -> data.MakeOffer:
    """What alice sells, for 20.00, sealed by carol."""
    return data.MakeOffer(
        schema=EGGS,
        fields=(DAY, COUNT),
        purposes=(RESEARCH,),
        mode=data.Mode(mode),
        regions=(CHINA,),
        retention_ms=data.Lasting(30 * DAY_MS),
        asset=CNY,
        price=Amount("20.00"),
        floor=Amount("10.00"),
        daily_cap=data.DailyCap(10_000),
        expires_at=Time(time.time_ns() // 1_000_000 + 60 * DAY_MS),
        agent=ADDRESSES["carol"],
    )


def lay(folder: Path, parameters: Mapping[str, int] | None = None) -> None:
    """The folder of a chain on which these people have accounts."""
    authority = Keystore(folder / "keys", CHEAP).create(AUTHORITY, PASSPHRASE)
    start = governance.Start(
        operators=(ADDRESSES["bank"],), threshold=Small(1), delay_ms=governance.Delay(0)
    )
    genesis = build_genesis(
        registry_with(),
        "market",
        time.time_ns() // 1_000_000,
        authority.key_id,
        tuple(single_key(named_key(name).key_id) for name in PEOPLE),
        {**USUAL, **(parameters or {})},
        (section("governance", start),),
    )
    Folder(folder).lay_out(genesis)


@contextmanager
def market(folder: Path, parameters: Mapping[str, int] | None = None) -> Iterator[Market]:
    """An open market behind a node in a process of its own."""
    lay(folder, parameters)
    with running(folder) as node:
        found = Market(node.address)
        try:
            found.open()
            yield found
        finally:
            found.chain.close()
