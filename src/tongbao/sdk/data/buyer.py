"""A buyer: ask, order, fetch, confirm, open, accept or claim, delete; each step can be killed.

    with OrdersFolder.open(path, passphrase) as folder:
        buyer = Buyer(chain, wallet, folder, {agent: "https://agent.example"})
        asked = buyer.request(terms)
        order = buyer.order(asked, deletion_bond=Amount("5.00"))
        buyer.fetch(order)       # once the agent has sealed; checks everything, or raises
        buyer.confirm(order)
        for row in buyer.rows(order): ...   # once `b` is published; judged first
        buyer.accept(order)

Every step can be taken again: it says so where it was taken, and goes on where it was killed.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct
from msgspec.structs import replace

from tongbao.kernel import Address, Amount, Hash, Id, PublicKey, Time
from tongbao.kernel.envelope import encode_base64url
from tongbao.modules import data
from tongbao.rights.chunk_file import ChunkFile
from tongbao.rights.envelope import BadEnvelope, take_out_of_envelope
from tongbao.rights.judge import Verdict, delivery_is_committed, judge
from tongbao.rights.opened import BoughtRow, bought_rows
from tongbao.rights.receipt import BadReceipt, ReceiptDiffers, check_receipt
from tongbao.rights.requests import (
    DataRequest,
    read_request,
    request_bytes,
    request_hash,
)
from tongbao.sdk.client import Client
from tongbao.sdk.data import ending
from tongbao.sdk.data.agent_client import AgentAway, AgentClient, AgentRefused
from tongbao.sdk.data.facts import (
    NotFetched,
    NotThere,
    all_of,
    commitments_of,
    order_row,
    ordered,
    sealed_of,
)
from tongbao.sdk.data.fetching import DeliveryDiffers, fetch_chunks
from tongbao.sdk.data.orders_folder import Asked, Deal, OrdersFolder, Placing
from tongbao.sdk.data.rows_files import write_rows
from tongbao.sdk.data.sending import Sender
from tongbao.sdk.signer import Signer
from tongbao.sdk.wallet import Wallet

SEAL_MS: Final = 86_400_000
"""How long an agent has to seal, unless told otherwise: a day."""


PAGES_AT_ONCE: Final = 1_000
"""Pages of deliveries that one pull asks an agent for: one that has no end stops nobody."""


class NoAgent(LookupError):
    """No offer of the owner's covers a request, or it is not known where its agent is."""

    exit_code = 4


class RequestIsUsed(Exception):
    """An agent has sealed an order of a request: it seals no other, which would only bind money."""

    exit_code = 1
    advice = "ask anew: `tongbao data-buyer request ...`, and order that"


class Pulled(Struct, frozen=True):
    """One delivery that was looked at: `why` is empty where the package is here and right."""

    order: str
    why: str = ""


class Buyer:
    """What one enterprise does with its orders. Not for two threads at once."""

    def __init__(
        self,
        chain: Client,
        wallet: Wallet,
        folder: OrdersFolder,
        agents: Mapping[str, str],
    ) -> None:
        """Buy as the wallet's account; `agents` are addresses of agents and where they are."""
        self.chain = chain
        self.wallet = wallet
        self.folder = folder
        self.agents = dict(agents)
        self.sender = Sender(chain, wallet, folder)

    @property
    def signer(self) -> Signer:
        """The key that signs requests: the wallet's first."""
        return self.wallet.signers[0]

    # Asking and ordering

    def request(self, request: DataRequest, agent: str | None = None) -> str:
        """Let the agent of a covering offer (or of this address) hear a request; its hash.

        Raises NoAgent, AgentRefused with the number of the rule that refuses it, AgentAway.
        """
        chosen = agent or self._agent_for(request)
        text = request_bytes(request)
        found = request_hash(request).hex()
        with self.agent(chosen) as asked:
            if asked.request(text) != found:
                raise AgentAway("the agent answers with the hash of another request")
        self.folder.keep_request(found, Asked(agent=chosen, text=text.decode()))
        return found

    def order(self, request: str, *, deletion_bond: Amount, seal_by: int | None = None) -> str:
        """Order what was requested under a new key, and set price and bond aside; the order's id.

        A request is good for one order: asked again while that is open, it is the answer.

        Raises UnknownOrder for a request that was not made here, RequestIsUsed, Refused,
        Unreachable.
        """
        terms = read_request(self.folder.request(request).text.encode())
        self.sender.resume()
        known = self._ordered(request)
        if known is not None:
            return known
        secret = X25519PrivateKey.generate()
        public = encode_base64url(secret.public_key().public_bytes_raw())
        message = data.PlaceOrder(
            owner=terms.owner,
            schema=data.Schema(terms.schema),
            fields=tuple(map(data.Field, terms.fields)),
            purpose=data.Purpose(terms.purpose),
            mode=data.Mode(terms.mode),
            batches=tuple(map(Id, terms.batches)),
            asset=terms.asset,
            price=terms.price,
            fee=terms.fee,
            deletion_bond=deletion_bond,
            request_hash=Hash(request),
            buyer_key=PublicKey(public),
            seal_by=Time(seal_by or self.chain.now() + SEAL_MS),
            delete_by=Time(terms.delete_by),
        )
        placing = Placing(
            request_hash=request, secret=secret.private_bytes_raw().hex(), public=public
        )
        return self.sender.place(message, placing)

    def _ordered(self, request: str) -> str | None:
        """The open order of a request. Raises RequestIsUsed for one that was sealed."""
        for order in self.folder.orders():
            if self.folder.deal(order).request_hash != request:
                continue
            row = order_row(self.chain, order)
            if row.phase == "open":
                return order
            if row.package_root is not None:
                raise RequestIsUsed(f"order {order} was sealed for this request")
        return None

    def cancel(self, order: str) -> None:
        """Take an order back that was not confirmed. Raises Refused, Unreachable."""
        self.sender.send(data.CancelOrder(order=Id(order)), order)

    def phase(self, order: str) -> str:
        """How far an order is on the ledger. Raises NotThere."""
        return str(order_row(self.chain, order).phase)

    # Fetching and confirming

    def fetch(self, order: str) -> Path:
        """Have the package, the receipt and `a` of a sealed order, all of them checked.

        Raises NotThere before it is sealed, DeliveryDiffers, AgentRefused, AgentAway. May be called
        again: what is here and right is not fetched anew.
        """
        deal, row = self.folder.deal(order), order_row(self.chain, order)
        sealed = sealed_of(order, row)
        path = self.folder.package(order)
        if deal.a and self.is_fetched(order, row):
            return path
        with self.agent(deal.agent) as agent:
            delivery = agent.delivery(order)
            self._check_receipt(order, row, deal, delivery.receipt.encode())
            if delivery.order != order or delivery.chunks != sealed.chunk_count:
                raise DeliveryDiffers(f"the agent delivers another package for order {order}")
            a = self._a(order, row, deal, delivery.envelope)
            fetch_chunks(agent, order, sealed.chunk_count, sealed.package_root, path)
        self.folder.keep_deal(order, replace(deal, a=a.hex(), receipt=delivery.receipt))
        return path

    def is_fetched(self, order: str, row: data.Order | None = None) -> bool:
        """Whether package and `a` are here, and are those that the ledger was told of."""
        deal, path = self.folder.deal(order), self.folder.package(order)
        if not deal.a or not path.exists():
            return False
        sealed = sealed_of(order, row or order_row(self.chain, order))
        return delivery_is_committed(
            bytes.fromhex(order), sealed, bytes.fromhex(deal.a), ChunkFile(path)
        )

    def confirm(self, order: str) -> None:
        """Say that the package is here, which obliges to pay once `b` is published.

        Raises NotFetched, Refused, Unreachable.
        """
        row = order_row(self.chain, order)
        if not self.is_fetched(order, row):
            raise NotFetched(f"the package of order {order} is not here")
        assert row.grant_hash is not None and row.package_root is not None
        message = data.Confirm(
            order=Id(order),
            grant_hash=row.grant_hash,
            package_root=row.package_root,
            nonce=data.Nonce(secrets.token_hex(16)),
        )
        self.sender.send(message, order)

    # Opening, accepting, claiming

    def verdict(self, order: str) -> Verdict:
        """What `judge` says of the package. Raises NotThere before Reveal, NotFetched."""
        row = order_row(self.chain, order)
        commitments = commitments_of(order, row)
        a, chunks = self.package(order)
        return judge(ordered(self.chain, order, row), commitments, a, chunks)

    def rows(self, order: str) -> Iterator[BoughtRow]:
        """The rows of a package that is what was ordered; judged before the first is given.

        Raises Faulty with the verdict to claim by, NotThere before Reveal, NotFetched.
        """
        row = order_row(self.chain, order)
        commitments = commitments_of(order, row)
        a, chunks = self.package(order)
        return bought_rows(ordered(self.chain, order, row), commitments, a, chunks)

    def write(self, order: str, path: Path) -> int:
        """Write the rows to a .jsonl or .csv file, which `delete` will remove; how many.

        Raises FileExistsError where there is a file of something else.
        """
        deal, row = self.folder.deal(order), order_row(self.chain, order)
        place = str(path.absolute())
        if place not in deal.files:
            if path.exists():
                raise FileExistsError(f"{path} is there, and has no rows of order {order}")
            self.folder.keep_deal(order, replace(deal, files=(*deal.files, place)))
        return write_rows(path, row.fields, self.rows(order))

    def accept(self, order: str) -> None:
        """Say before the deadline that the package is what was ordered; the owner has earned."""
        self.sender.send(data.Accept(order=Id(order)), order)

    def claim(self, order: str, *, in_spite: bool = False) -> Verdict:
        """Say that the package is faulty, and set the deposit aside: see `ending.claim`."""
        return ending.claim(self, order, in_spite=in_spite)

    def show_panel(self, order: str, panels: Mapping[str, str]) -> dict[str, str]:
        """Send the evidence of a claim to the panel's programs: see `ending.show_panel`."""
        return ending.show_panel(self, order, panels)

    def attest_deletion(self, order: str) -> bytes:
        """Delete what an order brought, then attest it: see `ending.attest_deletion`."""
        return ending.attest_deletion(self, order)

    def package(self, order: str) -> tuple[bytes, ChunkFile]:
        """`a` and the chunks. Raises NotFetched."""
        deal, path = self.folder.deal(order), self.folder.package(order)
        if not deal.a or not path.exists():
            raise NotFetched(f"the package of order {order} is not here")
        return bytes.fromhex(deal.a), ChunkFile(path)

    # Many orders

    def pull(self) -> Iterator[Pulled]:
        """Fetch all that agents have sealed since the last time, each agent after its cursor.

        A cursor is written down once its delivery is here, or is known to be wrong. An agent that
        does not answer is told of without an order, and asked again the next time.
        """
        self.sender.resume()
        asked = {self.folder.deal(order).agent for order in self.folder.orders()}
        for address in sorted(asked & self.agents.keys()):
            try:
                yield from self._pull(address)
            except (AgentAway, AgentRefused) as error:
                yield Pulled("", f"agent {address}: {error}")

    def _pull(self, address: str) -> Iterator[Pulled]:
        cursors = self.folder.cursors()
        with self.agent(address) as agent:
            for _ in range(PAGES_AT_ONCE):
                page = agent.deliveries(cursors.get(address)).deliveries
                if not page:
                    return
                for one in page:
                    if one.cursor == cursors.get(address):
                        raise AgentAway("its deliveries come again and again")
                    yield self._look_at(one.order)
                    cursors[address] = one.cursor
                    self.folder.keep_cursors(cursors)

    def _look_at(self, order: str) -> Pulled:
        if order not in self.folder.orders():
            return Pulled(order, "this folder has not placed it")
        if self.folder.deal(order).attestation:
            return Pulled(order, "it was deleted")
        try:
            self.fetch(order)
        except (DeliveryDiffers, AgentRefused, NotThere) as error:
            return Pulled(order, str(error))
        return Pulled(order)

    def stream(self, name: str, *, again: bool = False) -> dict[str, str]:
        """Order each new batch of a stream that the folder has: see `ending.order_due`."""
        return ending.order_due(self, name, again=again)

    # Agents

    def agent(self, address: str) -> AgentClient:
        """An agent, asked as the wallet's account. Raises NoAgent."""
        url = self.agents.get(address)
        if url is None:
            raise NoAgent(f"it is not known where agent {address} is: --agent {address}=URL")
        return AgentClient(url, self.signer, self.wallet.address)

    def _agent_for(self, request: DataRequest) -> Address:
        """Who seals for the first offer of the owner's that covers a request."""
        for _, offer in all_of(self.chain, data.offers_of, owner=request.owner):
            covers = (
                offer.schema == request.schema
                and offer.mode == request.mode
                and request.purpose in offer.purposes
                and set(request.fields) <= set(offer.fields)
            )
            if covers:
                return offer.agent or request.owner
        raise NoAgent(f"no offer of {request.owner} covers schema, fields, purpose and mode")

    def _check_receipt(self, order: str, row: data.Order, deal: Deal, receipt: bytes) -> None:
        """Whether a receipt is of what was asked, ordered and sealed. Raises DeliveryDiffers."""
        request = read_request(self.folder.request(deal.request_hash).text.encode())
        try:
            check_receipt(receipt, Id(order), row, request)
        except (BadReceipt, ReceiptDiffers) as error:
            raise DeliveryDiffers(f"the receipt of order {order}: {error}") from None

    def _a(self, order: str, row: data.Order, deal: Deal, envelope: str) -> bytes:
        assert row.grant_hash is not None
        try:
            return take_out_of_envelope(
                bytes.fromhex(deal.secret),
                bytes.fromhex(envelope),
                bytes.fromhex(order),
                bytes.fromhex(row.grant_hash),
                sealed_of(order, row),
            )
        except (BadEnvelope, ValueError) as error:
            raise DeliveryDiffers(f"order {order}: {error}") from None
