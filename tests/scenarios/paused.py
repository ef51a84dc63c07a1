"""A market of four validators' own operators: who banks, owns, buys and seals."""

from __future__ import annotations

import secrets
import threading
import time
from pathlib import Path
from typing import Final

from tests.modules.data_steps import CHINA, COUNT, DAY, DAY_MS, EGGS, RESEARCH, VIEW
from tests.modules.member_steps import admitting, lei
from tests.rights.hpke_by_the_book import public_key_of
from tests.rights.material import fixed
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
from tongbao.kernel.envelope import encode_base64url
from tongbao.localnet import voting
from tongbao.localnet.network import Network
from tongbao.modules import asset, data, member
from tongbao.rights.halves import b_lock_of
from tongbao.sdk.errors import id_and_expiry
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import OPERATOR
from tongbao.sdk.signer import SoftwareKey

NAMES: Final = ("bank", "alice", "bob", "carol")
HALT_MS: Final = 10_000
REVEAL_MS: Final = 12_000
HOUR_MS: Final = 3_600_000
LOOK_S: Final = 0.1
PARAMETERS: Final = {
    data.CONFIRM_MS.name: HOUR_MS,
    data.REVEAL_MS.name: REVEAL_MS,
    data.ACCEPT_MS.name: HOUR_MS,
    data.HALT_MS.name: HALT_MS,
}


class Validators:
    """Four of them, and what their operators do as the parties of a market."""

    def __init__(self, network: Network) -> None:
        """Ask the first."""
        self.network = network
        members = network.plan.members
        self.chain = HttpChain(members[0].address)
        self.addresses = {
            name: Address(one.operator) for name, one in zip(NAMES, members, strict=True)
        }
        self.wallets = {
            name: self.chain.wallet(one.operator, self._key(one.name))
            for name, one in zip(NAMES, members, strict=True)
        }
        self.coin = AssetId(f"CNY.{self.addresses['bank']}")

    def _key(self, node: str) -> SoftwareKey:
        keys = Keystore(Path(self.network.folder) / node / "keys")
        return keys.unlock(OPERATOR, self.network.secret)

    def send(self, who: str, *messages: Message) -> str:
        """Send as somebody; the last id that was made."""
        made = self.wallets[who].send(*messages).receipt.ids
        return made[-1] if made else ""

    def open(self) -> None:
        """Bob may buy alice's eggs, which carol seals."""
        roles = (data.REGISTRAR, member.SUPERVISOR)
        actions = (admitting(lei(7), (self.addresses["bank"],), roles),)
        voting.decide(self.network, actions, "admit the registrar", lambda line: None)
        issued = [self._issue(name) for name in ("bob", "carol")]
        enterprise = data.RegisterEnterprise(
            enterprise=self.addresses["bob"],
            region=CHINA,
            purposes=(RESEARCH,),
            asks=(data.Ask(schema=EGGS, fields=(COUNT,)),),
        )
        schema = data.DefineSchema(schema=EGGS, fields=(DAY, COUNT))
        coin = asset.Define(code=AssetCode("CNY"), scale=Small(2))
        # The operators' wallets have voted meanwhile, by other hands.
        self.wallets = {
            name: self.chain.wallet(wallet.address, *wallet.signers)
            for name, wallet in self.wallets.items()
        }
        self.send("bank", coin, *issued, schema, enterprise)
        self.send("carol", data.PostBond(asset=self.coin, amount=Amount("100.00")))
        offer = data.MakeOffer(
            schema=EGGS,
            fields=(COUNT,),
            purposes=(RESEARCH,),
            mode=VIEW,
            regions=(CHINA,),
            retention_ms=data.Lasting(30 * DAY_MS),
            asset=self.coin,
            price=Amount("20.00"),
            floor=Amount("10.00"),
            daily_cap=data.DailyCap(100),
            expires_at=Time(self.chain.now() + 60 * DAY_MS),
            agent=self.addresses["carol"],
        )
        self.offer = Id(self.send("alice", offer))

    def _issue(self, name: str) -> asset.Issue:
        payee, value = self.addresses[name], Amount("1000.00")
        return asset.Issue(
            asset=self.coin, amount=value, payee=payee, reference=Reference(f"first-{name}")
        )

    def confirmed(self) -> tuple[Id, Hash]:
        """A confirmed order, and the `b` that carol has of it."""
        commit = data.Commit(
            owner=self.addresses["alice"],
            subject=Hash(secrets.token_hex(32)),
            schema=EGGS,
            period=data.Period("2026-03"),
            version=data.Version(1),
            commitment=Hash(secrets.token_hex(32)),
            method=data.Method("self"),
        )
        batch = Id(self.send("alice", commit))
        order = Id(self.send("bob", self._ordering(batch)))
        b, same = secrets.token_bytes(32), Hash(fixed("sealed").hex())
        seal = data.Seal(
            order=order,
            offer=self.offer,
            grant_hash=same,
            package_root=same,
            chunks=data.Chunks(1),
            a_commit=same,
            b_lock=Hash(b_lock_of(bytes.fromhex(order), b).hex()),
        )
        self.send("carol", seal)
        nonce = data.Nonce(secrets.token_hex(16))
        confirm = data.Confirm(order=order, grant_hash=same, package_root=same, nonce=nonce)
        self.send("bob", confirm)
        return order, Hash(b.hex())

    def _ordering(self, batch: Id) -> data.PlaceOrder:
        public = public_key_of(secrets.token_bytes(32))
        return data.PlaceOrder(
            owner=self.addresses["alice"],
            schema=EGGS,
            fields=(COUNT,),
            purpose=RESEARCH,
            mode=VIEW,
            batches=(batch,),
            asset=self.coin,
            price=Amount("20.00"),
            fee=Amount("1.00"),
            deletion_bond=Amount("5.00"),
            request_hash=Hash(secrets.token_hex(32)),
            buyer_key=PublicKey(encode_base64url(public)),
            seal_by=Time(self.chain.now() + HOUR_MS),
            delete_by=Time(self.chain.now() + 10 * DAY_MS),
        )

    def row(self, order: Id) -> data.Order:
        """An order on the ledger of the first validator."""
        found = self.chain.query(data.order, order)
        assert found is not None
        return found

    def grown(self) -> int:
        """Milliseconds by which deadlines have grown."""
        clock = self.chain.query(data.clock)
        assert clock is not None
        return int(clock.grown)

    # Halts

    def pause(self) -> None:
        """Two of four do nothing: no block is made."""
        for name in self._last_two():
            self.network.process(name).pause()

    def resume(self) -> None:
        """They go on."""
        for name in self._last_two():
            self.network.process(name).resume()

    def _last_two(self) -> list[str]:
        return [one.name for one in self.network.plan.members[2:]]

    def until_pending(self, transaction: bytes) -> None:
        """Wait until the first validator's mempool has a transaction."""
        name, expires = id_and_expiry(transaction)
        while self.chain.status(name, expires).state != "pending":
            threading.Event().wait(LOOK_S)

    def until_past(self, deadline: int) -> None:
        """Wait until the clocks on the wall have passed a deadline."""
        while time.time_ns() // 1_000_000 <= deadline:
            threading.Event().wait(LOOK_S)

    def reach(self, order: Id, phase: str) -> None:
        """Wait until an order has come to a phase, on a network that nobody uses meanwhile."""
        while self.row(order).phase != phase:
            threading.Event().wait(LOOK_S)
