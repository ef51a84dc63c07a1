"""A market for data of many casts: each has a buyer, an owner and a seller of its own money."""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec

from tests.modules.data_steps import CHINA, COUNT, DAY, DAY_MS, EGGS, RESEARCH, SCAN, VIEW
from tests.modules.member_steps import admitting, lei
from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tongbao.kernel import (
    Amount,
    AssetCode,
    AssetId,
    Hash,
    Id,
    Message,
    Reference,
    Registry,
    Small,
    Time,
)
from tongbao.kernel.genesis import section
from tongbao.modules import asset, data, governance, member
from tongbao.modules.governance import Delay
from tongbao.modules.registry import MODULES
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import AUTHORITY
from tongbao.testing.keys import named_key

CASTS: Final = 80
NOTE: Final = data.Field("note")
CANARY: Final = "planted-7f3a9c-zinnia-4711"
"""Stands in every row, in a field that hardly anybody is granted."""
SCHEMA: Final = Schema(
    SchemaName(EGGS),
    (
        Field(FieldName(DAY), "date"),
        Field(FieldName(COUNT), "integer"),
        Field(FieldName(NOTE), "text"),
    ),
)
PANEL: Final = ("ann", "ben", "cid")
FIXED: Final = ("bank", "club", "carol", *PANEL)
ROLES: Final = ("buyer", "owner", "agent")
PEOPLE: Final = (*FIXED, *(f"{role}{number}" for number in range(CASTS) for role in ROLES))
ADDRESSES: Final = {name: genesis_address(place) for place, name in enumerate(PEOPLE)}
CNY: Final = AssetId(f"CNY.{ADDRESSES['bank']}")
SECONDS: Final = {
    data.CONFIRM_MS.name: 10_000,
    data.TRANSFER_MS.name: 1,
    data.REVEAL_MS.name: 10_000,
    data.ACCEPT_MS.name: 10_000,
    data.VERDICT_MS.name: 12_000,
    data.MARGIN_MS.name: 1_000,
    data.HALT_MS.name: 30_000,
    data.DELETION_MS.name: 1,
}
"""Deadlines, margin and halt threshold of seconds, as genesis has them."""


def lay(folder: Path, parameters: dict[str, int]) -> None:
    """The folder of a chain on which everybody has an account."""
    authority = Keystore(folder / "keys", CHEAP).create(AUTHORITY, PASSPHRASE)
    start = governance.Start(operators=(ADDRESSES["bank"],), threshold=Small(1), delay_ms=Delay(0))
    genesis = build_genesis(
        Registry(MODULES),
        "tables",
        time.time_ns() // 1_000_000,
        authority.key_id,
        tuple(single_key(named_key(name).key_id) for name in PEOPLE),
        parameters,
        (section("governance", start),),
    )
    Folder(folder).lay_out(genesis)


class Town:
    """The chain of a node, and everybody's wallet."""

    def __init__(self, node: str) -> None:
        """Ask the node at an address."""
        self.node = node
        self.chain = HttpChain(node)
        self.wallets = {
            name: self.chain.wallet(address, named_key(name)) for name, address in ADDRESSES.items()
        }
        self.batches: dict[Id, Batch] = {}
        self.numbers = itertools.count()
        self.casts = itertools.count()

    def send(self, who: str, *messages: Message) -> tuple[str, ...]:
        """Send as somebody; the ids that were made. An adjudicator's program sends as it, too."""
        if who in PANEL:
            self.wallets[who] = self.chain.wallet(ADDRESSES[who], named_key(who))
        return tuple(self.wallets[who].send(*messages).receipt.ids)

    def open(self) -> None:
        """Everybody takes part, and has money."""
        issued = [self._issue(name, "1000.00") for name in PEOPLE if not name.startswith("owner")]
        self.send("bank", asset.Define(code=AssetCode("CNY"), scale=Small(2)), *issued)
        roles: dict[str, tuple[str, ...]] = {
            "bank": (data.REGISTRAR, member.SUPERVISOR),
            "club": (member.DATA_SOURCE,),
            **dict.fromkeys(PANEL, (member.ADJUDICATOR,)),
        }
        actions = tuple(
            admitting(lei(place), (ADDRESSES[name],), given)
            for place, (name, given) in enumerate(roles.items())
        )
        closes = Time(self.chain.now() + DAY_MS)
        self.send("bank", governance.Propose(actions=actions, closes_at=closes))
        buyers = [self.registering(f"buyer{number}") for number in range(CASTS)]
        self.send("bank", data.DefineSchema(schema=EGGS, fields=(DAY, COUNT, NOTE)), *buyers)
        self.send("club", self.bond("50.00"))
        admitted = data.AdmitSource(
            source=ADDRESSES["club"],
            schema=EGGS,
            method=SCAN,
            volume=data.Volume(1_000),
            asset=CNY,
            bond=Amount("50.00"),
        )
        self.send("bank", admitted)
        self.send("carol", self.bond("900.00"))
        for name in PANEL:
            self.send(name, data.Serve(serves=True))

    def _issue(self, name: str, amount: str) -> asset.Issue:
        return asset.Issue(
            asset=CNY, amount=Amount(amount), payee=ADDRESSES[name], reference=Reference(name)
        )

    def bond(self, amount: str) -> data.PostBond:
        """The message that posts a bond."""
        return data.PostBond(asset=CNY, amount=Amount(amount))

    def registering(self, name: str, **changes: Any) -> data.RegisterEnterprise:
        """The message that registers a buyer."""
        usual = data.RegisterEnterprise(
            enterprise=ADDRESSES[name],
            region=CHINA,
            purposes=(RESEARCH,),
            asks=(data.Ask(schema=EGGS, fields=(COUNT, NOTE)),),
        )
        return msgspec.structs.replace(usual, **changes)

    def offer(self, owner: str, agent: str | None, **changes: Any) -> Id:
        """An owner's offer of its counts, sealed by an agent or by itself."""
        usual = data.MakeOffer(
            schema=EGGS,
            fields=(COUNT,),
            purposes=(RESEARCH,),
            mode=VIEW,
            regions=(CHINA,),
            retention_ms=data.Lasting(30 * DAY_MS),
            asset=CNY,
            price=Amount("20.00"),
            floor=Amount("10.00"),
            daily_cap=data.DailyCap(1_000),
            expires_at=Time(self.chain.now() + 60 * DAY_MS),
            agent=None if agent is None else ADDRESSES[agent],
        )
        return Id(self.send(owner, msgspec.structs.replace(usual, **changes))[0])

    def attest(self, owner: str, counts: Sequence[int]) -> Id:
        """A month of an owner's at the club, on the ledger."""
        seed = named_key(f"{owner} {next(self.numbers)}").seed
        rows = [
            Row(
                event_hash(named_key("club").public_key, seed + place.to_bytes(2)),
                (f"2026-03-{place % 28 + 1:02}", count, CANARY),
            )
            for place, count in enumerate(counts)
        ]
        subject = Hash(seed.hex())
        origin = Origin(period=Period("2026-03"), source=ADDRESSES["club"], subject=subject)
        batch = make_batch(SCHEMA, origin, rows, seed, seed[:16])
        commit = data.Commit(
            owner=ADDRESSES[owner],
            subject=subject,
            schema=EGGS,
            period=data.Period("2026-03"),
            version=data.Version(1),
            commitment=Hash(commitment_of(batch.header).hex()),
            method=SCAN,
        )
        name = Id(self.send("club", commit)[0])
        self.batches[name] = batch
        return name

    def row(self, order: str) -> data.Order:
        """An order on the ledger."""
        found = self.chain.query(data.order, Id(order))
        assert found is not None
        return found

    def reach(self, order: str, *phases: str) -> str:
        """Wait until an order has come to one of some phases, as the chain tells it; which."""
        for _ in self.chain.happenings("0.0", thing=order):
            if (found := str(self.row(order).phase)) in phases:
                return found
        raise AssertionError("the chain was closed")

    def held(self, name: str) -> int:
        """Cents that somebody holds."""
        found = self.chain.query(asset.balance, ADDRESSES[name], CNY)
        return 0 if found is None else found.amount.units

    def earned(self, name: str) -> int:
        """Cents that somebody has earned and not pulled."""
        rows = self.chain.query(data.earned, ADDRESSES[name]).rows
        return sum(row.amount.units for _, row in rows)

    def posted(self, name: str) -> tuple[int, int]:
        """Cents of somebody's bond, and how many of them are reserved."""
        rows = self.chain.query(data.bonded, ADDRESSES[name]).rows
        return (
            sum(row.amount.units for _, row in rows),
            sum(row.reserved.units for _, row in rows),
        )

    def lapses(self, name: str) -> int:
        """How many orders somebody has let lapse."""
        found = self.chain.query(data.party, ADDRESSES[name])
        return 0 if found is None else found.lapses
