"""`tongbao data-buyer`: ask people for data about them, pay, check what comes, and delete it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from msgspec.structs import replace

from tongbao.cli.data_desk import (
    Desk,
    acting,
    common_options,
    desk_of,
    keep,
    lay,
    own_option,
    places_of,
    session_of,
)
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import (
    terminal_of,
)
from tongbao.cli.terminal import count

if TYPE_CHECKING:
    from tongbao.sdk.data.buyer import Buyer

orders_option = own_option("orders", "bought", "Folder of the buyer's orders.")
place_option = click.option(
    "--place",
    "places",
    multiple=True,
    metavar="ACCOUNT=URL",
    help="Where the program of an agent or adjudicator is; it is remembered. Repeat it.",
)
common = common_options(orders_option)


@contextmanager
def buying(given: dict[str, Any], places: tuple[str, ...] = ()) -> Iterator[Buyer]:
    """The buyer of the common options; what was under way when it was killed is settled."""
    from tongbao.sdk.data.buyer import Buyer
    from tongbao.sdk.data.orders_folder import OrdersFolder

    session, own = session_of(given), given["own"]
    desk = remembered(own, desk_of(own), places_of(places, session))
    with (
        OrdersFolder.open(own, session.passphrase.get()) as folder,
        acting(session, desk) as (chain, wallet),
    ):
        buyer = Buyer(chain, wallet, folder, desk.places)
        buyer.sender.resume()
        yield buyer


def remembered(own: Path, desk: Desk, places: dict[str, str]) -> Desk:
    """The settings with what was named beside them."""
    if places.items() <= desk.places.items():
        return desk
    found = replace(desk, places=desk.places | places)
    keep(own, found)
    return found


@click.group("data-buyer", no_args_is_help=True)
def data_buyer() -> None:
    """Ask people for data about them, pay, check what comes, and delete it."""


@data_buyer.command(
    epilog="\b\nExample:\n  tongbao data-buyer init --as insurer --place ann=https://agent.example"
)
@click.option("--as", "account", required=True, help="The account that buys: name or address.")
@click.option("--key", help="Its key in the keystore. Default: the one of its name.")
@place_option
@common
def init(
    ctx: click.Context, account: str, key: str | None, places: tuple[str, ...], **given: Any
) -> None:
    """Lay out the folder of the buyer's orders, under the passphrase of its key."""
    from tongbao.sdk.data.orders_folder import OrdersFolder

    session, own = session_of(given), given["own"]
    desk = lay(session, own, account, key, places_of(places, session))
    passphrase = session.passphrase.get()
    session.keystore.unlock(desk.key, passphrase)  # the wrong one would open nothing later
    OrdersFolder.create(own, passphrase).close()
    keep(own, desk)
    facts = {"orders": str(own), "account": desk.account, "key": desk.key, "places": desk.places}
    terminal_of(ctx).answer(facts, f"{desk.account} buys from {own}")


@data_buyer.command(
    epilog="\b\nExample:\n  tongbao data-buyer order 4f...c2 --deletion-bond 5.00 --seal-by +1d"
)
@click.argument("request")
@click.option("--deletion-bond", required=True, help="Comes back when deletion is attested.")
@click.option("--seal-by", default="+1d", show_default=True, help="Until when it may be sealed.")
@common
def order(ctx: click.Context, request: str, deletion_bond: str, seal_by: str, **given: Any) -> None:
    """Order what REQUEST (its hash) asked for; price and bond are set aside."""
    from tongbao.cli.sending import check
    from tongbao.cli.values import time_of
    from tongbao.kernel import Amount

    bond, until = check(Amount, deletion_bond, "--deletion-bond"), time_of(seal_by)
    with buying(given) as buyer:
        name = buyer.order(request, deletion_bond=bond, seal_by=until)
    terminal_of(ctx).answer({"order": name, "request": request}, f"order {name} is open")


@data_buyer.command(epilog="\b\nExample:\n  tongbao data-buyer fetch 7a...91")
@click.argument("order")
@place_option
@common
def fetch(ctx: click.Context, order: str, places: tuple[str, ...], **given: Any) -> None:
    """Fetch the package of a sealed ORDER, and check package, receipt and key."""
    with buying(given, places) as buyer:
        path = buyer.fetch(order)
        size = path.stat().st_size
    facts = {"order": order, "bytes": size, "file": str(path)}
    terminal_of(ctx).answer(facts, f"order {order}: the package is what was sealed; confirm it")


@data_buyer.command(epilog="\b\nExample:\n  tongbao data-buyer confirm 7a...91")
@click.argument("order")
@common
def confirm(ctx: click.Context, order: str, **given: Any) -> None:
    """Say that the package of ORDER is here: from its reveal on the money is owed."""
    with buying(given) as buyer:
        buyer.confirm(order)
    terminal_of(ctx).answer({"order": order, "phase": "confirmed"}, f"order {order} is confirmed")


@data_buyer.command("open", epilog="\b\nExample:\n  tongbao data-buyer open 7a...91 --out eggs.csv")
@click.argument("order")
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the rows to this file, .csv or .jsonl; `delete` removes it.",
)
@common
def open_order(ctx: click.Context, order: str, out: Path | None, **given: Any) -> int:
    """Judge the package of a revealed ORDER, and write its rows; without --out they are counted."""
    from tongbao.rights.judge import Verdict
    from tongbao.sdk.data.rows_files import FORMS

    if out is not None and out.suffix not in FORMS:
        raise CommandError(f"{out} ends in none of {', '.join(FORMS)}", "name it so")
    with buying(given) as buyer:
        verdict = buyer.verdict(order)
        rows = 0
        if verdict is Verdict.OK:
            rows = sum(1 for _ in buyer.rows(order)) if out is None else buyer.write(order, out)
    facts = {"order": order, "verdict": verdict.name, "rows": rows}
    if verdict is Verdict.OK:
        terminal_of(ctx).answer(facts, f"{count(rows, 'row')}, all committed to")
        return Exit.DONE
    following = "claim it" if verdict.upheld else "fetch it again: it is damaged here"
    terminal_of(ctx).answer(facts, f"{verdict.name}: {verdict.value}; {following}")
    return Exit.WRONG


@data_buyer.command(epilog="\b\nExample:\n  tongbao data-buyer accept 7a...91")
@click.argument("order")
@common
def accept(ctx: click.Context, order: str, **given: Any) -> None:
    """Say that ORDER is what was ordered; silence says it too, a day later."""
    with buying(given) as buyer:
        buyer.accept(order)
    terminal_of(ctx).answer({"order": order, "phase": "settled"}, f"order {order} is settled")


@data_buyer.command(
    epilog="\b\nExample:\n  tongbao data-buyer claim 7a...91 --place ann=https://panel.example"
)
@click.argument("order")
@click.option("--in-spite", is_flag=True, help="Claim although the own judge finds no ground.")
@click.option(
    "--parcel",
    "statements",
    multiple=True,
    metavar="ACCOUNT=FILE",
    help="Write the parcel for an adjudicator whose signed key is in FILE. Repeat it.",
)
@place_option
@common
def claim(
    ctx: click.Context,
    order: str,
    in_spite: bool,
    statements: tuple[str, ...],
    places: tuple[str, ...],
    **given: Any,
) -> int:
    """Claim that ORDER's package is faulty, and show the evidence to the panel.

    Again on a claimed order: shows it to those of the panel that have not been told.
    """
    from tongbao.cli.options import read_file
    from tongbao.sdk.data.ending import write_evidence
    from tongbao.sdk.data.facts import order_row

    files = places_of(statements, session_of(given))
    with buying(given, places) as buyer:
        if order_row(buyer.chain, order).phase == "revealed":
            buyer.claim(order, in_spite=in_spite)
        answers = buyer.show_panel(order, buyer.agents)
        for adjudicator, file in files.items():
            path = buyer.folder.evidence(order, adjudicator)
            write_evidence(buyer, order, adjudicator, read_file(Path(file)).strip(), path)
            answers[adjudicator] = f"its parcel is {path}"
    told = sum(1 for answer in answers.values() if answer == "told")
    facts = {"order": order, "phase": "claimed", "panel": answers}
    terminal_of(ctx).answer(facts, f"{told} of {len(answers)} adjudicators have the evidence")
    return Exit.DONE if told == len(answers) else Exit.BUSY


@data_buyer.command(epilog="\b\nExample:\n  tongbao data-buyer cancel 7a...91")
@click.argument("order")
@common
def cancel(ctx: click.Context, order: str, **given: Any) -> None:
    """Take ORDER back before it is confirmed; everything comes back."""
    with buying(given) as buyer:
        buyer.cancel(order)
    terminal_of(ctx).answer({"order": order, "phase": "cancelled"}, f"order {order} is cancelled")


@data_buyer.command(epilog="\b\nExample:\n  tongbao data-buyer delete 7a...91")
@click.argument("order")
@common
def delete(ctx: click.Context, order: str, **given: Any) -> None:
    """Delete what ORDER brought, its key too, and attest it; the deletion bond comes back.

    Copies that you made elsewhere are yours to delete before.
    """
    with buying(given) as buyer:
        text = buyer.attest_deletion(order)
    facts = {"order": order, "attestation": text.decode() or None}
    verdict = "deleted and attested" if text else "deleted; there was no licence to end"
    terminal_of(ctx).answer(facts, f"order {order} is {verdict}")


@data_buyer.command("list", epilog="\b\nExample:\n  tongbao data-buyer list")
@common
def list_orders(ctx: click.Context, **given: Any) -> None:
    """List the orders of the folder: how far each is, and what of it is here."""
    from tongbao.sdk.data.facts import deadline_of, order_row

    rows = []
    with buying(given) as buyer:
        for name in buyer.folder.orders():
            row, deal = order_row(buyer.chain, name), buyer.folder.deal(name)
            here = "deleted" if deal.attestation else "package" if deal.a else ""
            ends = None if row.ended_at else deadline_of(buyer.chain, row)
            until = row.delete_by if here == "package" else None
            rows.append((name, row.phase, ends, f"{row.price}", row.owner, here, until))
    names = ("order", "phase", "deadline", "price", "owner", "here", "delete_by")
    facts = {"orders": [dict(zip(names, row, strict=True)) for row in rows]}
    terminal_of(ctx).table(facts, names, rows, count(len(rows), "order"))


@data_buyer.command(epilog="\b\nExample:\n  tongbao data-buyer changes")
@common
def changes(ctx: click.Context, **given: Any) -> None:
    """Tell which months that are kept were corrected by their source, or erased by their owner.

    Order the correction as any month; what was erased may be kept until its licence ends.
    """
    from msgspec.structs import asdict

    from tongbao.sdk.data.changes import changes_of

    with buying(given) as buyer:
        found = [asdict(one) for one in changes_of(buyer.chain, buyer.wallet.address)]
    names = ("order", "period", "what", "batch", "by", "delete_by")
    rows = [tuple(one[name] for name in names) for one in found]
    terminal_of(ctx).table({"changes": found}, names, rows, f"changed: {count(len(rows), 'month')}")


@data_buyer.command(epilog="\b\nExample:\n  tongbao data-buyer pull --confirm")
@click.option("--confirm", "confirms", is_flag=True, help="Confirm each package that is right.")
@place_option
@common
def pull(ctx: click.Context, confirms: bool, places: tuple[str, ...], **given: Any) -> None:
    """Fetch everything that agents have sealed since the last time, each after its cursor."""
    rows = []
    with buying(given, places) as buyer:
        for one in buyer.pull():
            if confirms and not one.why and buyer.phase(one.order) == "sealed":
                buyer.confirm(one.order)
            rows.append((one.order, one.why or "here"))
    facts = {"deliveries": [{"order": name, "found": found} for name, found in rows]}
    here = sum(1 for _, found in rows if found == "here")
    verdict = f"{here} of {len(rows)} deliveries are here and right"
    terminal_of(ctx).table(facts, ("order", "found"), rows, verdict)
