"""What sources do: the shop attests months of real purchases, the club check-ins that are made up.

Both are the program of `tongbao data-source`, each in a folder of its own: consents, events, months
and parcels. Every household that has consented gets a batch of each month, also where there is no
row: what is left out is seen.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.demo.badminton_rows import generated_rows
from tongbao.demo.egg_rows import EggLine
from tongbao.demo.failures import DemoError
from tongbao.demo.market.opening import CHEAP, STOPPED, Market, Tell
from tongbao.demo.market.parties import Household, household_label
from tongbao.rights.attestation import Method
from tongbao.rights.batch import Period
from tongbao.rights.schema import Schema, Value
from tongbao.services.data_source.consents import add_consent, check_consent
from tongbao.services.data_source.delivering import push
from tongbao.services.data_source.event_files import Event
from tongbao.services.data_source.events import add_events
from tongbao.services.data_source.monthly import make_month
from tongbao.services.data_source.settings import Settings, Told
from tongbao.services.data_source.source import Source, begin_source, open_source
from tongbao.services.data_source.stores import Stores

BADMINTON_SEED: Final = 2017


class Line(Struct, frozen=True, kw_only=True):
    """What a source knows: whose, when, which event, and its values."""

    household: int
    period: Period
    event: str
    values: tuple[Value, ...]


class Attester:
    """A source that attests months of one schema."""

    def __init__(self, market: Market, label: str, schema: Schema, method: Method) -> None:
        """Act as the institution of this label."""
        self.market = market
        self.label = label
        self.party = market.parties[label]
        self.schema = schema
        self.method = method

    def attest(
        self,
        folder: Path,
        secret: str,
        store: str,
        consents: Mapping[Household, bytes],
        lines: Sequence[Line],
        periods: Sequence[Period],
        tell: Tell,
    ) -> int:
        """Take consents and events, then make, commit to and deliver each month; how many rows.

        Raises DemoError, SourceError.
        """
        settings = Settings(
            account=self.party.address,
            chain=self.market.chain.id,
            key=self.label,
            schemas=(Told(about="household", schema=self.schema),),
            stores=(store,),
        )
        begin_source(folder, settings, secret, CHEAP)
        with open_source(folder, secret, self.party.key) as source, Stores() as stores:
            self._consents(source, consents, tell)
            for period in periods:
                events = _numbered(line for line in lines if line.period == period)
                add_events(source, self.schema, period, events)
            for period in periods:
                month = make_month(source, self.market.chain, period, _silent)
                tell(f"{self.label} {period}", month.committed, month.drawn)
                if month.committed < month.drawn:
                    raise DemoError(f"{self.label} {period}: {month.refused}", "", STOPPED)
            made = push(source, self.market.chain.now(), stores.leave, tell)
            if made.delivered < len(consents) * len(periods):
                raise DemoError(f"{self.label} could not deliver: {made}", "", STOPPED)
        return len(lines)

    def _consents(self, source: Source, consents: Mapping[Household, bytes], tell: Tell) -> None:
        stage = f"{self.label} asks"
        tell(stage, 0, len(consents))
        chain = self.market.chain
        for place, (household, text) in enumerate(consents.items(), 1):
            signed = check_consent(text, source.settings, chain, chain.now())
            add_consent(source, household.label, signed)
            tell(stage, place, len(consents))


def _numbered(lines: Iterable[Line]) -> Iterator[tuple[int, Event]]:
    for number, line in enumerate(lines, 1):
        yield number, Event(household_label(line.household), line.event, line.values)


def _silent(stage: str, done: int, total: int) -> None:
    """Show nothing of a month's steps."""


def egg_lines(lines: Iterable[EggLine], numbers: Iterable[int]) -> list[Line]:
    """The real lines of eggs of some households: all stores of the data set are the shop's."""
    wanted = set(numbers)
    return [
        Line(
            household=line.household,
            period=Period(line.day[:7]),
            event=f"{line.store}/{line.basket}/{line.product}",
            values=(line.day, line.packages, line.size, line.cents),
        )
        for line in lines
        if line.household in wanted
    ]


def badminton_lines(
    households: Iterable[Household], periods: Sequence[Period], club_key: bytes
) -> list[Line]:
    """Check-ins that a generator makes up."""
    return [
        Line(
            household=household.number,
            period=period,
            event=f"{household.number}/{row.values[0]}",
            values=row.values,
        )
        for household in households
        for period in periods
        for row in generated_rows(BADMINTON_SEED, household.number, period, club_key)
    ]
