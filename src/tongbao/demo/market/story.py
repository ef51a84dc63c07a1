"""The story from its first batch to its last cent, on a chain that a node serves."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import perf_counter
from typing import Final

import httpx2
from msgspec import Struct
from msgspec.structs import replace

from tongbao.demo.badminton_rows import BADMINTON as BADMINTON_ROWS
from tongbao.demo.egg_rows import EGGS as EGG_ROWS
from tongbao.demo.egg_rows import EggLine
from tongbao.demo.market import programs
from tongbao.demo.market.accounts import Accounts, pull_all, reckon, write_earnings
from tongbao.demo.market.attesting import (
    Attester,
    Line,
    badminton_lines,
    egg_lines,
)
from tongbao.demo.market.canaries import Canaries, look
from tongbao.demo.market.crooked import CrookedAgent, served
from tongbao.demo.market.desks import Bought, Desk, Job, buy_together, delete_together, open_desks
from tongbao.demo.market.deviations import COUNT, Case, Deviations, Ended
from tongbao.demo.market.homes import (
    Collected,
    Homes,
    Place,
    Terms,
    badminton_terms,
    egg_terms,
    place_of_agent,
)
from tongbao.demo.market.opening import (
    AGENT,
    BROKER,
    BUYERS,
    CLUB,
    CROOK,
    CUT_OFF,
    FOOD,
    INSURERS,
    PANEL,
    SHOP,
    Market,
    Tell,
)
from tongbao.demo.market.parties import (
    BADMINTON,
    CHECK_INS,
    EGGS,
    INSURES,
    PERIODS,
    PLAYS,
    PRODUCTS,
    RISK,
    STORE,
    VIEW,
    Household,
    history_price,
    month_price,
)
from tongbao.demo.market.phases import Phases
from tongbao.demo.market.planting import PLANTED, Planting
from tongbao.kernel import Address, Id
from tongbao.modules import data
from tongbao.rights.batch import Period
from tongbao.sdk.client import Refused

TIMEOUT_S: Final = 60.0
EARNINGS: Final = "earnings.csv"


class Report(Struct, frozen=True, kw_only=True):
    """What a run did and found. Amounts are cents."""

    chain: str
    address: str
    height: int
    households: int
    members: int
    batches: int
    rows: int
    grants: int
    rows_bought: int
    deleted: int
    seconds: float
    seconds_trading: float
    deviations: tuple[Ended, ...]
    refused: dict[str, int]
    unopened: int
    accounts: Accounts
    canaries: Canaries
    differences: tuple[str, ...]


class Sold(Struct, frozen=True, kw_only=True):
    """What was attested and offered: batches by household, and offers to be viewed."""

    eggs: Mapping[Address, tuple[Id, ...]]
    badminton: Mapping[Address, tuple[Id, ...]]
    offers: Mapping[Address, Id]
    collected: tuple[Collected, ...]


class Teller:
    """Plays the story on an open market, in a folder for the programs around the ledger."""

    def __init__(
        self, market: Market, folder: Path, secret: str, planting: Planting, tell: Tell
    ) -> None:
        """The last households but the planted ones meet somebody who misbehaves."""
        self.market = market
        self.folder = folder
        self.secret = secret
        self.tell = tell
        everybody = market.households
        self.planted = everybody[len(everybody) - PLANTED :]
        self.cheated = everybody[len(everybody) - PLANTED - COUNT : len(everybody) - PLANTED]
        self.honest = (*everybody[: len(everybody) - PLANTED - COUNT], *self.planted)
        self.texts = planting.texts
        self.planting = planting
        self.refused: Counter[str] = Counter()

    def play(self, lines: Sequence[EggLine]) -> Report:
        """All of it, in order. Raises DemoError."""
        begun = perf_counter()
        with ExitStack() as stack:
            store, place = stack.enter_context(self._services())
            sold = self._prepare(lines, store, place)
            phases = stack.enter_context(Phases(self.market.address))
            crook = CrookedAgent(self.market.chain, {one.id: one.batch for one in sold.collected})
            url = stack.enter_context(served(crook))
            panels = self._panels(stack)
            agents = {place.account: place.url, self.market.parties[CROOK].address: url}
            agents |= dict.fromkeys((one.address for one in self.cheated), url)
            desks = stack.enter_context(
                open_desks(self.market, self.folder / "buyers", self.secret, BUYERS, agents, phases)
            )
            deviations = Deviations(
                self.market, desks[BROKER], desks[CUT_OFF], crook, panels, sold.offers
            )
            cases = self._misbehave(deviations, sold)
            trading = perf_counter()
            bought = buy_together(self._work(desks, sold, place), self.tell)
            traded = perf_counter() - trading
            self._over_ask(desks, sold, place)
            ended = self._wait(deviations, cases)
            self.refused += deviations.refused
            deleted = delete_together(list(desks.values()), self.tell)
            pull_all(self.market, self.tell)
            accounts = reckon(self.market, bought, ended)
            write_earnings(self.folder / EARNINGS, self.market.households, accounts)
            canaries = self._look()
        return self._report(
            sold, bought, ended, accounts, canaries, deviations.unopened, deleted,
            perf_counter() - begun, traded,
        )  # fmt: skip

    # Before anything is sold

    @contextmanager
    def _services(self) -> Iterator[tuple[str, Place]]:
        """Store and agent, each a process of its own."""
        store_folder, agent_folder = self.folder / "store", self.folder / "agent"
        programs.lay_out_store(store_folder)
        wire = self.planting.wire("store")
        with programs.Program("store", store_folder, self.secret, wire) as store:
            programs.lay_out_agent(agent_folder, self.market, AGENT, store.address, self.secret)
            wire = self.planting.wire("agent")
            with programs.Program("agent", agent_folder, self.secret, wire) as agent:
                yield store.address, place_of_agent(self.market, AGENT, agent.address)

    def _panels(self, stack: ExitStack) -> dict[str, str]:
        """The adjudicators' programs, by their accounts."""
        found: dict[str, str] = {}
        for label in PANEL:
            folder = self.folder / label.replace("/", "-")
            programs.lay_out_panel(folder, self.secret)
            account = self.market.parties[label].address
            further = (self.market.address, account, label)
            wire = self.planting.wire("panel")
            program = programs.Program("panel", folder, self.secret, wire, *further)
            found[account] = stack.enter_context(program).address
        return found

    def _prepare(self, lines: Sequence[EggLine], store: str, place: Place) -> Sold:
        """Consent, attest, offer, collect and copy."""
        homes = Homes(self.market, store, place)
        players = [one for one in self.honest if one.number % PLAYS == 0]
        offers = homes.offer(self._offered(place, {one.number for one in players}), self.tell)
        everybody = self.market.households
        eggs = egg_lines(lines, (one.number for one in everybody))
        shop = Attester(self.market, SHOP, EGG_ROWS, "scan")
        self._attest(homes, shop, everybody, [*eggs, *self._planted_lines()], PERIODS)
        club = Attester(self.market, CLUB, BADMINTON_ROWS, "check-in")
        checked = [Period(one) for one in CHECK_INS]
        games = badminton_lines(players, checked, club.party.key.public_key)
        self._attest(homes, club, players, games, CHECK_INS)
        selling = {one.number for one in self.honest}
        collected = homes.collect(everybody, selling, self.tell)
        return Sold(
            eggs=by_owner(collected, EGGS),
            badminton=by_owner(collected, BADMINTON),
            offers={owner: name for (owner, mode, _), name in offers.items() if mode == VIEW},
            collected=tuple(collected),
        )

    def _attest(
        self, homes: Homes, source: Attester, households: Sequence[Household],
        lines: Sequence[Line], periods: Sequence[str],
    ) -> None:  # fmt: skip
        """Consents, then months, delivered to the households' inboxes."""
        consents = homes.consent(households, source.party, source.schema, source.method, self.tell)
        months = [Period(one) for one in periods]
        folder = self.folder / source.label
        source.attest(folder, self.secret, homes.store, consents, lines, months, self.tell)

    def _planted_lines(self) -> list[Line]:
        """A row with a text that stands nowhere else, for each household that was made up."""
        values = zip(self.planted, self.texts, strict=True)
        return [
            Line(
                household=household.number,
                period=Period(PERIODS[-1]),
                event=f"event of {text}",
                values=("2017-12-24", 1, text, 199),
            )
            for household, text in values
        ]

    def _offered(
        self, place: Place, players: set[int]
    ) -> list[tuple[Household, Sequence[Terms], Address | None]]:
        offered: list[tuple[Household, Sequence[Terms], Address | None]] = []
        for household in self.honest:
            terms = egg_terms(household.number)
            if household.number in players:
                terms = (*terms, badminton_terms(household.number, BADMINTON_ROWS))
            offered.append((household, terms, place.account))
        crook = self.market.parties[CROOK].address
        offered += [(one, egg_terms(one.number)[:1], crook) for one in self.cheated]
        return offered

    # Selling

    def _misbehave(self, deviations: Deviations, sold: Sold) -> list[Case]:
        self.tell("misbehaved", 0, COUNT)
        first = {owner: batches[0] for owner, batches in sold.eggs.items()}
        cases = deviations.begin(self.cheated, first)
        self.tell("misbehaved", len(cases), COUNT)
        return cases

    def _wait(self, deviations: Deviations, cases: Sequence[Case]) -> list[Ended]:
        self.tell("ended", 0, len(cases))
        ended = deviations.finish(cases)
        self.tell("ended", len(ended), len(cases))
        return ended

    def _work(
        self, desks: Mapping[str, Desk], sold: Sold, place: Place
    ) -> dict[str, tuple[Desk, list[Job]]]:
        """Who buys what: months for products, histories and check-ins for risks."""
        names = egg_names()
        months = [
            Job(
                household=one,
                batches=sold.eggs[one.address][-1:],
                schema=EGGS,
                fields=names[:3],
                purpose=PRODUCTS,
                mode=VIEW,
                price=month_price(one.number),
                agent=place.account,
            )
            for one in self.honest
        ]
        histories = [
            self._history(one, EGGS, sold.eggs[one.address], names, place)
            for at, one in enumerate(self.honest)
            if at % INSURES == 0 or one in self.planted
        ]
        fields = tuple(data.Field(field.name) for field in BADMINTON_ROWS.fields)
        games = [
            self._history(one, BADMINTON, sold.badminton[one.address], fields, place)
            for one in self.honest
            if one.address in sold.badminton
        ]
        shared = {label: months[place::2] for place, label in enumerate(FOOD)}
        shared |= {label: (histories + games)[at::2] for at, label in enumerate(INSURERS)}
        return {label: (desks[label], jobs) for label, jobs in shared.items()}

    def _history(
        self,
        household: Household,
        schema: data.Schema,
        batches: tuple[Id, ...],
        fields: tuple[data.Field, ...],
        place: Place,
    ) -> Job:
        return Job(
            household=household,
            batches=batches,
            schema=schema,
            fields=fields,
            purpose=RISK,
            mode=STORE,
            price=history_price(household.number),
            agent=place.account,
        )

    def _over_ask(self, desks: Mapping[str, Desk], sold: Sold, place: Place) -> None:
        """The food company asks for what was paid: the agent refuses, and so does the ledger."""
        desk, household = desks[FOOD[0]], self.honest[0]
        batches = sold.eggs[household.address][:1]
        history = self._history(household, EGGS, batches, egg_names(), place)
        job = replace(history, purpose=PRODUCTS, mode=VIEW)
        number = desk.over_ask(job)
        self.refused[f"by the agent, rule {number}: over-asking"] += number > 0
        try:
            desk.order_unasked(job)
        except Refused as refused:
            self.refused[str(refused)] += 1

    # At the end

    def _look(self) -> Canaries:
        """Look for what was planted, in everything but what households and sources have."""
        metrics = httpx2.get(f"{self.market.address}/metrics", timeout=TIMEOUT_S).content
        folders, told = {"folder": self.folder}, {"metrics": metrics}
        return look(self.market, self.texts, folders, told, self.planting.wires)

    def _report(
        self, sold: Sold, bought: Sequence[Bought], ended: Sequence[Ended], accounts: Accounts,
        canaries: Canaries, unopened: int, deleted: int, seconds: float, traded: float,
    ) -> Report:  # fmt: skip
        rows = {one.id: len(one.batch.rows) for one in sold.collected}
        wrong = [
            f"order {one.order} brought {one.rows} rows"
            for one in bought
            if one.rows != sum(rows[name] for name in one.job.batches)
        ]
        head = self.market.chain.head()
        return Report(
            chain=self.market.chain.id,
            address=self.market.address,
            height=head.height,
            households=len(self.market.households),
            members=sum(len(one.keys) for one in self.market.households),
            batches=len(rows),
            rows=sum(rows.values()),
            grants=len(bought),
            rows_bought=sum(one.rows for one in bought),
            deleted=deleted,
            seconds=seconds,
            seconds_trading=traded,
            deviations=tuple(ended),
            refused=dict(sorted(self.refused.items())),
            unopened=unopened,
            accounts=accounts,
            canaries=canaries,
            differences=(*accounts.differences, *wrong, *canaries.found),
        )


def egg_names() -> tuple[data.Field, ...]:
    """The fields of a line of eggs."""
    return tuple(data.Field(field.name) for field in EGG_ROWS.fields)


def by_owner(collected: Sequence[Collected], schema: str) -> dict[Address, tuple[Id, ...]]:
    """The batches of a schema of each household, in the order of months."""
    found: dict[Address, tuple[Id, ...]] = {}
    for one in sorted(collected, key=lambda each: each.batch.header.period):
        if one.batch.header.schema == schema:
            owner = one.household.address
            found[owner] = (*found.get(owner, ()), one.id)
    return found
