"""`tongbao mydata` about the market: offers, requests, earnings, the archive, the page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from tongbao.cli.exits import Exit
from tongbao.cli.mydata_options import day, facts_of, folder_option, person_of
from tongbao.cli.options import Passphrase, json_option, passphrase_option, terminal_of
from tongbao.cli.terminal import count
from tongbao.cli.values import time_of

if TYPE_CHECKING:
    from tongbao.services.my_data.copies import Settled

DAY_MS = 86_400_000


@click.command(
    epilog="\b\nExample:\n  tongbao mydata offer --schema eggs.1 --field count "
    "--purpose dpv:AcademicResearch --region CN --asset CNY.3f... --price 20.00 "
    "--agent https://agent.example"
)
@click.option("--schema", required=True, help="Of which rows, as eggs.1.")
@click.option("--field", "fields", multiple=True, required=True, help="Repeat for several.")
@click.option("--purpose", "purposes", multiple=True, required=True, help="A term of W3C DPV.")
@click.option("--region", "regions", multiple=True, required=True, help="Country of buyers, as CN.")
@click.option(
    "--mode", type=click.Choice(("view", "store", "stream")), default="view", show_default=True
)
@click.option("--asset", required=True, help="What is paid with: CODE.ADDRESS.")
@click.option("--price", required=True, help="What you ask, with the asset's decimals.")
@click.option("--floor", help="What you take at least; else the price.")
@click.option("--daily-cap", type=click.IntRange(1, 10_000), default=10, show_default=True)
@click.option("--keep-days", type=click.IntRange(1, 3_660), default=30, show_default=True)
@click.option("--until", default="+90d", show_default=True, help="When the offer expires.")
@click.option("--agent", metavar="URL", help="Who seals for you; else you do it yourself.")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def offer(
    ctx: click.Context, /, folder: Path, passphrase_file: Path | None, **options: object
) -> int:
    """Offer fields of your rows to registered buyers, for these purposes alone.

    The agent gets a copy of each of your live months with just these fields open.
    """
    from tongbao.services.my_data.offering import Terms
    from tongbao.services.my_data.offering import offer as make

    given = dict(options)
    agent = given.pop("agent")
    terms = Terms(
        schema=str(given["schema"]),
        fields=_texts(given["fields"]),
        purposes=_texts(given["purposes"]),
        mode=str(given["mode"]),
        regions=_texts(given["regions"]),
        retention_ms=int(str(given["keep_days"])) * DAY_MS,
        asset=str(given["asset"]),
        price=str(given["price"]),
        floor=str(given["floor"] or given["price"]),
        daily_cap=int(str(given["daily_cap"])),
        expires_at=time_of(str(given["until"])),
    )
    with person_of(folder, passphrase_file) as person:
        made, settled = make(person, terms, None if agent is None else str(agent))
    facts = {"offer": made, "given": [name for _, name in settled.given]}
    verdict = f"offer {made}; {len(settled.given)} months handed to the agent"
    terminal_of(ctx).answer(facts, verdict)
    return _settled(ctx, settled)


def _texts(value: object) -> tuple[str, ...]:
    assert isinstance(value, tuple)
    return tuple(map(str, value))


def _settled(ctx: click.Context, settled: Settled) -> int:
    for name, why in settled.troubles:
        terminal_of(ctx).note(f"{name}: {why}")
    return Exit.BUSY if settled.troubles else Exit.DONE


@click.command(epilog="\b\nExample:\n  tongbao mydata offers")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def offers(ctx: click.Context, folder: Path, passphrase_file: Path | None) -> None:
    """List the offers that are in force."""
    from tongbao.kernel import jcs

    with person_of(folder, passphrase_file) as person:
        found = person.owned().offers
    rows = [
        (
            name,
            one.schema,
            " ".join(one.fields),
            " ".join(one.purposes),
            one.mode,
            f"{one.price} {one.asset.partition('.')[0]}",
            day(one.expires_at),
            one.agent or "yourself",
        )
        for name, one in found.items()
    ]
    names = ("offer", "schema", "fields", "purposes", "mode", "price", "until", "sealed by")
    facts = {"offers": {name: jcs.to_builtins(one) for name, one in found.items()}}
    terminal_of(ctx).table(facts, names, rows, count(len(rows), "offer"))


@click.command(epilog="\b\nExample:\n  tongbao mydata withdraw 8c...")
@click.argument("name", metavar="OFFER|ORDER")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def withdraw(ctx: click.Context, name: str, folder: Path, passphrase_file: Path | None) -> int:
    """Take an offer back, or say no to an order that is not revealed: from the next block on."""
    from tongbao.services.my_data.offering import withdraw as take_back

    with person_of(folder, passphrase_file) as person:
        what, settled = take_back(person, name)
    terminal_of(ctx).answer({what: name, "withdrawn": True}, f"{what} {name} is withdrawn")
    return _settled(ctx, settled)


@click.command(epilog="\b\nExample:\n  tongbao mydata requests")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def requests(ctx: click.Context, folder: Path, passphrase_file: Path | None) -> int:
    """List who asked for what, why, until when and for how much, and what became of it."""
    from tongbao.services.my_data.asked import asked

    with person_of(folder, passphrase_file) as person:
        log = asked(person, person.owned())
    rows = [
        (
            day(one.at),
            one.buyer,
            one.purpose,
            f"{one.schema}: {' '.join(one.fields)}",
            day(one.delete_by),
            f"{one.price} {one.asset.partition('.')[0]}",
            f"{one.state} ({one.number})" if one.number else one.state,
            one.why or one.rule or "-",
        )
        for one in log.asked
    ]
    for agent, why in log.silent:
        terminal_of(ctx).note(f"{agent}: {why}")
    names = ("when", "buyer", "purpose", "what", "kept until", "price", "state", "why")
    terminal_of(ctx).table(facts_of(log), names, rows, count(len(rows), "request"))
    return Exit.BUSY if log.silent else Exit.DONE


@click.command("statement", epilog="\b\nExample:\n  tongbao mydata statement --bonds")
@click.option("--bonds", is_flag=True, help="Look for deletion bonds, too: reads the whole chain.")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def show_statement(
    ctx: click.Context, bonds: bool, folder: Path, passphrase_file: Path | None
) -> None:
    """What you earned, by month, buyer and purpose.

    Kinds: `grant` is the price less its fee; `lapse` what an agent paid for an order that it let
    lapse; `bond` the deletion bond of a buyer that did not attest in time.
    """
    from tongbao.services.my_data.statement import look_for_bonds, statement

    with person_of(folder, passphrase_file) as person:
        owned = person.owned()
        found = statement(owned, look_for_bonds(owned) if bonds else None)
    if found.bonds_unknown:
        text = f"{count(found.bonds_unknown, 'deletion bond')} may have come to you or gone back"
        terminal_of(ctx).note(f"{text}: `--bonds` looks it up")
    rows = [
        (
            *(one.period, one.buyer, one.purpose, one.kind, one.grants, one.amount),
            one.asset.partition(".")[0],
        )
        for one in found.lines
    ]
    names = ("month", "buyer", "purpose", "kind", "grants", "amount", "asset")
    totals = ", ".join(f"{all_} {name}" for name, all_ in found.totals.items()) or "nothing"
    terminal_of(ctx).table(facts_of(found), names, rows, f"earned: {totals}")


@click.command(epilog="\b\nExample:\n  tongbao mydata pull")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def pull(ctx: click.Context, folder: Path, passphrase_file: Path | None) -> None:
    """Take everything that you have earned into your account."""
    from tongbao.services.my_data.offering import pull as pull_all

    with person_of(folder, passphrase_file) as person:
        found = pull_all(person)
    told = ", ".join(f"{amount} {asset}" for asset, amount in found.items()) or "nothing"
    terminal_of(ctx).answer({"pulled": found}, f"pulled: {told}")


@click.command(epilog="\b\nExample:\n  tongbao mydata export everything.zip")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@folder_option
@passphrase_option
@json_option
@click.pass_context
def export(ctx: click.Context, file: Path, folder: Path, passphrase_file: Path | None) -> None:
    """Write everything into the new archive FILE: rows in the clear, so keep it well."""
    from tongbao.services.my_data.archive import export as write

    with person_of(folder, passphrase_file) as person:
        manifest = write(person, file)
    facts = {"file": str(file), "files": len(manifest.files)}
    terminal_of(ctx).answer(facts, f"{count(len(manifest.files), 'file')} in {file}")


@click.command("import", epilog="\b\nExample:\n  tongbao mydata import everything.zip")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@folder_option
@passphrase_option
@json_option
@click.pass_context
def import_archive(
    ctx: click.Context, file: Path, folder: Path, passphrase_file: Path | None
) -> int:
    """Take the rows of an archive of yours; each month is checked as if its source had sent it."""
    from tongbao.services.my_data.archive import take_archive
    from tongbao.services.my_data.collecting import nothing, tidy

    with person_of(folder, passphrase_file) as person:
        done = take_archive(person, file)
        tidy(person, nothing())
    for one in done.refused:
        terminal_of(ctx).note(f"{one.name}: {one.number}: {one.why}")
    verdict = f"{len(done.taken)} taken, {len(done.refused)} refused"
    facts = {"taken": len(done.taken), "refused": facts_of(done.refused), "proofs": done.proofs}
    terminal_of(ctx).answer(facts, verdict)
    return Exit.WRONG if done.refused else Exit.DONE


@click.command(epilog="\b\nExample:\n  tongbao mydata page")
@click.option("--port", type=click.IntRange(0, 65_535), default=0, help="0 is any free one.")
@folder_option
@passphrase_option
@json_option
@click.pass_context
def page(ctx: click.Context, port: int, folder: Path, passphrase_file: Path | None) -> None:
    """Serve the page to this machine's browser until Ctrl-C. Its address works once."""
    from tongbao.services.my_data.beginning import open_person
    from tongbao.services.my_data.page.program import serve_page
    from tongbao.services.serving.logs import send_log

    send_log("warning", "text")
    terminal = terminal_of(ctx)
    with open_person(folder, Passphrase(passphrase_file).get()) as person:
        serve_page(person, port, click.echo)
    terminal.answer({}, "stopped")
