"""A market for data of real processes: a node, a store, an agent; the test plays everybody else."""

from __future__ import annotations

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import httpx2
import msgspec
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey

from tests.modules.data_steps import CHINA, COUNT, DAY, DAY_MS, EGGS, RESEARCH, SCAN, VIEW
from tests.modules.member_steps import admitting, lei
from tests.node.process import running
from tests.sdk.kept_chain import CHEAP, PASSPHRASE
from tests.services.data_agent.programs import Program, program
from tests.services.data_agent.users import give
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import (
    Amount,
    AssetCode,
    AssetId,
    Hash,
    Id,
    Message,
    PublicKey,
    Reference,
    Registry,
    Small,
    Time,
)
from tongbao.kernel.genesis import section
from tongbao.localnet.ports import free_ports
from tongbao.modules import asset, data, governance, member
from tongbao.modules.governance import Delay
from tongbao.modules.registry import MODULES
from tongbao.rights.attestation import Attestation, sign_attestation
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.copies import copy_text
from tongbao.rights.parcel import seal_parcel
from tongbao.rights.requests import DataRequest, Why, request_bytes, request_hash
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash
from tongbao.sdk.exchange_keys import ledger_exchange_key
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import AUTHORITY, make_folder
from tongbao.sdk.signed_requests import SigningAuth
from tongbao.services.data_agent.folder import Settings, create
from tongbao.services.data_store.folder import StoreFolder
from tongbao.testing.keys import named_key

PEOPLE: Final = ("bank", "alice", "bob", "carol", "club", "mallory")
"""The bank registers and supervises, alice owns, bob buys, carol is her agent, the club attests."""
ADDRESSES: Final = {name: genesis_address(place) for place, name in enumerate(PEOPLE)}
CNY: Final = AssetId(f"CNY.{ADDRESSES['bank']}")
SCHEMA: Final = Schema(
    SchemaName(EGGS), (Field(FieldName(DAY), "date"), Field(FieldName(COUNT), "integer"))
)
WHY: Final = Why("We study how many eggs people eat.")
MINUTE_MS: Final = 60_000
QUICK: Final = {data.MARGIN_MS.name: MINUTE_MS, data.DELETION_MS.name: 1}


class Market:
    """The chain of a node, the address of a store, and an agent that can be started and killed."""

    def __init__(self, place: Path, chain: HttpChain, node: str, store: str) -> None:
        """Set the market up: members, a schema, bonds, alice's offer to carol."""
        self.place = place
        self.chain = chain
        self.node = node
        self.store = store
        self.wallets = {
            name: chain.wallet(address, named_key(name)) for name, address in ADDRESSES.items()
        }
        self.agent_folder = place / "agent"
        settings = Settings(account=ADDRESSES["carol"], chain=chain.id, node=node, store=store)
        create(self.agent_folder, settings, named_key("carol").seed, PASSPHRASE, CHEAP)
        self.agent: Program | None = None
        [self.port] = free_ports(1)
        self.storage: Program | None = None
        self.batches: dict[Id, Batch] = {}
        self.march = Id("")
        self._begin()

    def send(self, who: str, *messages: Message) -> tuple[str, ...]:
        """Send as somebody; the ids that were made."""
        return tuple(self.wallets[who].send(*messages).receipt.ids)

    def _begin(self) -> None:
        self.send("bank", asset.Define(code=AssetCode("CNY"), scale=Small(2)))
        for name in ("bob", "carol", "club"):
            issued = asset.Issue(
                asset=CNY,
                amount=Amount("100000.00"),
                payee=ADDRESSES[name],
                reference=Reference(name),
            )
            self.send("bank", issued)
        roles = {"bank": (data.REGISTRAR, member.SUPERVISOR), "club": (member.DATA_SOURCE,)}
        actions = tuple(
            admitting(lei(number), (ADDRESSES[name],), given)
            for number, (name, given) in enumerate(roles.items())
        )
        closes = Time(self.chain.now() + DAY_MS)
        self.send("bank", governance.Propose(actions=actions, closes_at=closes))
        self.send("bank", asset.Define(code=AssetCode("USD"), scale=Small(2)))
        self.send("bank", data.DefineSchema(schema=EGGS, fields=(DAY, COUNT)))
        self.send("bank", self.registering())
        self.send("club", data.PostBond(asset=CNY, amount=Amount("50.00")))
        self.send(
            "bank",
            data.AdmitSource(
                source=ADDRESSES["club"],
                schema=EGGS,
                method=SCAN,
                volume=data.Volume(1_000),
                asset=CNY,
                bond=Amount("50.00"),
            ),
        )
        self.send("carol", data.PostBond(asset=CNY, amount=Amount("50000.00")))
        self.offer = self.send("alice", self.offering())[0]

    def registering(self, **changes: Any) -> data.RegisterEnterprise:
        """The message that registers bob."""
        usual = data.RegisterEnterprise(
            enterprise=ADDRESSES["bob"],
            region=CHINA,
            purposes=(RESEARCH,),
            asks=(data.Ask(schema=EGGS, fields=(COUNT,)),),
        )
        return msgspec.structs.replace(usual, **changes)

    def offering(self, **changes: Any) -> data.MakeOffer:
        """The message of alice's offer."""
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
            agent=ADDRESSES["carol"],
        )
        return msgspec.structs.replace(usual, **changes)

    # The agent

    def start(self, user: str | None = None) -> Program:
        """Start the agent's program."""
        words = ("data-agent", "run", "--agent", str(self.agent_folder), "--port", str(self.port))
        self.agent = Program(*words, user=user)
        return self.agent

    def again(self) -> None:
        """Kill the agent, and start it."""
        self.end()
        self.start()

    def end(self) -> None:
        """End the agent where it runs."""
        if self.agent is not None and self.agent.process.poll() is None:
            self.agent.kill()

    def asking(self, who: str) -> httpx2.Client:
        """Ask the agent as somebody."""
        assert self.agent is not None
        auth = SigningAuth(named_key(who), ADDRESSES[who])
        return httpx2.Client(base_url=self.agent.address, auth=auth, timeout=60)

    # Alice and the club

    def committed(self, month: str, counts: Sequence[int], repeats: Id | None = None) -> Id:
        """A month of alice's at the club, on the ledger; its first event may be another's, too."""
        rows = [
            Row(
                event_hash(named_key("club").public_key, f"{month}/{number}".encode()),
                (f"{month}-{number % 28 + 1:02}", count),
            )
            for number, count in enumerate(counts)
        ]
        if repeats is not None:
            rows[0] = Row(self.batches[repeats].rows[0].event, rows[0].values)
        origin = Origin(
            period=Period(month),
            source=ADDRESSES["club"],
            subject=Hash(named_key(month).seed.hex()),
        )
        batch = make_batch(SCHEMA, origin, rows, secrets.token_bytes(32), secrets.token_bytes(16))
        commit = data.Commit(
            owner=ADDRESSES["alice"],
            subject=batch.header.subject,
            schema=EGGS,
            period=data.Period(month),
            version=data.Version(1),
            commitment=Hash(commitment_of(batch.header).hex()),
            method=SCAN,
        )
        (name,) = self.send("club", commit)
        self.batches[Id(name)] = batch
        return Id(name)

    def parcel(self, name: Id, fields: Sequence[str] = (COUNT,), owner: str = "alice") -> bytes:
        """A parcel for the agent with a copy of a batch."""
        batch = self.batches[name]
        header = batch.header
        attested = Attestation(
            about="person",
            batch=Hash(commitment_of(header).hex()),
            iat=1,
            iss=header.source,
            method="scan",
            period=header.period,
            schema=header.schema,
            sub=header.subject,
            version=1,
        )
        text = copy_text(
            batch,
            fields,
            batch_id=name,
            owner=ADDRESSES[owner],
            attestation=sign_attestation(attested, named_key("club").seed),
        )
        with self.asking(owner) as client:
            statement = client.get("/v1/key").content
        key = ledger_exchange_key(self.chain, statement, ADDRESSES["carol"], self.chain.now())
        return seal_parcel("copy", commitment_of(header), key, text)

    def bring(self, name: Id, fields: Sequence[str] = (COUNT,), owner: str = "alice") -> Any:
        """Give the agent a copy; its answer."""
        parcel = self.parcel(name, fields, owner)
        with self.asking(owner) as client:
            return client.put(f"/v1/copies/{name}", content=parcel)

    # Bob

    def request(self, *batches: Id, **changes: Any) -> DataRequest:
        """What bob asks for."""
        usual = DataRequest(
            asset=CNY,
            batches=batches,
            buyer=ADDRESSES["bob"],
            chain=self.chain.id,
            delete_by=Time(self.chain.now() + 10 * DAY_MS),
            fee=Amount("1.00"),
            fields=(COUNT,),
            mode=VIEW,
            owner=ADDRESSES["alice"],
            price=Amount("20.00"),
            purpose=RESEARCH,
            schema=EGGS,
            why=WHY,
        )
        return msgspec.structs.replace(usual, **changes)

    def ask(self, request: DataRequest, who: str = "bob") -> Any:
        """Let the agent hear a request; its answer."""
        with self.asking(who) as client:
            return client.post("/v1/requests", content=request_bytes(request))

    def order(self, request: DataRequest, secret: bytes, **changes: Any) -> Id:
        """Bob's order of a request, under the key of a secret."""
        public = X25519PrivateKey.from_private_bytes(secret).public_key().public_bytes_raw()
        usual = data.PlaceOrder(
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
            buyer_key=PublicKey(urlsafe_b64encode(public).decode().rstrip("=")),
            seal_by=Time(self.chain.now() + 30 * MINUTE_MS),
            delete_by=request.delete_by,
        )
        return Id(self.send("bob", msgspec.structs.replace(usual, **changes))[0])

    def shown(self, order: Id) -> data.Order:
        """An order as it is."""
        found = self.chain.query(data.order, order)
        assert found is not None
        return found

    def reach(self, order: Id, *phases: str) -> data.Order:
        """An order once it has come to one of some phases, however long that takes."""
        for _ in self.chain.happenings("0.0", thing=order):
            found = self.shown(order)
            if found.phase in phases:
                return found
        raise AssertionError("the chain was closed")


@contextmanager
def market(
    place: Path, parameters: dict[str, int] | None = None, user: str | None = None
) -> Iterator[Market]:
    """A node, a store (a user's, if one is named) and a folder of an agent, while it lasts."""
    folder = place / "chain"
    make_folder(folder)
    authority = Keystore(folder / "keys", CHEAP).create(AUTHORITY, PASSPHRASE)
    start = governance.Start(operators=(ADDRESSES["bank"],), threshold=Small(1), delay_ms=Delay(0))
    accounts = tuple(single_key(named_key(name).key_id) for name in PEOPLE)
    genesis = build_genesis(
        *(Registry(MODULES), "market", wall_clock(), authority.key_id, accounts),
        QUICK | (parameters or {}),
        (section("governance", start),),
    )
    Folder(folder).lay_out(genesis)
    with ExitStack() as ending:
        node = ending.enter_context(running(folder))
        store = ending.enter_context(storing(place / "store", user))
        chain = ending.enter_context(HttpChain(node.address))
        found = Market(place, chain, node.address, store.address)
        found.storage = store
        ending.callback(found.end)
        yield found


@contextmanager
def storing(folder: Path, user: str | None = None, *flags: str) -> Iterator[Program]:
    """A store that serves any space."""
    made = StoreFolder(folder)
    made.lay_out(is_open=True)
    if user is not None:
        give(made.path, user)
        give(made.erasures, user)
    words = ("data-store", "run", "--folder", str(folder), "--port", "0")
    with program(*words, *flags, user=user) as store:
        yield store
