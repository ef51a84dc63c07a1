"""`tongbao data-source`: a shop or club attests to its customers what it knows of them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tongbao.cli.data_source_keeping import consents, events
from tongbao.cli.data_source_session import everywhere, opened
from tongbao.cli.exits import Exit
from tongbao.cli.options import Passphrase, terminal_of
from tongbao.cli.session import Session
from tongbao.cli.terminal import count

if TYPE_CHECKING:
    from tongbao.services.data_source.delivering import Delivery
    from tongbao.services.data_source.monthly import Month


@click.group("data-source", no_args_is_help=True)
def data_source() -> None:
    """Attest monthly batches of rows to customers who have consented, and deliver them."""


data_source.add_command(consents)
data_source.add_command(events)


@data_source.command(
    epilog="\b\nExample:\n  tongbao data-source init --account shop --schema eggs.json \\\n"
    "      --store https://store.example"
)
@click.option("--account", required=True, help="The source's account, by name or address.")
@click.option("--key", help="Its key in the keystore; else the one named as the account is.")
@click.option(
    "--schema",
    "schemas",
    type=click.Path(dir_okay=False, path_type=Path),
    multiple=True,
    help="File with a schema whose rows it tells; repeat it.",
)
@click.option(
    "--about",
    type=click.Choice(["person", "household"]),
    default="person",
    show_default=True,
    help="Whether a customer of these schemas is one person.",
)
@click.option(
    "--store", "stores", multiple=True, help="A store that parcels may be left at; repeat it."
)
@everywhere
@click.pass_context
def init(
    ctx: click.Context,
    account: str,
    key: str | None,
    schemas: tuple[Path, ...],
    about: str,
    stores: tuple[str, ...],
    folder: Path,
    node: str | None,
    passphrase_file: Path | None,
) -> None:
    """Begin a source in FOLDER/data-source, or tell one of more schemas and stores."""
    from tongbao.services.data_source.setting_up import settled, with_schemas, with_stores
    from tongbao.services.data_source.source import begin_source

    session = Session(folder, Passphrase(passphrase_file), node)
    address = session.book.address(account)
    name = key or next(iter(session.book.names_of(address)), account)
    signer = session.keystore.unlock(name, session.passphrase.get())
    with session.open(write=False) as chain:
        settings = settled(folder, chain, address, (name, signer.key_id))
        kind: Any = about
        settings = with_stores(with_schemas(settings, chain, schemas, kind), stores)
    begin_source(folder, settings, session.passphrase.get())
    facts = {
        "account": address,
        "schemas": [one.schema.name for one in settings.schemas],
        "stores": list(settings.stores),
    }
    told = count(len(settings.schemas), "schema")
    terminal_of(ctx).answer(facts, f"a source of {told} in {folder}")


@data_source.command(epilog="\b\nExample:\n  tongbao data-source month 2026-03")
@click.argument("period")
@everywhere
@click.pass_context
def month(
    ctx: click.Context, period: str, folder: Path, node: str | None, passphrase_file: Path | None
) -> int:
    """Attest the month PERIOD to each customer, also where there is no row, and commit to it.

    A run that was stopped goes on with the same batches: run it again.
    """
    from tongbao.services.data_source.monthly import make_month
    from tongbao.services.data_source.settings import check_period

    checked = check_period(period)
    terminal = terminal_of(ctx)
    with opened(folder, node, passphrase_file) as (source, chain), terminal.progress() as tell:
        return _told_month(ctx, make_month(source, chain, checked, tell))


@data_source.command(epilog="\b\nExample:\n  tongbao data-source correct 2026-03")
@click.argument("period")
@everywhere
@click.pass_context
def correct(
    ctx: click.Context, period: str, folder: Path, node: str | None, passphrase_file: Path | None
) -> int:
    """Attest anew what has changed of the month PERIOD: the next version, which names the last."""
    from tongbao.services.data_source.monthly import correct_month
    from tongbao.services.data_source.settings import check_period

    checked = check_period(period)
    terminal = terminal_of(ctx)
    with opened(folder, node, passphrase_file) as (source, chain), terminal.progress() as tell:
        return _told_month(ctx, correct_month(source, chain, checked, tell))


@data_source.command(epilog="\b\nExample:\n  tongbao data-source push")
@everywhere
@click.pass_context
def push(ctx: click.Context, folder: Path, node: str | None, passphrase_file: Path | None) -> int:
    """Leave what the ledger has, and customers have not, at their stores.

    Who has deleted the drop there has withdrawn: the consent ends here, too.
    """
    from tongbao.services.data_source.delivering import push as leave_all
    from tongbao.services.data_source.stores import Stores

    terminal = terminal_of(ctx)
    with (
        opened(folder, node, passphrase_file) as (source, chain),
        Stores() as stores,
        terminal.progress() as tell,
    ):
        return _told_delivery(ctx, leave_all(source, chain.now(), stores.leave, tell))


@data_source.command(epilog="\b\nExample:\n  tongbao data-source export parcels")
@click.argument("to", type=click.Path(file_okay=False, path_type=Path), metavar="DIRECTORY")
@click.option("--all", "whole", is_flag=True, help="Also those that `push` could leave.")
@everywhere
@click.pass_context
def export(
    ctx: click.Context,
    to: Path,
    whole: bool,
    folder: Path,
    node: str | None,
    passphrase_file: Path | None,
) -> int:
    """Write parcels as files, a folder in DIRECTORY for each consent, where no store can be used.

    Only the customer can open one: `tongbao mydata receive FILE`.
    """
    from tongbao.services.data_source.delivering import export as write_all

    terminal = terminal_of(ctx)
    with opened(folder, node, passphrase_file) as (source, chain), terminal.progress() as tell:
        return _told_delivery(ctx, write_all(source, chain.now(), to, tell, whole=whole))


@data_source.command(epilog="\b\nExample:\n  tongbao data-source status")
@everywhere
@click.pass_context
def status(
    ctx: click.Context, folder: Path, node: str | None, passphrase_file: Path | None
) -> None:
    """Show how far each month is, what was refused, what is missing, and what the ledger lets."""
    from tongbao.kernel import jcs
    from tongbao.services.data_source.looking import standing

    with opened(folder, node, passphrase_file) as (source, chain):
        found = standing(source, chain)
    facts = jcs.to_builtins(found)
    terminal = terminal_of(ctx)
    for why, many in found.refusals.items():
        terminal.note(f"refused {many} times: {why}")
    names = list(facts["months"][0]) if facts["months"] else ["schema", "period"]
    rows = [list(month.values()) for month in facts["months"]]
    missing = sum(one.missing for one in found.months)
    verdict = (
        f"{count(found.consents.get('in force', 0), 'consent')} in force; "
        f"{count(found.events, 'event')} not told yet; {count(missing, 'month')} missing"
    )
    terminal.table(facts, names, rows, verdict)


def _told_month(ctx: click.Context, found: Month) -> int:
    terminal = terminal_of(ctx)
    for why, many in found.refused.items():
        terminal.note(f"refused {many} times: {why}")
    facts: dict[str, Any] = {
        "drawn": found.drawn,
        "committed": found.committed,
        "ended": found.ended,
        "retired": found.retired,
        "undone": found.undone,
        "refused": dict(found.refused),
    }
    refused = sum(found.refused.values())
    verdict = (
        f"{found.committed} committed, {refused} refused, {found.undone} undone; "
        f"{count(found.ended, 'consent')} ended"
    )
    terminal.answer(facts, verdict)
    if found.undone:
        return Exit.BUSY
    return Exit.REFUSED if refused else Exit.DONE


def _told_delivery(ctx: click.Context, found: Delivery) -> int:
    terminal = terminal_of(ctx)
    for store, why in found.failed.items():
        terminal.note(f"{store}: {why}")
    facts = {
        "delivered": found.delivered,
        "withdrawn": found.withdrawn,
        "ended": found.ended,
        "elsewhere": found.elsewhere,
        "undone": found.undone,
        "failed": found.failed,
    }
    verdict = (
        f"{count(found.delivered, 'parcel')} delivered, {found.undone} undone, "
        f"{found.elsewhere} to be exported; {count(found.withdrawn, 'consent')} withdrawn"
    )
    terminal.answer(facts, verdict)
    return Exit.BUSY if found.undone else Exit.DONE
