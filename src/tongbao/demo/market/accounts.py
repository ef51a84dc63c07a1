"""The accounts: what the story says everybody has, beside what the ledger says, to the cent.

What is expected follows from the jobs and the deviations that were played, and is added up here;
what is found are balances, bonds and earnings that the node tells.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tongbao.demo.market.desks import Bought
from tongbao.demo.market.deviations import Ended
from tongbao.demo.market.opening import (
    AGENT,
    BROKER,
    BUYERS,
    CROOK,
    FUNDED,
    FUNDS,
    INSTITUTIONS,
    PANEL,
    Market,
    Tell,
    groups,
    sent,
)
from tongbao.demo.market.parties import Household, fee_of
from tongbao.kernel import Address, Id
from tongbao.modules import asset, data
from tongbao.sdk.data.facts import all_of

AT_ONCE: Final = 4
PULLS_AT_ONCE: Final = 100
PAID: Final = ("settled", "rejected")


class Accounts(Struct, frozen=True, kw_only=True):
    """What was paid and earned, in cents; `earned` is by household, for those who earned."""

    orders: int
    payments: int
    fees: int
    compensation: int
    deposits: int
    earned: dict[int, int]
    phases: dict[str, int]
    differences: tuple[str, ...]

    @property
    def households(self) -> int:
        """What all households earned together."""
        return sum(self.earned.values())


def expected_earnings(bought: Iterable[Bought], ended: Iterable[Ended]) -> Counter[int]:
    """What each household shall have, by its number: the price less the fee of each grant."""
    found: Counter[int] = Counter()
    for one in bought:
        price = one.job.price
        found[one.job.household.number] += price.units - fee_of(price).units
    for case in (one.case for one in ended):
        found[case.household] += case.owner
    return +found


def pull_all(market: Market, tell: Tell) -> int:
    """Let every household that has earned something pull it; how many did."""
    households = [one for one in market.households if earned(market, one.address)]
    tell("pulled", 0, len(households))
    done = 0
    for group in groups(households, PULLS_AT_ONCE):
        pull = data.Pull(asset=market.usd)
        transactions = [market.household_wallet(household).build(pull) for household in group]
        list(sent(market.chain, transactions))
        done += len(group)
        tell("pulled", done, len(households))
    return done


def reckon(market: Market, bought: Sequence[Bought], ended: Sequence[Ended]) -> Accounts:
    """Compare the ledger with the story."""
    phases: Counter[str] = Counter()
    payments = fees = orders = 0
    for label in BUYERS:
        for _, order in all_of(market.chain, data.bought, buyer=market.parties[label].address):
            orders += 1
            phases[str(order.phase)] += 1
            if order.phase in PAID:
                payments += order.price.units
                fees += order.fee.units
    with ThreadPoolExecutor(AT_ONCE) as pool:
        addresses = [household.address for household in market.households]
        held = list(pool.map(lambda address: balance(market, address), addresses))
    numbers = [household.number for household in market.households]
    found = {number: cents for number, cents in zip(numbers, held, strict=True) if cents}
    compensation = sum(max(0, -one.case.agent) for one in ended if one.phase == "lapsed")
    accounts = Accounts(
        orders=orders,
        payments=payments,
        fees=fees,
        compensation=compensation,
        deposits=sum(one.case.panel for one in ended),
        earned=found,
        phases=dict(sorted(phases.items())),
        differences=(),
    )
    wanted = expected_earnings(bought, ended)
    differences = (
        *_phases_that_differ(ended),
        *_earnings_that_differ(wanted, found),
        *_sums_that_differ(accounts),
        *_institutions_that_differ(market, bought, ended),
        *_supply_that_differs(market, sum(held)),
    )
    return replace(accounts, differences=differences)


def write_earnings(path: Path, households: Iterable[Household], accounts: Accounts) -> None:
    """A file of what each household has, to the cent, and of how many members it is."""
    lines = ["household,members,account,cents"]
    lines += [
        f"{one.number},{len(one.keys)},{one.address},{accounts.earned.get(one.number, 0)}"
        for one in households
    ]
    path.write_text("\n".join(lines) + "\n")


def _phases_that_differ(ended: Iterable[Ended]) -> Iterable[str]:
    for one in ended:
        if one.phase != one.case.ends:
            yield f"{one.case.name}: the order is {one.phase}, not {one.case.ends}"


def _earnings_that_differ(wanted: Counter[int], found: dict[int, int]) -> Iterable[str]:
    for number in sorted({*wanted, *found}):
        if wanted[number] != found.get(number, 0):
            yield (
                f"household {number}: {found.get(number, 0)} cents on the ledger, "
                f"{wanted[number]} in the story"
            )


def _sums_that_differ(accounts: Accounts) -> Iterable[str]:
    """What households have is what was paid less fees, and what bonds paid them."""
    wanted = accounts.payments - accounts.fees + accounts.compensation
    if accounts.households != wanted:
        yield f"all households have {accounts.households} cents, not {wanted}"


def _institutions_that_differ(
    market: Market, bought: Sequence[Bought], ended: Sequence[Ended]
) -> Iterable[str]:
    """Buyers have paid prices and lost deposits, agents have their fees, panels their shares."""
    wanted = dict.fromkeys(FUNDED, FUNDS.units)
    buyers = {market.parties[label].address: label for label in BUYERS}
    for one in bought:
        order = market.chain.query(data.order, Id(one.order))
        assert order is not None
        wanted[buyers[order.buyer]] -= one.job.price.units
        wanted[AGENT] += fee_of(one.job.price).units
    for case in (one.case for one in ended):
        wanted[BROKER] -= case.buyer
        wanted[CROOK] += case.agent
    for label, cents in wanted.items():
        found = worth(market, market.parties[label].address)
        if found != cents:
            yield f"{label} has {found} cents on the ledger, and {cents} in the story"
    panel = sum(worth(market, market.parties[label].address) for label in PANEL)
    shares = sum(one.case.panel for one in ended)
    if panel != shares:
        yield f"the panel has {panel} cents on the ledger, and {shares} in the story"


def _supply_that_differs(market: Market, households: int) -> Iterable[str]:
    """What was issued is what everybody holds, the module's vault among them."""
    issued = FUNDS.units * len(FUNDED)
    held = households + balance(market, data.module.vault)
    held += sum(balance(market, market.parties[label].address) for label in INSTITUTIONS)
    if held != issued:
        yield f"{issued} cents were issued, and {held} are held"


def balance(market: Market, account: Address) -> int:
    """Cents that an account holds."""
    row = market.chain.query(asset.balance, account, market.usd)
    return 0 if row is None else row.amount.units


def earned(market: Market, account: Address) -> int:
    """Cents that an account has earned and not pulled."""
    rows = market.chain.query(data.earned, account).rows
    return sum(row.amount.units for _, row in rows)


def worth(market: Market, account: Address) -> int:
    """Cents that an account holds, has posted or has earned."""
    bonds = sum(bond.amount.units for _, bond in market.chain.query(data.bonded, account).rows)
    return balance(market, account) + bonds + earned(market, account)
