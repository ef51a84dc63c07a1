"""A market on chains in memory, whose grants ended in every way."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from typing import Any, Final

from tests.fixed_chain import HOUR, key
from tests.sdk.data.granted_chains import ADDRESSES, PEOPLE, SECOND, Backing
from tongbao.kernel import (
    Address,
    Amount,
    AssetCode,
    AssetId,
    Hash,
    Id,
    Message,
    PublicKey,
    Reference,
    Small,
    Time,
)
from tongbao.modules import asset, data
from tongbao.rights.deletion import Deletion, deletion_bytes, deletion_hash
from tongbao.rights.receipt import make_receipt
from tongbao.rights.requests import DataRequest, Why, grant_hash, request_hash
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.data.parties import institution_of
from tongbao.sdk.folder import trust_file
from tongbao.sdk.proofs import to_json

ALICE, BOB, CAROL, DAVE = (ADDRESSES[name] for name in ("alice", "bob", "carol", "dave"))
CNY: Final = AssetId(f"CNY.{ADDRESSES['bank']}")
EGGS: Final = data.Schema("eggs.1")
DAY, COUNT = data.Field("day"), data.Field("count")
RESEARCH: Final = data.Purpose("dpv:AcademicResearch")
CHINA: Final = data.Region("CN")
B: Final = Hash("bb" * 32)
KEEP_MS: Final = 60 * SECOND
"""How long what is bought may be kept: the market's times are of seconds."""


def buyer_key(number: int) -> PublicKey:
    """An X25519 key for each number."""
    public = sha256(number.to_bytes(4, "big")).digest()[:31] + b"\x01"
    return PublicKey(urlsafe_b64encode(public).decode().rstrip("="))


class Granted:
    """A market: bob buys alice's eggs, which carol seals for her, and dave sells his own."""

    def __init__(self, backing: Backing) -> None:
        """Open the market."""
        self.backing = backing
        self.nonces = dict.fromkeys(PEOPLE, 0)
        self.receipts: dict[str, bytes] = {}
        self.deletions: dict[str, bytes] = {}
        self.licences: dict[str, Id] = {}
        self.made = 0
        self._open()

    @property
    def trust(self) -> bytes:
        """The trust file that belongs to the genesis file."""
        return to_json(trust_file(self.backing.genesis))

    @property
    def time(self) -> int:
        """The time of the last block."""
        return int(self.backing.machine.time)

    def say(self, name: str, *messages: Message) -> list[Id]:
        """Send in a block of its own, a second after the last one; what was made."""
        self.backing.make([self.signed(name, *messages)], self.time + SECOND)
        receipt = self.last_receipt()
        assert receipt["outcome"] == "applied", receipt
        return [Id(one) for one in receipt.get("ids", ())]

    def signed(self, name: str, *messages: Message) -> bytes:
        """A transaction of somebody's."""
        self.nonces[name] += 1
        expires, chain = Time(self.time + HOUR), self.backing.machine.chain
        payload = payload_bytes(chain, ADDRESSES[name], self.nonces[name], expires, messages)
        return sign(payload, [key(name)])

    def last_receipt(self) -> dict[str, Any]:
        """The receipt of the first transaction of the last block."""
        record = self.backing.store.block(self.backing.machine.height)
        found: dict[str, Any] = json.loads(record.receipts[0])
        return found

    def pass_time(self, ms: int) -> None:
        """Let time go by."""
        for _ in range(0, ms, 10 * SECOND):
            self.backing.make((), self.time + 10 * SECOND)

    def _open(self) -> None:
        money = [
            asset.Issue(
                asset=CNY,
                amount=Amount("1000.00"),
                payee=ADDRESSES[name],
                reference=Reference(f"first-{name}"),
            )
            for name in ("bob", "carol")
        ]
        self.say("bank", asset.Define(code=AssetCode("CNY"), scale=Small(2)), *money)
        for name in ("ann", "ben", "cid"):
            self.say(name, data.Serve(serves=True))
        asks = (data.Ask(schema=EGGS, fields=(DAY, COUNT)),)
        self.say(
            "bank",
            data.DefineSchema(schema=EGGS, fields=(DAY, COUNT)),
            data.RegisterEnterprise(enterprise=BOB, region=CHINA, purposes=(RESEARCH,), asks=asks),
        )
        self.say("carol", data.PostBond(asset=CNY, amount=Amount("500.00")))
        self.batches = {name: self.say(name, self.commit(name))[0] for name in ("alice", "dave")}
        self.offers = {
            "alice": self.say("alice", self.offer(), self.offer(agent=CAROL))[1],
            "dave": self.say("dave", self.offer())[0],
        }

    def commit(self, name: str) -> data.Commit:
        """A month of somebody's, as they say themselves."""
        return data.Commit(
            owner=ADDRESSES[name],
            subject=Hash(sha256(name.encode()).hexdigest()),
            schema=EGGS,
            period=data.Period("2026-03"),
            version=data.Version(1),
            commitment=Hash(sha256(b"rows of " + name.encode()).hexdigest()),
            method=data.Method("self"),
        )

    def offer(self, agent: Address | None = None) -> data.MakeOffer:
        """Eggs for research."""
        return data.MakeOffer(
            schema=EGGS,
            fields=(DAY, COUNT),
            purposes=(RESEARCH,),
            mode=data.Mode("view"),
            regions=(CHINA,),
            retention_ms=data.Lasting(24 * HOUR),
            asset=CNY,
            price=Amount("20.00"),
            floor=Amount("10.00"),
            daily_cap=data.DailyCap(99),
            expires_at=Time(self.time + 240 * HOUR),
            agent=agent,
        )

    # Steps

    def order(self, owner: str = "alice") -> str:
        """An order of bob's, with its request."""
        self.made += 1
        request = DataRequest(
            asset=CNY,
            batches=(self.batches[owner],),
            buyer=BOB,
            chain=self.backing.machine.chain,
            delete_by=Time(self.time + KEEP_MS),
            fee=Amount("1.00"),
            fields=(COUNT,),
            mode=data.Mode("view"),
            owner=ADDRESSES[owner],
            price=Amount("20.00"),
            purpose=RESEARCH,
            schema=EGGS,
            why=Why(f"for study {self.made}: 早餐"),
        )
        shared = {
            name: getattr(request, name)
            for name in request.__struct_fields__
            if name not in ("buyer", "chain", "why")
        }
        message = data.PlaceOrder(
            **shared,
            deletion_bond=Amount("5.00"),
            request_hash=Hash(request_hash(request).hex()),
            buyer_key=buyer_key(self.made),
            seal_by=Time(self.time + 30 * SECOND),
        )
        (made,) = self.say("bob", message)
        self.request = request
        return made

    def row(self, order: str) -> data.Order:
        """An order as it is."""
        found = data.order(self.backing.machine.view(data.module), Id(order))
        assert found is not None
        return found

    def receipt(self, order: str, owner: str, seller: str) -> bytes:
        """The receipt of an order that is about to be sealed."""
        chain, view = self.backing.machine.chain, self.backing.machine.view(data.module)
        offer = data.offer(view, self.offers[owner])
        enterprise = data.enterprise(view, BOB)
        assert offer is not None and enterprise is not None
        return make_receipt(
            chain=chain,
            order_id=Id(order),
            order=self.row(order),
            request=self.request,
            offer_id=self.offers[owner],
            offer=offer,
            enterprise=enterprise,
            seller=ADDRESSES[seller],
            made_at=self.time,
            institution=self.bob,
        )

    @property
    def bob(self) -> Any:
        """The institution that bob acts for."""
        if not hasattr(self, "_bob"):
            self._bob = institution_of(self.backing.chain(), BOB)
        return self._bob

    def seal(self, owner: str = "alice", seller: str = "carol") -> str:
        """An order that is sealed."""
        order = self.order(owner)
        self.receipts[order] = text = self.receipt(order, owner, seller)
        self.say(
            seller,
            data.Seal(
                order=Id(order),
                offer=self.offers[owner],
                grant_hash=Hash(grant_hash(text).hex()),
                package_root=Hash("02" * 32),
                chunks=data.Chunks(4),
                a_commit=Hash("04" * 32),
                b_lock=Hash(data.data_hash("b", bytes.fromhex(order), bytes.fromhex(B)).hex()),
            ),
        )
        return order

    def confirm(self, owner: str = "alice", seller: str = "carol") -> str:
        """An order that is confirmed."""
        order = self.seal(owner, seller)
        grant = self.row(order).grant_hash
        assert grant is not None
        self.say(
            "bob",
            data.Confirm(
                order=Id(order),
                grant_hash=grant,
                package_root=Hash("02" * 32),
                nonce=data.Nonce("0c" * 16),
            ),
        )
        return order

    def reveal(self, owner: str = "alice", seller: str = "carol") -> str:
        """An order that is revealed."""
        order = self.confirm(owner, seller)
        (self.licences[order],) = self.say(seller, data.Reveal(order=Id(order), b=B))
        return order

    def accept(self, owner: str = "alice", seller: str = "carol") -> str:
        """An order that is paid."""
        order = self.reveal(owner, seller)
        self.say("bob", data.Accept(order=Id(order)))
        return order

    def delete(self, order: str) -> None:
        """Bob attests that he has deleted what an order brought."""
        deletion = Deletion(
            account=BOB,
            chain=self.backing.machine.chain,
            deleted_at=self.time,
            licence=self.licences[order],
            order=Id(order),
        )
        self.deletions[order] = text = deletion_bytes(deletion)
        hashed = Hash(deletion_hash(text).hex())
        self.say("bob", data.AttestDeletion(licence=self.licences[order], attestation_hash=hashed))

    def claim(self) -> str:
        """An order whose claim was upheld by its panel."""
        order = self.reveal("dave", "dave")
        self.say("bob", data.Claim(order=Id(order), evidence_hash=Hash("05" * 32)))
        for name in ("ann", "ben"):
            self.say(name, data.Vote(order=Id(order), verdict=data.Verdict("upheld")))
        return order


def told(backing: Backing) -> tuple[Granted, dict[str, str]]:
    """A market and orders that went each another way, all ended well; by name."""
    market = Granted(backing)
    orders = {"accepted": market.accept()}
    market.delete(orders["accepted"])
    orders["upheld"] = market.claim()
    orders["cancelled"] = market.seal()
    market.say("bob", data.CancelOrder(order=Id(orders["cancelled"])))
    orders["withdrawn"] = market.confirm()
    market.say("alice", data.WithdrawOrder(order=Id(orders["withdrawn"])))
    market.delete(orders["upheld"])
    orders["lapsed"] = market.confirm("dave", "dave")
    orders["settled"] = market.reveal("dave", "dave")
    market.delete(orders["settled"])
    market.pass_time(30 * SECOND)
    orders["held"] = market.accept("dave", "dave")
    orders["sealed"] = market.seal()
    return market, orders
