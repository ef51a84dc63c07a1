"""The statement of an account in one asset: a period, its balances, a chart, every movement."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, Final
from urllib.parse import urlencode

from msgspec import Struct

from tongbao.console import forms
from tongbao.console.asking import Asked, View, follow, missing, not_understood
from tongbao.console.chart import Chart, Step, balance_chart
from tongbao.console.site import Site
from tongbao.index import Statement, StatementMovement
from tongbao.index.database import FAILURES
from tongbao.index.statement import Held, IndexBehind
from tongbao.kernel import Address, Amount, AssetId
from tongbao.kernel.amount import text_of
from tongbao.modules import account as accounts
from tongbao.modules import asset as assets
from tongbao.sdk.bundle import decimals_of, units_of
from tongbao.sdk.periods import LAST_TIME, NotKnown, known_begin, known_from, moment_of

MOVEMENTS: Final = 10_000
"""Movements of a statement that is shown as a whole: its sums and its chart are of all of them."""
PAGE: Final = 100
DAY_MS: Final = 86_400_000
DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}\Z")
START: Final = re.compile(r"[0-9]{1,5}\Z")


class Period(Struct, frozen=True):
    """What was asked for: dates as they were given, and times of blocks from and before."""

    first_date: str
    last_date: str
    first: int
    before: int


class Told(Struct, frozen=True):
    """A statement, or the key of the text why there is none, and from when there can be one."""

    statement: Statement | None
    why: str = ""
    known: int = 0


class State(Struct, frozen=True):
    """What the state says of an account at a height, whose time is in ms UTC."""

    height: int
    time: int
    known: tuple[AssetId, ...]
    held: Held | None


def statement(site: Site, asked: Asked) -> View:
    """What moved on an account in one asset between two dates, with balances and a chart."""
    address = forms.address(asked.path["address"])
    wanted = asked.query.get("asset") or None
    chosen = None if wanted is None else forms.asset(wanted)
    period, start = _period(asked), _start(asked)
    state = _state(site, address, chosen)
    own = [chosen] if chosen else []
    choices = list(dict.fromkeys([*own, *state.known, *_moved(site, address)]))
    told, asset = Told(None, "statement.no_asset"), chosen or next(iter(choices), None)
    if asset is not None:
        held = state.held or _state(site, address, asset).held
        assert held is not None
        told = _ask(site, address, asset, period, held)
    found = told.statement
    facts: dict[str, Any] = {
        "address": address,
        "asset": asset,
        "choices": choices,
        "period": period,
        "told": told,
        "lags": found is not None and found.height < state.height,
        "limit": MOVEMENTS,
    }
    if found is not None:
        facts |= _shown(found, period, state.time, start)
    return View(
        template="statement.html",
        facts=facts,
        height=state.height,
        follow=follow(state.height, account=address) if period.before > state.time else None,
        again=bool(facts["lags"]),
        json=None if asset is None else _path(address, "statement", asset, period),
    )


def _period(asked: Asked) -> Period:
    """The dates of the query; an empty one is none. Raises PageError.

    `to` of the HTTP interface is refused: ignored, it would show another period than was meant.
    """
    if "to" in asked.query:
        raise not_understood("statement.no_to")
    first_date, last_date = asked.query.get("from", ""), asked.query.get("until", "")
    first = _day(first_date) if first_date else 0
    before = min(_day(last_date) + DAY_MS, LAST_TIME) if last_date else LAST_TIME
    if first >= before:
        raise not_understood("statement.no_period")
    return Period(first_date, last_date, first, before)


def _day(date: str) -> int:
    """The first moment of a date in ms UTC. Raises PageError."""
    if DATE.match(date) is None:
        raise not_understood("statement.bad_date")
    try:
        return moment_of(date)
    except ValueError:
        raise not_understood("statement.bad_date") from None


def _start(asked: Asked) -> int:
    text = asked.query.get("start", "0")
    if START.match(text) is None:
        raise not_understood("account.bad_cursor")
    return int(text)


def _state(site: Site, address: Address, asset: AssetId | None) -> State:
    """Raises PageError where there is no such account or asset."""
    chain = site.chain
    with chain.reading() as height:
        if chain.query(accounts.show, address) is None and address not in site.vaults:
            raise missing("account.missing_title", "account.missing", id=address)
        known = tuple(key[1] for key, _ in chain.query(assets.held_by, address, None).rows)
        held = None
        if asset is not None:
            definition = chain.query(assets.show, asset)
            if definition is None:
                raise missing("asset.missing_title", "asset.missing", id=asset)
            row = chain.query(assets.balance, address, asset)
            amount = Amount.of(0, definition.scale) if row is None else row.amount
            held = Held(height, amount)
        return State(height, chain.head().time, known, held)


def _moved(site: Site, address: Address) -> list[AssetId]:
    """The assets of an account's last movements, which it may have given away."""
    if site.index is None:
        return []
    try:
        page = site.index.movements_of(address, before=None, limit=PAGE)
    except FAILURES:
        return []
    return [AssetId(one.asset) for one in page.movements]


def _ask(site: Site, address: Address, asset: AssetId, period: Period, held: Held) -> Told:
    """Ask the index, if there is one."""
    if site.index is None:
        return Told(None, "account.no_index")
    try:
        found = site.index.statement(
            address, asset, period.first, period.before, held, limit=MOVEMENTS
        )
    except IndexBehind:
        return Told(None, "statement.behind")
    except FAILURES:
        return Told(None, "account.index_failed")
    known = known_from(site.chain, found.from_block)
    first = period.first if period.first_date else None
    try:
        known_begin(known, found.from_block, first, period.before)
    except NotKnown:
        return Told(None, "statement.begins_later", known)
    return Told(found)


def _shown(found: Statement, period: Period, now: int, start: int) -> dict[str, Any]:
    """What the page shows of a statement: its chart, its dates, one page of its movements."""
    moved = found.movements
    asset, address = found.asset, found.account
    code = asset.partition(".")[0]
    end = min(period.before, now + 1)
    return {
        "balance": _chart(found, period, now),
        "rows": moved[start : start + PAGE],
        "start": start,
        "page": PAGE,
        "count": len(moved),
        "way_on": urlencode(_query(asset, period)),
        "export": f"{_path(address, 'export', asset, period)}&format=json",
        "csv": f"{_path(address, 'export', asset, period)}&format=csv",
        "bundle": _path(address, "bundle", asset, period),
        "file_name": f"statement-{code}-{address[:8]}",
        "end": max(end - 1, 0),
        "amount_of": lambda units: text_of(units, decimals_of(found.opening)),
    }


def _query(asset: AssetId | str, period: Period) -> dict[str, str]:
    """The query of this page."""
    given = {"asset": asset, "from": period.first_date, "until": period.last_date}
    return {name: text for name, text in given.items() if text}


def _path(address: str, what: str, asset: str, period: Period) -> str:
    """Where programs read the same period."""
    given = {"asset": asset}
    if period.first_date:
        given["from"] = str(period.first)
    if period.last_date:
        given["to"] = str(period.before)
    return f"/v1/accounts/{address}/{what}?{urlencode(given)}"


def _chart(found: Statement, period: Period, now: int) -> Chart | None:
    """The balance over the period, from its first movement on where it has no beginning."""
    moved = found.movements
    if not moved:
        return None
    first = period.first if period.first_date else moved[0].time
    last = moved[-1].time if found.after else max(min(period.before, now), moved[-1].time)
    return balance_chart(units_of(found.opening), _steps(moved), first, last)


def _steps(moved: Sequence[StatementMovement]) -> list[Step]:
    return [Step(one.time, units_of(one.balance)) for one in moved]
