"""The main job: real baskets as signed payments, proven and compared with the data file.

Each basket is one payment of its exact amount from a household to a store. The household's nonce is
the number of the basket among its own, so the chain itself says where a second start goes on.
"""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from pathlib import Path
from time import perf_counter
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.demo.baskets import Basket, Purchases
from tongbao.demo.expected import expected_totals
from tongbao.demo.plan import SCALE, Plan, Step, funding_reference
from tongbao.demo.read_back import PARTIES, PROOFS, Parties, Totals
from tongbao.engines.solo import Answer
from tongbao.kernel import Address, Amount, Message, Outcome, Reference, Time
from tongbao.modules import asset
from tongbao.sdk.builder import payload_bytes, sign
from tongbao.sdk.local import Chain
from tongbao.sdk.proofs import to_json
from tongbao.sdk.wallet import EXPIRES_MS, Wallet

IN_FLIGHT: Final = 4_000

Progress = Callable[[str, int, int], None]
"""Told a stage's name, how much of it is done, and how much it is."""


class DemoError(Exception):
    """The demonstration can't go on; the text says what to do."""

    exit_code = 1


class Report(Struct, frozen=True, kw_only=True):
    """What a run did and found. Amounts are cents.

    `payments` are all on the chain; `cost_nothing` are the baskets asked for that need none.
    """

    chain: str
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

    def __init__(self, chain: Chain, bank: Wallet, plan: Plan, progress: Progress) -> None:
        """Carry purchases on `chain` with the parties of `plan`."""
        self.chain = chain
        self.bank = bank
        self.plan = plan
        self.progress = progress

    def prepare(self) -> None:
        """Send what is left of the bank's list: define the asset, open accounts, fund them."""
        done = self.chain.next_nonce(self.bank.address) - 1
        steps = list(self.plan.steps())
        self._send_all("accounts", len(steps) - done, self._bank_transactions(steps[done:]))

    def _bank_transactions(self, steps: list[Step]) -> Iterator[bytes]:
        for step in steps:
            payload = self._payload(self.bank.address, step.nonce, step.messages)
            yield sign(payload, (*self.bank.signers, *step.keys))

    def carry(self, baskets: list[Basket]) -> int:
        """Pay for every basket that is not paid for yet; how many that were."""
        todo = list(self._unpaid(baskets))
        self._send_all("baskets", len(todo), (self._payment(*item) for item in todo))
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
        parties = self.plan.parties
        return Counter(
            {
                name: self.chain.next_nonce(parties[f"household/{name}"].address) - 1
                for name in households
            }
        )

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

    def _send_all(self, stage: str, total: int, transactions: Iterator[bytes]) -> None:
        """Keep some transactions in flight; on Ctrl-C wait for those that are on their way."""
        waiting: list[Future[Answer]] = []
        done = 0
        self.progress(stage, 0, total)
        try:
            for transaction in transactions:
                waiting.append(self.chain.send(transaction))
                if len(waiting) >= IN_FLIGHT:
                    done += self._settle(waiting[: IN_FLIGHT // 2])
                    del waiting[: IN_FLIGHT // 2]
                    self.progress(stage, done, total)
        finally:
            done += self._settle(waiting)
            self.progress(stage, done, total)

    def _settle(self, futures: list[Future[Answer]]) -> int:
        for future in futures:
            answer = future.result()
            if answer.outcome is not Outcome.APPLIED:
                raise DemoError(f"a payment was refused: {self.chain.why(answer.number)}")
        return len(futures)

    def write_proofs(self, folder: Path) -> int:
        """Write a proof of every total: holdings of all parties, fundings of all households."""
        plan = self.plan
        rows: list[tuple[str, tuple[str, str]]] = [
            ("asset.holdings", (party.address, plan.usd)) for party in plan.parties.values()
        ]
        rows += [("asset.settled", (plan.usd, funding_reference(name))) for name in plan.funds]
        with (folder / PROOFS).open("wb") as file:
            for at, (table, key) in enumerate(rows):
                file.write(to_json(self.chain.prove_row(table, key)) + b"\n")
                if at % 500 == 0:
                    self.progress("proofs", at, len(rows))
        self.progress("proofs", len(rows), len(rows))
        parties = Parties(
            asset=plan.usd,
            addresses={label: party.address for label, party in plan.parties.items()},
            references={f"household/{name}": funding_reference(name) for name in plan.funds},
        )
        (folder / PARTIES).write_bytes(msgspec.json.encode(parties))
        return len(rows)


def read_back_elsewhere(folder: Path) -> Totals:
    """Let a second process verify the proofs and add up."""
    command = [sys.executable, "-m", "tongbao.demo.read_back", str(folder)]
    process = subprocess.run(command, capture_output=True, check=False)
    if process.returncode != 0:
        raise DemoError(f"the second process refused a proof:\n{process.stderr.decode()}")
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
    chain: Chain,
    bank: Wallet,
    seed: bytes,
    purchases: Purchases,
    limit: int | None,
    folder: Path,
    progress: Progress,
) -> Report:
    """Carry the first `limit` baskets (None: all), prove, read back elsewhere and compare."""
    everything = purchases.baskets
    funds: Counter[str] = Counter()
    for basket in everything:
        funds[basket.household_id] += basket.cents
    stores = sorted({basket.store_id for basket in everything})
    plan = Plan(bank.address, seed, dict(funds), stores)
    job = Run(chain, bank, plan, progress)
    job.prepare()
    begun = perf_counter()
    asked = everything if limit is None else everything[:limit]
    now = job.carry(asked)
    seconds = perf_counter() - begun
    counts = job.paid_counts(set(funds))
    proofs = job.write_proofs(folder)
    carried = list(_carried(everything, counts))
    totals = read_back_elsewhere(folder)
    wanted = expected_totals({basket.basket_id for basket in carried})
    return Report(
        chain=chain.id,
        height=totals.height,
        payments=len(carried),
        carried_now=now,
        cost_nothing=sum(basket.cents == 0 for basket in asked),
        cents=sum(basket.cents for basket in carried),
        seconds=seconds,
        proofs=proofs,
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
