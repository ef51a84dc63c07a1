"""The main job: real baskets as signed payments, proven and compared with the data file.

Each basket is one payment of its exact amount from a household to a store. The household's nonce is
the number of the basket among its own, so the chain itself says where a second start goes on.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter, deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.demo.baskets import Basket, Purchases
from tongbao.demo.expected import expected_totals
from tongbao.demo.failures import DemoError
from tongbao.demo.plan import SCALE, Plan, Step, funding_reference
from tongbao.demo.read_back import PARTIES, Parties, Totals
from tongbao.kernel import Address, Amount, Message, Reference, Time
from tongbao.modules import asset
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.client import Applied, Client
from tongbao.sdk.wallet import EXPIRES_MS, Wallet

BATCH: Final = 250
IN_FLIGHT: Final = 3
"""Batches of payments under way at once. The bank's own transactions go one batch after the other,
since one opens the account that a later one funds."""

INVALID: Final = 3
WRONG: Final = 65
"""Exit codes of the command line: a transaction is invalid; a proof proves nothing."""
GO_ON: Final = "start again: what was paid is durable, and is not paid twice"
DISTRUST: Final = "believe no total of this run; start again, and keep the folder for inquiry"

Progress = Callable[[str, int, int], None]
"""Told a stage's name, how much of it is done, and how much it is."""


class Report(Struct, frozen=True, kw_only=True):
    """What a run did and found. Amounts are cents.

    `payments` are all on the chain; `cost_nothing` are the baskets asked for that need none.
    """

    chain: str
    address: str
    height: int
    payments: int
    carried_now: int
    cost_nothing: int
    cents: int
    seconds: float
    proofs: int
    households: int
    stores: int
    differences: tuple[str, ...]


class Run:
    """One start of the demonstration on an open chain."""

    def __init__(self, chain: Client, bank: Wallet, plan: Plan, progress: Progress) -> None:
        """Carry purchases on `chain` with the parties of `plan`."""
        self.chain = chain
        self.bank = bank
        self.plan = plan
        self.progress = progress

    def prepare(self) -> None:
        """Send what is left of the bank's list: define the asset, open accounts, fund them."""
        done = self.chain.next_nonce(self.bank.address) - 1
        steps = list(self.plan.steps())
        transactions = self._bank_transactions(steps[done:])
        self._send_all("accounts", len(steps) - done, transactions, at_once=1)

    def _bank_transactions(self, steps: list[Step]) -> Iterator[bytes]:
        for step in steps:
            payload = self._payload(self.bank.address, step.nonce, step.messages)
            yield sign(payload, (*self.bank.signers, *step.keys))

    def carry(self, baskets: list[Basket]) -> int:
        """Pay for every basket that is not paid for yet; how many that were."""
        todo = list(self._unpaid(baskets))
        payments = (self._payment(*item) for item in todo)
        self._send_all("baskets", len(todo), payments, at_once=IN_FLIGHT)
        return len(todo)

    def _unpaid(self, baskets: list[Basket]) -> Iterator[tuple[Basket, int]]:
        """The baskets to pay for with their nonces."""
        place: Counter[str] = Counter()
        paid = self.paid_counts({basket.household_id for basket in baskets})
        for basket in baskets:
            if basket.cents == 0:
                continue
            place[basket.household_id] += 1
            if place[basket.household_id] > paid[basket.household_id]:
                yield basket, place[basket.household_id]

    def paid_counts(self, households: set[str]) -> Counter[str]:
        """How many baskets each household has paid for, as the chain says."""
        names = sorted(households)
        with ThreadPoolExecutor(IN_FLIGHT) as pool:
            return Counter(dict(zip(names, pool.map(self._paid_count, names), strict=True)))

    def _paid_count(self, household: str) -> int:
        address = self.plan.parties[f"household/{household}"].address
        return self.chain.next_nonce(address) - 1

    def _payment(self, basket: Basket, nonce: int) -> bytes:
        parties = self.plan.parties
        household = parties[f"household/{basket.household_id}"]
        message = asset.Transfer(
            asset=self.plan.usd,
            amount=Amount.of(basket.cents, SCALE),
            payee=parties[f"store/{basket.store_id}"].address,
            reference=Reference(f"basket-{basket.basket_id}"),
        )
        return sign(self._payload(household.address, nonce, (message,)), (household.key,))

    def _payload(self, sender: Address, nonce: int, messages: tuple[Message, ...]) -> bytes:
        expires = Time(self.chain.now() + EXPIRES_MS)
        return payload_bytes(self.chain.id, sender, nonce, expires, messages)

    def _send_all(
        self, stage: str, total: int, transactions: Iterator[bytes], *, at_once: int
    ) -> None:
        """Keep some batches in flight; on Ctrl-C wait for those that are on their way."""
        done = 0
        self.progress(stage, 0, total)
        under_way: deque[Future[list[Applied | Exception]]] = deque()
        with ThreadPoolExecutor(at_once) as pool:  # waits for what is under way, whatever happens
            while batch := list(islice(transactions, BATCH)):
                under_way.append(pool.submit(self.chain.submit_many, batch))
                if len(under_way) > at_once:
                    done += self._settle(under_way.popleft().result())
                    self.progress(stage, done, total)
            for sent in under_way:
                done += self._settle(sent.result())
                self.progress(stage, done, total)

    def _settle(self, answers: list[Applied | Exception]) -> int:
        for answer in answers:
            if isinstance(answer, Exception):
                code = getattr(answer, "exit_code", INVALID)
                raise DemoError(f"a payment did not happen: {answer}", GO_ON, code) from answer
        return len(answers)

    def reckon(
        self,
        purchases: Purchases,
        asked: list[Basket],
        now: int,
        seconds: float,
        folder: Path,
        address: str,
    ) -> Report:
        """Let a second process prove and add up what the chain says was paid; compare."""
        counts = self.paid_counts(set(self.plan.funds))
        carried = list(_carried(purchases.baskets, counts))
        self.write_parties(folder)
        self.progress("proofs", 0, 1)
        totals = read_back_elsewhere(folder, address)
        self.progress("proofs", totals.proofs, totals.proofs)
        return report_of(self.chain.id, address, asked, carried, now, seconds, totals)

    def write_parties(self, folder: Path) -> None:
        """Tell the second process whose totals to ask for."""
        plan = self.plan
        parties = Parties(
            asset=plan.usd,
            addresses={label: party.address for label, party in plan.parties.items()},
            references={f"household/{name}": funding_reference(name) for name in plan.funds},
        )
        (folder / PARTIES).write_bytes(msgspec.json.encode(parties))


def read_back_elsewhere(folder: Path, address: str) -> Totals:
    """Let a second process ask the node for proofs, verify them and add up. Raises DemoError."""
    command = [sys.executable, "-m", "tongbao.demo.read_back", str(folder), address]
    process = subprocess.run(command, capture_output=True, check=False)
    if process.returncode != 0:
        said = process.stderr.decode().strip().rpartition("\n")[2]
        raise DemoError(f"the second process refused a proof: {said}", DISTRUST, WRONG)
    return msgspec.json.decode(process.stdout, type=Totals)


def compare(totals: Totals, households: dict[str, int], stores: dict[str, int]) -> tuple[str, ...]:
    """Every total that differs between the proofs and the data file, in words."""
    found = []
    for role, proven, expected in (
        ("household", totals.households, households),
        ("store", totals.stores, stores),
    ):
        for name in sorted({*proven, *expected}):
            here, there = proven.get(name, 0), expected.get(name, 0)
            if here != there:
                found.append(f"{role} {name}: {here} cents proven, {there} in the data file")
    return tuple(found)


def run(
    chain: Client,
    bank: Wallet,
    seed: bytes,
    purchases: Purchases,
    limit: int | None,
    folder: Path,
    address: str,
    progress: Progress,
) -> Report:
    """Carry the first `limit` baskets (None: all), read back elsewhere from the node, compare."""
    job = Run(chain, bank, plan_of(bank.address, seed, purchases), progress)
    job.prepare()
    begun = perf_counter()
    asked = purchases.baskets[:limit]
    now = job.carry(asked)
    return job.reckon(purchases, asked, now, perf_counter() - begun, folder, address)


def plan_of(bank: Address, seed: bytes, purchases: Purchases) -> Plan:
    """Everybody who is in the data, with the money that all of their baskets cost."""
    funds: Counter[str] = Counter()
    for basket in purchases.baskets:
        funds[basket.household_id] += basket.cents
    stores = sorted({basket.store_id for basket in purchases.baskets})
    return Plan(bank, seed, dict(funds), stores)


def report_of(
    chain: str,
    address: str,
    asked: list[Basket],
    carried: list[Basket],
    now: int,
    seconds: float,
    totals: Totals,
) -> Report:
    """The proven totals beside those of the data file."""
    wanted = expected_totals({basket.basket_id for basket in carried})
    return Report(
        chain=chain,
        address=address,
        height=totals.height,
        payments=len(carried),
        carried_now=now,
        cost_nothing=sum(basket.cents == 0 for basket in asked),
        cents=sum(basket.cents for basket in carried),
        seconds=seconds,
        proofs=totals.proofs,
        households=len(totals.households),
        stores=len(totals.stores),
        differences=compare(totals, wanted.households, wanted.stores),
    )


def _carried(baskets: list[Basket], counts: Counter[str]) -> Iterator[Basket]:
    """The baskets that the chain says were paid for."""
    place: Counter[str] = Counter()
    for basket in baskets:
        if basket.cents:
            place[basket.household_id] += 1
            if place[basket.household_id] <= counts[basket.household_id]:
                yield basket


def verdict(report: Report) -> str:
    """The last line."""
    word = "FAILED" if report.differences else "agreed"
    return (
        f"{word}: {report.cents / 100:,.2f} USD in {report.payments:,} payments, "
        f"{len(report.differences)} totals differ from the data file"
    )
