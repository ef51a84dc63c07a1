"""A market of real processes for `bench.grants`: a node, a store, an agent, and households."""

from __future__ import annotations

import os
import re
import secrets
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, TypeVar

import httpx2
from msgspec import Struct

from bench.node import CHEAP, PASSPHRASE, Node, running
from bench.workload import AUTHORITY
from tongbao.engines.solo.engine import wall_clock
from tongbao.kernel import Address, Amount, AssetCode, AssetId, Hash, Id, Reference, Small, Time
from tongbao.kernel.genesis import section
from tongbao.modules import asset, data, member
from tongbao.modules.registry import registry
from tongbao.rights.batch import Batch, Origin, Period, commitment_of, make_batch
from tongbao.rights.copies import copy_text
from tongbao.rights.parcel import seal_parcel
from tongbao.rights.requests import DataRequest, Why
from tongbao.rights.schema import Field, FieldName, Row, Schema, SchemaName, event_hash
from tongbao.sdk.exchange_keys import ledger_exchange_key
from tongbao.sdk.folder import Folder
from tongbao.sdk.genesis_builder import build_genesis, genesis_address, single_key
from tongbao.sdk.http import HttpChain
from tongbao.sdk.signed_requests import SigningAuth
from tongbao.services.data_agent.folder import Settings, create
from tongbao.services.data_store.folder import StoreFolder
from tongbao.testing.keys import named_key

BUYERS: Final = 4
ROWS: Final = 30
DAY_MS: Final = 86_400_000
SERVED: Final = re.compile(r"served at (https?://[0-9.:]+)")
SCHEMA: Final = Schema(
    SchemaName("eggs.1"), (Field(FieldName("day"), "date"), Field(FieldName("count"), "integer"))
)
NAME: Final = data.Schema("eggs.1")
FIELDS: Final = (data.Field("count"),)
PURPOSE: Final = data.Purpose("dpv:AcademicResearch")
MODE: Final = data.Mode("view")
REGION: Final = data.Region("CN")
PRICE: Final = Amount("2.00")
START_S: Final = 60
AT_ONCE: Final = 4

T = TypeVar("T")


class Household(Struct, frozen=True):
    """A person with one month at the agent."""

    address: Address
    batch: Id


class Market:
    """Everything that runs, and who is there: bank, agent, buyers, households."""

    def __init__(self, chain: HttpChain, node: Node, store: str, households: int) -> None:
        """The accounts of a genesis of so many households."""
        self.chain = chain
        self.node = node
        self.store = store
        self.names = names_of(households)
        self.place = {name: genesis_address(at) for at, name in enumerate(self.names)}
        self.cny = AssetId(f"CNY.{self.place['bank']}")
        self.programs: dict[str, subprocess.Popen[str]] = {}
        self.agent = ""
        self.households: list[Household] = []

    def begin(self) -> None:
        """Money, a schema, buyers, and the agent's bond."""
        bank = self.chain.wallet(self.place["bank"], named_key("bank"))
        bank.send(asset.Define(code=AssetCode("CNY"), scale=Small(2)))
        for name in ("agent", *(f"buyer-{at}" for at in range(BUYERS))):
            bank.send(
                asset.Issue(
                    asset=self.cny,
                    amount=Amount("1000000.00"),
                    payee=self.place[name],
                    reference=Reference(name),
                )
            )
        bank.send(data.DefineSchema(schema=NAME, fields=(data.Field("day"), *FIELDS)))
        for at in range(BUYERS):
            bank.send(
                data.RegisterEnterprise(
                    enterprise=self.place[f"buyer-{at}"],
                    region=REGION,
                    purposes=(PURPOSE,),
                    asks=(data.Ask(schema=NAME, fields=FIELDS),),
                )
            )
        agent = self.chain.wallet(self.place["agent"], named_key("agent"))
        agent.send(data.PostBond(asset=self.cny, amount=Amount("500000.00")))

    def settle_in(self) -> None:
        """Each household commits a month, offers it, and brings the agent a copy."""
        homes = [name for name in self.names if name.startswith("home-")]
        with ThreadPoolExecutor(AT_ONCE) as pool:
            parts = pool.map(self._some, [homes[at::AT_ONCE] for at in range(AT_ONCE)])
        self.households = [one for part in parts for one in part]

    def _some(self, homes: Sequence[str]) -> list[Household]:
        with HttpChain(self.node.address) as chain, httpx2.Client(base_url=self.agent) as client:
            statement = client.get("/v1/key").content
            key = ledger_exchange_key(chain, statement, self.place["agent"], chain.now())
            return [self._home(chain, client, key, name) for name in homes]

    def _home(self, chain: HttpChain, client: httpx2.Client, key: bytes, name: str) -> Household:
        owner, month = self.place[name], month_of(name, self.place[name])
        commitment = commitment_of(month.header)
        commit = data.Commit(
            owner=owner,
            subject=month.header.subject,
            schema=NAME,
            period=data.Period("2026-10"),
            version=data.Version(1),
            commitment=Hash(commitment.hex()),
            method=data.Method("self"),
        )
        applied = chain.wallet(owner, named_key(name)).send(commit, self._offer())
        batch = Id(applied.receipt.ids[0])
        text = copy_text(month, FIELDS, batch_id=batch, owner=owner, attestation=None)
        answer = client.put(
            f"/v1/copies/{batch}",
            content=seal_parcel("copy", commitment, key, text),
            auth=SigningAuth(named_key(name), owner),
        )
        answer.raise_for_status()
        return Household(owner, batch)

    def _offer(self) -> data.MakeOffer:
        return data.MakeOffer(
            schema=NAME,
            fields=FIELDS,
            purposes=(PURPOSE,),
            mode=MODE,
            regions=(REGION,),
            retention_ms=data.Lasting(30 * DAY_MS),
            asset=self.cny,
            price=PRICE,
            floor=PRICE,
            daily_cap=data.DailyCap(1_000),
            expires_at=Time(self.chain.now() + 60 * DAY_MS),
            agent=self.place["agent"],
        )

    def request(self, buyer: Address, home: Household) -> DataRequest:
        """What a buyer asks a household for."""
        return DataRequest(
            asset=self.cny,
            batches=(home.batch,),
            buyer=buyer,
            chain=self.chain.id,
            delete_by=Time(self.chain.now() + 10 * DAY_MS),
            fee=Amount("0.10"),
            fields=FIELDS,
            mode=MODE,
            owner=home.address,
            price=PRICE,
            purpose=PURPOSE,
            schema=NAME,
            why=Why("We study how many eggs people eat."),
        )


def names_of(households: int) -> list[str]:
    """Everybody, in the order of the genesis file."""
    buyers = [f"buyer-{at}" for at in range(BUYERS)]
    return ["bank", "agent", *buyers, *(f"home-{at}" for at in range(households))]


def month_of(name: str, owner: Address) -> Batch:
    """A month of a household's own rows."""
    key = named_key(name).public_key
    rows = [
        Row(event_hash(key, b"%d" % at), (f"2026-10-{at % 28 + 1:02}", at % 7))
        for at in range(ROWS)
    ]
    subject = Hash(named_key(f"subject of {name}").seed.hex())
    origin = Origin(period=Period("2026-10"), source=owner, subject=subject)
    return make_batch(SCHEMA, origin, rows, secrets.token_bytes(32), secrets.token_bytes(16))


@contextmanager
def market(place: Path, households: int) -> Iterator[Market]:
    """A node, a store and an agent in processes of their own, with everybody settled in."""
    names = names_of(households)
    accounts = tuple(single_key(named_key(name).key_id) for name in names)
    base = "BENCHM000000000000"
    bank = member.FirstMember(
        lei=member.Lei(base + member.check_digits_of(base)),
        name=member.MemberName("Bank"),
        accounts=(genesis_address(0),),
        roles=(member.Role(data.REGISTRAR),),
    )
    start = section("member", member.Start(members=(bank,)))
    genesis = build_genesis(
        *(registry(), "bench", wall_clock(), AUTHORITY.key_id, accounts),
        {data.DELETION_MS.name: 1},
        (start,),
    )
    folder = place / "chain"
    folder.mkdir(parents=True)
    Folder(folder).lay_out(genesis)
    with ExitStack() as ending:
        node = ending.enter_context(running(folder))
        kept = StoreFolder(place / "store")
        kept.lay_out(is_open=True)
        words = ("data-store", "run", "--folder", str(place / "store"), "--port", "0")
        store, address = ending.enter_context(program(place, *words))
        chain = ending.enter_context(HttpChain(node.address))
        found = Market(chain, node, address, households)
        found.begin()
        settings = Settings(
            account=found.place["agent"], chain=chain.id, node=node.address, store=address
        )
        create(place / "agent", settings, named_key("agent").seed, PASSPHRASE, CHEAP)
        words = ("data-agent", "run", "--agent", str(place / "agent"), "--port", "0")
        agent, found.agent = ending.enter_context(program(place, *words))
        found.programs = {"store": store, "agent": agent}
        found.settle_in()
        yield found


@contextmanager
def program(place: Path, *words: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """A program of `tongbao`, and where it serves."""
    said = place / f"{words[0]}.log"
    with said.open("w") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "tongbao.cli.main", *words],
            env={**os.environ, "TONGBAO_PASSPHRASE": PASSPHRASE},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=log,
            text=True,
        )
        try:
            yield process, eventually(lambda: _served(process, said))
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(START_S)
            finally:
                process.kill()
                process.wait()


def _served(process: subprocess.Popen[str], said: Path) -> str | None:
    assert process.poll() is None, f"it has ended:\n{said.read_text()}"
    found = SERVED.search(said.read_text())
    return found[1] if found else None


def eventually(look: Callable[[], T | None]) -> T:
    """What a look finds, as soon as it finds something."""
    never = threading.Event()
    for _ in range(START_S * 20):
        found = look()
        if found is not None:
            return found
        never.wait(0.05)
    raise AssertionError(f"nothing within {START_S} s")
