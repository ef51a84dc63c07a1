"""What enterprises do: order in waves, check and confirm, open what was bought, delete it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final

from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from msgspec import Struct

from tongbao.demo.market.opening import CHEAP, Market, Tell, groups
from tongbao.demo.market.parties import DELETION_BOND, KEEP_MS, Household, fee_of
from tongbao.demo.market.phases import Phases
from tongbao.kernel import Address, Amount, Hash, Id, PublicKey, Time
from tongbao.kernel.envelope import encode_base64url
from tongbao.modules import data
from tongbao.rights.requests import DataRequest, Why, request_hash
from tongbao.sdk.data.agent_client import AgentRefused
from tongbao.sdk.data.buyer import Buyer
from tongbao.sdk.data.orders_folder import OrdersFolder
from tongbao.sdk.vault import Vault

WAVE: Final = 6
"""Orders of a desk that are under way at once: each phase lasts only seconds here."""
PRIVATE: Final = 0o700
SEAL_MS: Final = 60_000
WHY: Final = Why("We want to know what households eat.")


class Job(Struct, frozen=True, kw_only=True):
    """One thing to buy: rows of some batches, from a household."""

    household: Household
    batches: tuple[Id, ...]
    schema: data.Schema
    fields: tuple[data.Field, ...]
    purpose: data.Purpose
    mode: data.Mode
    price: Amount
    agent: Address


class Bought(Struct, frozen=True, kw_only=True):
    """What became of a job: the order, and how many rows it brought."""

    job: Job
    order: str
    rows: int


class Desk:
    """One account that buys, with a folder of its own. For one thread."""

    def __init__(self, market: Market, label: str, buyer: Buyer, phases: Phases) -> None:
        """Buy as the institution of this label."""
        self.market = market
        self.label = label
        self.buyer = buyer
        self.phases = phases

    def request(self, job: Job) -> DataRequest:
        """What is asked for a job."""
        return DataRequest(
            asset=self.market.usd,
            batches=job.batches,
            buyer=self.buyer.wallet.address,
            chain=self.market.chain.id,
            delete_by=Time(self.market.chain.now() + KEEP_MS // 2),
            fee=fee_of(job.price),
            fields=job.fields,
            mode=job.mode,
            owner=job.household.address,
            price=job.price,
            purpose=job.purpose,
            schema=job.schema,
            why=WHY,
        )

    def order(self, job: Job, seal_by: int | None = None) -> str:
        """Ask the agent, and order."""
        asked = self.buyer.request(self.request(job), job.agent)
        return self.buyer.order(asked, deletion_bond=DELETION_BOND, seal_by=seal_by)

    def buy(self, jobs: Sequence[Job]) -> Iterator[Bought]:
        """Buy in waves: everything is checked, confirmed, opened, judged and accepted."""
        for wave in groups(jobs, WAVE):
            orders = [(job, self.order(job)) for job in wave]
            for _, order in orders:
                self.phases.wait(order, "sealed")
                self.confirm(order)
            for job, order in orders:
                self.phases.wait(order, "revealed")
                rows = sum(1 for _ in self.buyer.rows(order))
                self.buyer.accept(order)
                yield Bought(job=job, order=order, rows=rows)

    def confirm(self, order: str) -> None:
        """Fetch, check, confirm."""
        self.buyer.fetch(order)
        self.buyer.confirm(order)

    def over_ask(self, job: Job) -> int:
        """Ask for what the enterprise is not registered for; the number of the agent's rule."""
        try:
            self.buyer.request(self.request(job), job.agent)
        except AgentRefused as refused:
            return refused.number
        return 0

    def order_unasked(self, job: Job) -> None:
        """Order without a request that an agent has heard. Raises Refused."""
        asked = self.request(job)
        secret = X25519PrivateKey.generate()
        public = encode_base64url(secret.public_key().public_bytes_raw())
        self.buyer.wallet.send(
            data.PlaceOrder(
                owner=asked.owner,
                schema=asked.schema,
                fields=asked.fields,
                purpose=asked.purpose,
                mode=asked.mode,
                batches=asked.batches,
                asset=asked.asset,
                price=asked.price,
                fee=asked.fee,
                deletion_bond=DELETION_BOND,
                request_hash=Hash(request_hash(asked).hex()),
                buyer_key=PublicKey(public),
                seal_by=Time(self.market.chain.now() + SEAL_MS),
                delete_by=asked.delete_by,
            )
        )

    def delete(self) -> int:
        """Delete everything that was bought, and attest it; how many orders."""
        orders = self.buyer.folder.orders()
        for order in orders:
            self.buyer.attest_deletion(order)
        return len(orders)


def buy_together(work: Mapping[str, tuple[Desk, Sequence[Job]]], tell: Tell) -> list[Bought]:
    """All desks buy at the same time."""
    total = sum(len(jobs) for _, jobs in work.values())
    bought: list[Bought] = []
    tell("bought", 0, total)

    stopped = threading.Event()

    def run(desk: Desk, jobs: Sequence[Job]) -> None:
        for one in desk.buy(jobs):
            bought.append(one)
            tell("bought", len(bought), total)
            if stopped.is_set():
                return

    with ThreadPoolExecutor(len(work)) as pool:
        try:
            for done in [pool.submit(run, *each) for each in work.values()]:
                done.result()
        except BaseException:  # of one desk, or Ctrl-C: the others buy no more
            stopped.set()
            raise
    return bought


def delete_together(desks: Sequence[Desk], tell: Tell) -> int:
    """All desks delete what they bought, and attest it."""
    tell("deleted", 0, 1)
    with ThreadPoolExecutor(len(desks)) as pool:
        deleted = sum(pool.map(Desk.delete, desks))
    tell("deleted", deleted, deleted)
    return deleted


@contextmanager
def open_desks(
    market: Market,
    folder: Path,
    secret: str,
    labels: Sequence[str],
    agents: Mapping[Address, str],
    phases: Phases,
) -> Iterator[dict[str, Desk]]:
    """A desk for each label, with a folder of its own under `folder`."""
    with ExitStack() as stack:
        desks = {}
        for label in labels:
            path = folder / label.replace("/", "-")
            orders = stack.enter_context(_new_folder(path, secret))
            where = {str(agent): url for agent, url in agents.items()}
            buyer = Buyer(market.chain, market.wallet(label), orders, where)
            desks[label] = Desk(market, label, buyer, phases)
        yield desks


def _new_folder(path: Path, secret: str) -> OrdersFolder:
    """A buyer's folder whose passphrase costs little."""
    path.mkdir(mode=PRIVATE, parents=True)
    Vault.create(path / "vault", secret, CHEAP).close()
    for name in ("packages", "evidence"):
        (path / name).mkdir(mode=PRIVATE)
    return OrdersFolder.open(path, secret)
