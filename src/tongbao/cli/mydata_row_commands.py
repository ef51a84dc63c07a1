"""`tongbao mydata` about rows: consents, what sources left, what one tells oneself, erasure."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.mydata_options import day, facts_of, folder_option, person_of
from tongbao.cli.options import json_option, passphrase_option, terminal_of
from tongbao.cli.terminal import count
from tongbao.cli.values import time_of

if TYPE_CHECKING:
    from tongbao.cli.terminal import Terminal
    from tongbao.services.my_data.collecting import Collected
    from tongbao.services.my_data.notebook import Erasure

FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
MONTH = "YYYY-MM"


@click.command(
    epilog="\b\nExample:\n  tongbao mydata consent 3f... eggs.1 --until +365d --out consent.jws"
)
@click.argument("source")
@click.argument("schema")
@click.option("--until", default="+365d", show_default=True, help="When it ends.")
@click.option("--out", type=click.Path(dir_okay=False, path_type=Path), required=True)
@folder_option
@passphrase_option
@json_option
@click.pass_context
def consent(
    ctx: click.Context,
    source: str,
    schema: str,
    until: str,
    out: Path,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Let SOURCE attest your rows of SCHEMA each month, and leave them at your store.

    Hand the file OUT to the source. Nothing is sold by it: for that you make an offer.
    """
    from tongbao.sdk.folder import write_private
    from tongbao.services.my_data.consenting import consent as give

    with person_of(folder, passphrase_file) as person:
        given = give(person, source, schema, time_of(until))
    write_private(out, given.jws.encode() + b"\n")  # whoever reads it can leave parcels
    facts = {"source": source, "schema": schema, "ends": given.ends, "file": str(out)}
    terminal_of(ctx).answer(facts, f"{out}: until {day(given.ends)}; hand it to the source")


@click.command(epilog="\b\nExample:\n  tongbao mydata consents")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def consents(ctx: click.Context, folder: Path, passphrase_file: Path | None) -> None:
    """List the consents that you gave to sources."""
    with person_of(folder, passphrase_file) as person:
        found, now = person.notebook.consents, person.now()
    rows = [
        (one.source, one.schema, one.method, day(one.ends), _standing(one.withdrawn, one.ends, now))
        for one in found
    ]
    names = ("source", "schema", "method", "ends", "standing")
    facts = {"consents": facts_of(found)}
    terminal_of(ctx).table(facts, names, rows, count(len(rows), "consent"))


def _standing(withdrawn: bool, ends: int, now: int) -> str:
    return "withdrawn" if withdrawn else "ended" if ends <= now else "in force"


@click.command(epilog="\b\nExample:\n  tongbao mydata end-consent 3f... eggs.1")
@click.argument("source")
@click.argument("schema")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def end_consent(
    ctx: click.Context, source: str, schema: str, folder: Path, passphrase_file: Path | None
) -> None:
    """Let SOURCE leave nothing more of SCHEMA: its next parcel is refused at the store."""
    from tongbao.services.my_data.consenting import withdraw_consent

    with person_of(folder, passphrase_file) as person:
        withdraw_consent(person, source, schema)
    facts = {"source": source, "schema": schema}
    terminal_of(ctx).answer(facts, f"{source} can leave no more rows of {schema}")


@click.command(epilog="\b\nExample:\n  tongbao mydata collect")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def collect(ctx: click.Context, folder: Path, passphrase_file: Path | None) -> int:
    """Take every parcel that sources left: checked, kept at the store, copied to your agents.

    What is wrong is told and left out; the rest goes on. Erasures and withdrawn offers are gone on
    with, too, so run it each month, or by a timer. Ends with 65 if anything was refused.
    """
    from tongbao.services.my_data.collecting import collect as collect_all

    with person_of(folder, passphrase_file) as person:
        return _tell(terminal_of(ctx), collect_all(person))


@click.command(epilog="\b\nExample:\n  tongbao mydata receive 2026-03.parcel")
@click.argument("file", type=FILE)
@folder_option
@passphrase_option
@json_option
@click.pass_context
def receive(ctx: click.Context, file: Path, folder: Path, passphrase_file: Path | None) -> int:
    """Take the parcel in FILE, as `collect` does those at the store."""
    from tongbao.services.my_data.collecting import receive as receive_file

    with person_of(folder, passphrase_file) as person:
        return _tell(terminal_of(ctx), receive_file(person, file))


def _tell(terminal: Terminal, found: Collected) -> int:
    """What came of a visit to the inbox."""
    rows: list[tuple[Any, ...]] = [
        (one.schema, one.period, one.version, one.method, one.count, "taken", "")
        for one in found.taken
    ]
    rows += [
        ("-", "-", "-", "-", "-", "refused", f"{one.number}: {one.why}") for one in found.refused
    ]
    rows += [
        ("-", "-", "-", "-", "-", "waiting", f"{one.number}: {one.why}") for one in found.waiting
    ]
    for one in found.corrected:
        terminal.note(f"{one.batch} corrects {one.before}; {count(len(one.holders), 'buyer')} keep")
    for source, schema, month in found.gaps:
        terminal.note(f"{source} left out {month} of {schema}")
    troubles = found.settled.troubles if found.settled else []
    for name, why in troubles:
        terminal.note(f"{name}: {why}")
    verdict = (
        f"{count(len(found.taken), 'batch').replace('batchs', 'batches')} taken, "
        f"{len(found.refused)} refused, {len(found.waiting)} waiting"
    )
    columns = ("schema", "month", "version", "method", "rows", "standing", "why")
    terminal.table(facts_of(found), columns, rows, verdict)
    return Exit.WRONG if found.refused else Exit.BUSY if troubles else Exit.DONE


@click.command(epilog="\b\nExample:\n  tongbao mydata prove")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def prove(ctx: click.Context, folder: Path, passphrase_file: Path | None) -> None:
    """Show the ledger where a source has signed two contents of one month: its bond goes.

    Both attestations are public then; they have no values. You are paid nothing for it.
    """
    from tongbao.services.my_data.proving import prove as prove_all

    with person_of(folder, passphrase_file) as person:
        ended, proofs = prove_all(person), person.notebook.proofs
    facts = {"ended": ended, "proofs": facts_of(proofs)}
    terminal_of(ctx).answer(facts, f"{count(ended, 'source')} ended by it")


@click.command(
    "import-rows",
    epilog="\b\nExample:\n  tongbao mydata import-rows march.csv --schema eggs.json "
    "--month 2026-03",
)
@click.argument("file", type=FILE)
@click.option("--schema", "schema_file", type=FILE, required=True, help="JSON file of the schema.")
@click.option("--month", required=True, metavar=MONTH, help="The month that the rows are of.")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def import_rows(
    ctx: click.Context,
    file: Path,
    schema_file: Path,
    month: str,
    folder: Path,
    passphrase_file: Path | None,
) -> None:
    """Tell the rows of FILE (.csv or .json) yourself; the ledger and buyers see `self`.

    Columns or members are the fields of the schema, and `event` where rows have names. Telling a
    month again is a correction: a new version of it.
    """
    from tongbao.services.my_data.copies import settle_copies
    from tongbao.services.my_data.own_rows import read_rows, read_schema, tell

    schema = read_schema(schema_file)
    with person_of(folder, passphrase_file) as person:
        rows = read_rows(file, schema, person.keys.signer.public_key, month)
        kept = tell(person, schema, rows, month)
        settle_copies(person, person.owned())
        person.put_notebook()
    verdict = f"{count(kept.count, 'row')} of {month}, self-reported, version {kept.version}"
    terminal_of(ctx).answer(facts_of(kept), verdict)


@click.command(epilog="\b\nExample:\n  tongbao mydata batches")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def batches(ctx: click.Context, folder: Path, passphrase_file: Path | None) -> None:
    """List your months of rows; `self` is what you told yourself, and nobody attests."""
    with person_of(folder, passphrase_file) as person:
        owned, found = person.owned(), person.notebook.batches
        rows = [
            (
                one.batch,
                one.schema,
                one.period,
                one.version,
                one.method,
                one.count,
                "live" if owned.is_live(one.batch) else "superseded",
            )
            for one in found
        ]
    names = ("batch", "schema", "month", "version", "method", "rows", "standing")
    verdict = count(len(rows), "batch").replace("batchs", "batches")
    terminal_of(ctx).table({"batches": facts_of(found)}, names, rows, verdict)


@click.command(epilog="\b\nExample:\n  tongbao mydata erase 8c... --yes")
@click.argument("batch", required=False)
@click.option("--all", "everything", is_flag=True, help="Every batch that there is.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def erase(
    ctx: click.Context,
    batch: str | None,
    everything: bool,
    yes: bool,
    folder: Path,
    passphrase_file: Path | None,
) -> int:
    """Erase BATCH with all versions of its month: at the ledger, the store and your agents.

    It can't be taken back. Whoever bought rows keeps them until the licence ends; the receipt says
    who. What can't be reached now is erased by the next `collect`; it ends with 75 until then.
    """
    from tongbao.services.my_data.erasing import erase as erase_one
    from tongbao.services.my_data.erasing import erase_all

    if (batch is None) == (not everything):
        raise CommandError("name one batch, or say --all", "tongbao mydata erase --help")
    if not yes:
        click.confirm("Erase for good?", abort=True, err=True)
    with person_of(folder, passphrase_file) as person:
        done = erase_all(person) if everything else erase_one(person, batch or "")
    return _tell_erasures(terminal_of(ctx), done)


@click.command(epilog="\b\nExample:\n  tongbao mydata erasures")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def erasures(ctx: click.Context, folder: Path, passphrase_file: Path | None) -> int:
    """List what was asked to be erased, until when it has to be, and the receipts."""
    with person_of(folder, passphrase_file) as person:
        return _tell_erasures(terminal_of(ctx), list(person.notebook.erasures))


def _tell_erasures(terminal: Terminal, done: list[Erasure]) -> int:
    rows = [
        (
            one.batch,
            day(one.asked_at),
            day(one.done_at) if one.done_at else f"due {day(one.due_at)}",
            ", ".join(one.left) or "-",
            len(one.holders),
        )
        for one in done
    ]
    left = sum(1 for one in done if one.done_at is None)
    names = ("batch", "asked", "erased", "not yet at", "buyers that keep rows")
    verdict = f"{len(done) - left} erased, {left} to be gone on with"
    terminal.table({"erasures": facts_of(done)}, names, rows, verdict)
    return Exit.BUSY if left else Exit.DONE
