"""Every way to misbehave that the table of outcomes knows, each played once on a household's order.

never sealed, cancelled, withdrawn              all back
the buyer never confirms, or gets other bytes   all back
the owner never reveals                         all back
the agent never reveals                         its bond pays the owner the price
the buyer is suspended before the reveal        all back, nobody is at fault
wrong, reused and strangers' `b`                refused
faulty package, claim upheld                    all back; the agent's bond pays the panel
false claim                                     the owner is paid; the deposit pays the panel
the buyer is silent after the reveal            the owner is paid at the deadline
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tongbao.demo.failures import DemoError
from tongbao.demo.market.crooked import CrookedAgent
from tongbao.demo.market.desks import Desk, Job
from tongbao.demo.market.homes import egg_terms
from tongbao.demo.market.opening import CROOK, STOPPED, Market
from tongbao.demo.market.parties import VIEW, Household, fee_of, month_price
from tongbao.kernel import Address, Hash, Id
from tongbao.modules import data
from tongbao.rights.batch import Batch
from tongbao.rights.chunks import DoesNotOpen, open_chunks
from tongbao.rights.halves import package_key
from tongbao.rights.schema import Row
from tongbao.sdk.client import Refused
from tongbao.sdk.data.facts import order_row
from tongbao.sdk.data.fetching import DeliveryDiffers
from tongbao.sdk.wallet import Wallet

SHORT_MS: Final = 3_000
"""How long an order waits for a seal that never comes."""
MAJORITY: Final = 2
LEAST: Final = 1_000
"""Cents that an agent secures and a claim deposits, for a price below them."""

COUNT: Final = 13
"""Households that meet somebody who misbehaves."""


class Case(Struct, frozen=True, kw_only=True):
    """One deviation: the order, how it shall end, and who shall have earned what, in cents."""

    name: str
    order: str
    household: int
    ends: str
    owner: int = 0
    panel: int = 0
    agent: int = 0
    """What the crooked agent earns, or loses of its bond."""
    buyer: int = 0
    """What the buyer has paid at the end."""


class Ended(Struct, frozen=True, kw_only=True):
    """A deviation, and how its order ended on the ledger."""

    case: Case
    phase: str


class Deviations:
    """Plays them; the broker buys, the crooked agent sells."""

    def __init__(
        self,
        market: Market,
        broker: Desk,
        cut_off: Desk,
        crook: CrookedAgent,
        panels: Mapping[str, str],
        offers: Mapping[Address, Id],
    ) -> None:
        """`offers` are the households' offers to be viewed, `panels` where adjudicators are."""
        self.market = market
        self.broker = broker
        self.cut_off = cut_off
        self.crook = crook
        self.panels = panels
        self.offers = offers
        self.seller = market.wallet(CROOK)
        self.refused: Counter[str] = Counter()
        self.unopened = 0

    def begin(self, households: Sequence[Household], batches: Mapping[Address, Id]) -> list[Case]:
        """Play each as far as it goes by itself; what is left is the deadlines' and the panel's."""
        played: tuple[Callable[[Job], Case], ...] = (
            self.never_sealed,
            self.never_confirmed,
            self.agent_never_reveals,
            self.owner_never_reveals,
            self.suspended,
            self.faulty,
            self.false_claim,
            self.silent,
            self.cancelled,
            self.withdrawn,
            self.other_half,
            self.other_chunk,
            self.wrong_b,
        )
        assert len(played) == COUNT == len(households)
        return [
            play(self._job(household, batches[household.address]))
            for play, household in zip(played, households, strict=True)
        ]

    def finish(self, cases: Sequence[Case]) -> list[Ended]:
        """Wait until each has ended, one way or another."""
        ends = ("settled", "cancelled", "withdrawn", "lapsed", "upheld", "rejected")
        return [
            Ended(case=case, phase=self.broker.phases.wait(case.order, *ends)) for case in cases
        ]

    # No reveal: all back

    def never_sealed(self, job: Job) -> Case:
        """Nobody seals."""
        order = self.broker.order(job, self.market.chain.now() + SHORT_MS)
        return self._case("never sealed", job, order, "lapsed")

    def cancelled(self, job: Job) -> Case:
        """The buyer takes a sealed order back."""
        order = self._sealed(job)
        self.broker.buyer.cancel(order)
        return self._case("cancelled by the buyer", job, order, "cancelled")

    def withdrawn(self, job: Job) -> Case:
        """The owner takes a confirmed order back."""
        order = self._confirmed(job)
        wallet = self.market.household_wallet(job.household)
        wallet.send(data.WithdrawOrder(order=Id(order)))
        return self._case("withdrawn by the owner", job, order, "withdrawn")

    def never_confirmed(self, job: Job) -> Case:
        """The buyer takes package and `a`, and never confirms."""
        order = self._sealed(job)
        self.broker.buyer.fetch(order)
        return self._case("buyer never confirms", job, order, "lapsed")

    def other_half(self, job: Job) -> Case:
        """Another `a` is delivered: the buyer's program does not confirm."""
        order = self._sealed(job)
        self.crook.deliver_other_half(order)
        self._differs(order)
        return self._case("wrong `a` delivered", job, order, "cancelled")

    def other_chunk(self, job: Job) -> Case:
        """Another chunk is delivered: the buyer's program does not confirm."""
        order = self._sealed(job)
        self.crook.deliver_other_chunk(order)
        self._differs(order)
        return self._case("wrong chunk delivered", job, order, "cancelled")

    def _differs(self, order: str) -> None:
        try:
            self.broker.buyer.fetch(order)
        except DeliveryDiffers:
            self.refused["by the buyer's program: the delivery is not what was sealed"] += 1
            self.broker.buyer.cancel(order)
            return
        raise DemoError(f"a wrong delivery of order {order} was taken", "", STOPPED)

    def owner_never_reveals(self, job: Job) -> Case:
        """The owner seals itself, and never reveals."""
        owner = self.market.household_wallet(job.household)
        order = self._confirmed(replace(job, agent=job.household.address), owner)
        return self._case("owner never reveals", job, order, "lapsed")

    def agent_never_reveals(self, job: Job) -> Case:
        """The agent never reveals: its bond pays the owner."""
        order = self._confirmed(job)
        price = job.price.units
        return self._case("agent never reveals", job, order, "lapsed", owner=price, agent=-price)

    def suspended(self, job: Job) -> Case:
        """The buyer is suspended before the reveal, which is refused."""
        order = self._confirmed(job, desk=self.cut_off)
        enterprise = self.cut_off.buyer.wallet.address
        self.market.bank.send(data.SuspendEnterprise(enterprise=enterprise))
        self._refuses(self.seller, order)
        return self._case("buyer suspended before the reveal", job, order, "lapsed")

    # Reveals

    def wrong_b(self, job: Job) -> Case:
        """A wrong `b`, one of another order, a stranger's reveal and a second one are refused."""
        order = self._confirmed(job)
        other = next(sold for name, sold in self.crook.sold.items() if name != order)
        self._refuses(self.seller, order, bytes(32))
        self._refuses(self.seller, order, other.halves.b)
        stranger = self.market.household_wallet(self.market.households[0])
        self._refuses(stranger, order)
        self.crook.reveal(self.seller, order)
        self._refuses(self.seller, order)
        self.broker.buyer.accept(order)
        return self._paid("wrong, reused and strangers' `b`", job, order)

    def silent(self, job: Job) -> Case:
        """The buyer says nothing after the reveal; an onlooker has package and `b`, and no `a`."""
        order = self._revealed(job)
        self._look_on(order)
        return self._paid("buyer silent after the reveal", job, order)

    def faulty(self, job: Job) -> Case:
        """Rows were altered: the buyer claims, and the panel agrees."""
        batch = self.crook.batches[job.batches[0]]
        order = self._revealed(job, batches=(altered(batch),))
        self.broker.buyer.claim(order)
        self._show(order)
        return self._case(
            "faulty package, claim upheld", job, order, "upheld", panel=LEAST, agent=-LEAST
        )

    def false_claim(self, job: Job) -> Case:
        """Nothing is wrong, and the buyer claims all the same."""
        order = self._revealed(job)
        self.broker.buyer.claim(order, in_spite=True)
        self._show(order)
        paid = self._paid("false claim", job, order)
        return replace(paid, ends="rejected", panel=LEAST, buyer=paid.buyer + LEAST)

    def _show(self, order: str) -> None:
        told = self.broker.buyer.show_panel(order, self.panels)
        if list(told.values()).count("told") < MAJORITY:  # two may decide before the third is told
            raise DemoError(f"the panel was not shown the evidence: {told}", "", STOPPED)

    def _look_on(self, order: str) -> None:
        """Try to open a package with `b` and guesses of `a`: what the ledger says, and nothing."""
        row, sold = order_row(self.market.chain, order), self.crook.sold[order]
        assert row.a_commit is not None and row.b is not None
        place = bytes.fromhex(order)
        for guess in (bytes(32), bytes.fromhex(row.a_commit), bytes.fromhex(row.b)):
            key = package_key(place, guess, bytes.fromhex(row.b))
            try:
                b"".join(open_chunks(key, place, sold.chunks))
            except DoesNotOpen:
                self.unopened += 1
            else:
                raise DemoError(f"an onlooker has opened the package of {order}", "", STOPPED)

    # Steps

    def _job(self, household: Household, batch: Id) -> Job:
        terms = egg_terms(household.number)[0]
        return Job(
            household=household,
            batches=(batch,),
            schema=terms.schema,
            fields=terms.fields,
            purpose=terms.purpose,
            mode=VIEW,
            price=month_price(household.number),
            agent=self.seller.address,
        )

    def _sealed(
        self,
        job: Job,
        seller: Wallet | None = None,
        desk: Desk | None = None,
        batches: Sequence[Batch] | None = None,
    ) -> str:
        order = (desk or self.broker).order(job)
        offer = self.offers[job.household.address]
        self.crook.seal(seller or self.seller, order, offer, batches)
        return order

    def _confirmed(
        self,
        job: Job,
        seller: Wallet | None = None,
        desk: Desk | None = None,
        batches: Sequence[Batch] | None = None,
    ) -> str:
        order = self._sealed(job, seller, desk, batches)
        (desk or self.broker).confirm(order)
        return order

    def _revealed(self, job: Job, batches: Sequence[Batch] | None = None) -> str:
        order = self._confirmed(job, batches=batches)
        self.crook.reveal(self.seller, order)
        return order

    def _refuses(self, seller: Wallet, order: str, b: bytes | None = None) -> None:
        """A reveal that the ledger must refuse; the reason is counted."""
        try:
            self.crook.reveal(seller, order, b)
        except Refused as refused:
            self.refused[str(refused)] += 1
            return
        raise DemoError(f"a reveal of order {order} was to be refused", "", STOPPED)

    def _case(
        self, name: str, job: Job, order: str, ends: str, *, owner: int = 0, panel: int = 0,
        agent: int = 0,
    ) -> Case:  # fmt: skip
        return Case(
            name=name,
            order=order,
            household=job.household.number,
            ends=ends,
            owner=owner,
            panel=panel,
            agent=agent,
        )

    def _paid(self, name: str, job: Job, order: str) -> Case:
        """A case in which the owner is paid, and the agent has its fee."""
        fee = fee_of(job.price).units
        case = self._case(name, job, order, "settled", owner=job.price.units - fee, agent=fee)
        return replace(case, buyer=job.price.units)


def altered(batch: Batch) -> Batch:
    """The batch with one value changed; one without rows has one more."""
    if not batch.rows:
        event = Hash("00" * 32)
        return replace(batch, rows=(Row(event, ("2017-12-01", 1, "12 CT", 1)),))
    first = batch.rows[0]
    values = (first.values[0], int(first.values[1]) + 1, *first.values[2:])
    return replace(batch, rows=(replace(first, values=values), *batch.rows[1:]))
