"""The report for people; the last line is the verdict."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from tongbao.demo.market.story import EARNINGS, Report

DIFFERENCES_SHOWN: Final = 20
EARNERS_SHOWN: Final = 5


def dollars(cents: int) -> str:
    """Cents as dollars."""
    return f"{cents / 100:,.2f} USD"


def tell_story(report: Report, folder: Path) -> None:
    """All that a run did and found."""
    for line in lines_of(report, folder):
        click.echo(line)
    for difference in report.differences[:DIFFERENCES_SHOWN]:
        click.echo(f"differs: {difference}")
    click.echo("\nTry next:")
    for words in suggestions(report, folder):
        click.echo(f"  {words}")
    click.echo()
    click.echo(verdict(report))


def lines_of(report: Report, folder: Path) -> Iterator[str]:
    """The report, line by line."""
    accounts, canaries = report.accounts, report.canaries
    yield f"chain {report.chain} at height {report.height}, in {folder}"
    yield (
        f"{report.households:,} households with {report.members:,} members' keys; "
        f"{report.batches:,} attested months with {report.rows:,} rows"
    )
    rate = report.grants / report.seconds_trading
    yield (
        f"{report.grants:,} grants bought, checked, opened and accepted ({rate:,.1f} a second), "
        f"{report.rows_bought:,} rows; {report.deleted:,} deletions attested"
    )
    yield "\nWho misbehaved, and what it came to:"
    for one in report.deviations:
        case = one.case
        owner = dollars(case.owner)
        yield f"  {case.name:36} {one.phase:10} owner {owner}, panel {dollars(case.panel)}"
    yield f"  an onlooker with ledger and package opened none, in {report.unopened} tries"
    yield "\nWhat was refused, and why:"
    for why, times in report.refused.items():
        yield f"  {times} x {why}"
    yield "\nThe accounts, of the ledger:"
    yield f"  orders       {', '.join(f'{count:,} {name}' for name, count in phases(report))}"
    yield f"  payments     {dollars(accounts.payments)}"
    yield f"  agents' fees {dollars(accounts.fees)}"
    yield f"  from bonds   {dollars(accounts.compensation)} to owners whose agent never revealed"
    yield f"  to the panel {dollars(accounts.deposits)}, of a bond and a deposit"
    yield f"  earned       {dollars(accounts.households)} by {len(accounts.earned):,} households"
    most = sorted(accounts.earned.items(), key=lambda pair: (-pair[1], pair[0]))
    for number, cents in most[:EARNERS_SHOWN]:
        yield f"    household {number}: {dollars(cents)}"
    if len(most) > EARNERS_SHOWN:
        more = len(most) - EARNERS_SHOWN
        yield f"    and {more:,} more: {folder / EARNINGS} has them all"
    yield (
        f"\nCanaries: {canaries.planted} planted texts in {canaries.forms} forms, looked for in "
        f"{canaries.bytes_read:,} bytes of {canaries.files:,} files and {canaries.bytes_sent:,} "
        f"that went over sockets; {canaries.guesses:,} guesses at {canaries.hashes:,} hashes; "
        f"{len(canaries.found)} found"
    )


def phases(report: Report) -> list[tuple[str, int]]:
    """How many orders ended how."""
    return sorted(report.accounts.phases.items())


def suggestions(report: Report, folder: Path) -> Iterator[str]:
    """Commands that go on from here, as they can be typed where this one was."""
    program = "tongbao" if shutil.which("tongbao") else sys.argv[0]
    order = report.deviations[0].case.order
    yield f"curl '{report.address}/v1/data/order?order={order}'"
    yield f"{program} demo data --all --folder {folder}"


def verdict(report: Report) -> str:
    """The last line."""
    accounts = report.accounts
    word = "FAILED" if report.differences else "agreed"
    return (
        f"{word}: {dollars(accounts.households)} earned by {len(accounts.earned):,} households is "
        f"{dollars(accounts.payments)} paid less {dollars(accounts.fees)} fees and with "
        f"{dollars(accounts.compensation)} of a bond; {len(report.differences)} differences, "
        f"{len(report.canaries.found)} values found where none may be"
    )
