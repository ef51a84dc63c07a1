"""`tongbao data-source consents` and `events`: what months are made by, and made of."""

from __future__ import annotations

from pathlib import Path

import click

from tongbao.cli.data_source_session import everywhere, opened, opened_alone
from tongbao.cli.exits import Exit
from tongbao.cli.options import terminal_of
from tongbao.cli.terminal import count


@click.group(no_args_is_help=True)
def consents() -> None:
    """Keep the consents of customers."""


@click.group(no_args_is_help=True)
def events() -> None:
    """Keep the events that months are made of."""


@consents.command(
    epilog="\b\nExample:\n  tongbao data-source consents add consent.jws --customer 4711"
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--customer", help="How the source knows the person; else each line of FILE says it.")
@everywhere
@click.pass_context
def add(
    ctx: click.Context,
    file: Path,
    customer: str | None,
    folder: Path,
    node: str | None,
    passphrase_file: Path | None,
) -> None:
    """Keep the consents in FILE, each once the ledger says that it is the person's.

    FILE has one consent with --customer, else lines {"consent":"...","customer":"..."}. Those
    before a line that is refused are kept.
    """
    from tongbao.services.data_source.consent_files import read_consents
    from tongbao.services.data_source.consents import add_consent, check_consent
    from tongbao.services.data_source.settings import SourceError

    new = known = 0
    methods: dict[str, str] = {}
    with opened(folder, node, passphrase_file) as (source, chain):
        for number, line in read_consents(file, customer):
            try:
                text = line.consent.encode()
                signed = check_consent(text, source.settings, chain, chain.now(), methods)
                is_new = add_consent(source, line.customer, signed)
            except SourceError as error:
                raise SourceError(
                    f"line {number}: {error}", error.advice, error.exit_code
                ) from None
            new, known = new + is_new, known + (not is_new)
    facts = {"new": new, "known": known}
    terminal_of(ctx).answer(facts, f"{count(new, 'consent')} added, {known} known before")


@consents.command("list", epilog="\b\nExample:\n  tongbao data-source consents list")
@click.option("--all", "all_states", is_flag=True, help="Also those that have ended.")
@everywhere
@click.pass_context
def list_consents(
    ctx: click.Context,
    all_states: bool,
    folder: Path,
    node: str | None,
    passphrase_file: Path | None,
) -> None:
    """List the consents in force: whose, of which schema, until when."""
    from tongbao.services.data_source.consents import consents as held_ones

    names = ("id", "customer", "account", "schema", "ends", "state")
    with opened_alone(folder, passphrase_file) as source:
        rows = [
            (
                held.id.hex(),
                held.customer,
                None if held.signed is None else held.signed.consent.account,
                held.schema,
                held.ends,
                held.state,
            )
            for held in held_ones(source, all_states=all_states)
        ]
    facts = {"consents": [dict(zip(names, row, strict=True)) for row in rows]}
    terminal_of(ctx).table(facts, names, rows, count(len(rows), "consent"))


@consents.command(epilog="\b\nExample:\n  tongbao data-source consents remove 5f0c...")
@click.argument("consent", metavar="ID")
@everywhere
@click.pass_context
def remove(
    ctx: click.Context, consent: str, folder: Path, node: str | None, passphrase_file: Path | None
) -> None:
    """End the consent ID, and forget the rows and secrets that were kept by it.

    Which events and months were told stays known, so that none is told twice.
    """
    from tongbao.services.data_source.consents import end_consent, id_of

    with opened_alone(folder, passphrase_file) as source:
        end_consent(source, id_of(source, consent), "removed")
    terminal_of(ctx).answer({"id": consent}, f"consent {consent} has ended; its rows are forgotten")


@events.command(
    "add",
    epilog="\b\nExample:\n  tongbao data-source events add march.csv --schema eggs.1 "
    "--period 2026-03",
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--schema", required=True, help="Of which schema the rows are.")
@click.option("--period", required=True, metavar="YYYY-MM", help="Of which month.")
@click.option("--replace", is_flag=True, help="Events that are known get their new values.")
@everywhere
@click.pass_context
def add_events(
    ctx: click.Context,
    file: Path,
    schema: str,
    period: str,
    replace: bool,
    folder: Path,
    node: str | None,
    passphrase_file: Path | None,
) -> None:
    """Keep the events in FILE: CSV with a header `customer,event,FIELD...`, else JSON lines.

    All of them or, if one is wrong, none. Events of customers without a consent are counted and not
    kept; an event is one customer's alone.
    """
    from tongbao.services.data_source.event_files import read_events
    from tongbao.services.data_source.events import add_events as keep
    from tongbao.services.data_source.settings import check_period

    month = check_period(period)
    with opened_alone(folder, passphrase_file) as source:
        told = source.settings.told(schema).schema
        added = keep(source, told, month, read_events(file, told), replace=replace)
    facts = {
        "new": added.new,
        "changed": added.changed,
        "known": added.known,
        "without_consent": added.without_consent,
    }
    verdict = f"{count(added.new, 'event')} added, {added.changed} changed"
    terminal_of(ctx).answer(facts, verdict)


@events.command("remove", epilog="\b\nExample:\n  tongbao data-source events remove bon-1/3")
@click.argument("event")
@everywhere
@click.pass_context
def remove_event(
    ctx: click.Context, event: str, folder: Path, node: str | None, passphrase_file: Path | None
) -> int:
    """Take EVENT back; where a month has told it, `correct` says so."""
    from tongbao.services.data_source.events import remove_event as take_back

    with opened_alone(folder, passphrase_file) as source:
        gone = take_back(source, event)
    verdict = "the event is taken back" if gone else "no event of this id is known"
    terminal_of(ctx).answer({"removed": gone}, verdict)
    return Exit.DONE if gone else Exit.NOTHING
