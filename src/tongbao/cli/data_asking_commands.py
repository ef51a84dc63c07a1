"""`tongbao data-buyer request` and `stream`: the terms of asking, once or each month."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final, TypeVar

import click

from tongbao.cli.book import check_name
from tongbao.cli.data_buyer_commands import buying, common, data_buyer, place_option
from tongbao.cli.data_desk import session_of
from tongbao.cli.failures import CommandError
from tongbao.cli.options import terminal_of
from tongbao.cli.sending import check
from tongbao.cli.terminal import count
from tongbao.cli.values import time_of

if TYPE_CHECKING:
    from tongbao.kernel import Address
    from tongbao.sdk.data.buyer import Buyer

F = TypeVar("F", bound=Callable[..., Any])

TERMS: Final = (
    click.option("--owner", required=True, help="Whose data: a remembered name or an address."),
    click.option("--schema", required=True, help="Kind of rows, as eggs.1."),
    click.option("--field", "fields", multiple=True, required=True, help="Repeat it."),
    click.option("--purpose", required=True, help="As dpv:AcademicResearch."),
    click.option("--asset", required=True, help="CODE.NAME or CODE.ADDRESS."),
    click.option("--price", required=True, help="What is paid, fee included."),
    click.option("--fee", required=True, help="What of it is for who seals."),
    click.option("--why", required=True, help="A sentence to the person, 500 characters at most."),
    click.option("--agent", help="Which agent is asked. Default: that of an offer that covers."),
)


def terms(function: F) -> F:
    """The options that say what is asked for."""
    for option in reversed(TERMS):
        function = option(function)
    return function


def terms_of(given: dict[str, Any], buyer: Buyer) -> dict[str, Any]:
    """The members that request and stream share. Raises CommandError."""
    from tongbao.kernel import Amount, AssetId
    from tongbao.modules import data
    from tongbao.rights.requests import Why

    resolver = session_of(given).resolver()
    if "." not in given["asset"]:
        raise CommandError("a code alone is no asset here", "write CODE.NAME or CODE.ADDRESS")
    return {
        "owner": resolver.address(given["owner"]),
        "schema": check(data.Schema, given["schema"], "--schema"),
        "fields": tuple(check(data.Field, field, "--field") for field in given["fields"]),
        "purpose": check(data.Purpose, given["purpose"], "--purpose"),
        "asset": check(AssetId, resolver.asset(given["asset"]), "--asset"),
        "price": check(Amount, given["price"], "--price"),
        "fee": check(Amount, given["fee"], "--fee"),
        "why": check(Why, given["why"], "--why"),
    }


def agent_of(given: dict[str, Any]) -> Address | None:
    """The agent that was named."""
    name = given["agent"]
    return session_of(given).book.address(name) if name else None


@data_buyer.command(
    epilog="\b\nExample:\n  tongbao data-buyer request --owner alice --schema eggs.1 --field count "
    "\\\n    --batch 5d...07 --purpose dpv:AcademicResearch --asset CNY.operator \\\n"
    '    --price 20.00 --fee 1.00 --delete-by +30d --why "how many eggs people eat"'
)
@terms
@click.option("--batch", "batches", multiple=True, required=True, help="A batch's id; repeat it.")
@click.option("--mode", type=click.Choice(("view", "store")), default="view", show_default=True)
@click.option("--delete-by", required=True, help="When it is deleted at the latest: +30d, a time.")
@place_option
@common
def request(ctx: click.Context, places: tuple[str, ...], **given: Any) -> None:
    """Let an owner's agent hear a request; its hash is what `order` takes."""
    from tongbao.kernel import Id, Time
    from tongbao.modules import data
    from tongbao.rights.requests import DataRequest

    with buying(given, places) as buyer:
        asked = DataRequest(
            **terms_of(given, buyer),
            batches=tuple(check(Id, batch, "--batch") for batch in given["batches"]),
            buyer=buyer.wallet.address,
            chain=buyer.chain.id,
            delete_by=Time(time_of(given["delete_by"])),
            mode=data.Mode(given["mode"]),
        )
        found = buyer.request(asked, agent_of(given))
    facts = {"request": found}
    terminal_of(ctx).answer(facts, f"the agent has heard request {found}")


@data_buyer.group(no_args_is_help=True)
def stream() -> None:
    """Order each new month of an owner's by itself."""


@stream.command(
    epilog="\b\nExample:\n  tongbao data-buyer stream begin eggs --owner alice --schema eggs.1 \\\n"
    "    --field count --purpose dpv:AcademicResearch --asset CNY.operator --price 20.00 \\\n"
    '    --fee 1.00 --deletion-bond 5.00 --keep 30d --why "how many eggs people eat"'
)
@click.argument("name")
@terms
@click.option("--deletion-bond", required=True, help="Of each order.")
@click.option("--keep", required=True, help="How long each month is kept: 30d.")
@click.option("--corrections", is_flag=True, help="Order corrected months, too.")
@common
def begin(ctx: click.Context, name: str, **given: Any) -> None:
    """Begin the stream NAME; `stream run` orders what is due."""
    from tongbao.kernel import Amount
    from tongbao.sdk.data.streaming import Stream

    keep_ms = time_of(f"+{given['keep']}") - time_of("+0d")
    with buying(given) as buyer:
        made = Stream(
            **terms_of(given, buyer),
            agent=agent_of(given),
            corrections=given["corrections"],
            deletion_bond=check(Amount, given["deletion_bond"], "--deletion-bond"),
            keep_ms=keep_ms,
        )
        buyer.folder.keep_stream(check_name(name), made)
    terminal_of(ctx).answer({"stream": name}, f"stream {name} stands; `stream run` orders")


@stream.command(epilog="\b\nExample:\n  tongbao data-buyer stream run")
@click.option("--again", is_flag=True, help="Order once more what was called off or lapsed.")
@place_option
@common
def run(ctx: click.Context, again: bool, places: tuple[str, ...], **given: Any) -> None:
    """Order each new month of every stream. Let a timer do it, then `pull --confirm`."""
    from tongbao.sdk.data.streaming import Stream

    rows = []
    with buying(given, places) as buyer:
        for name in buyer.folder.streams(Stream):
            made = buyer.stream(name, again=again)
            rows += [(name, batch, found) for batch, found in made.items()]
    names = ("stream", "batch", "order")
    facts = {"orders": [dict(zip(names, row, strict=True)) for row in rows]}
    terminal_of(ctx).table(facts, names, rows, count(len(rows), "new month"))


@stream.command("list", epilog="\b\nExample:\n  tongbao data-buyer stream list")
@common
def list_streams(ctx: click.Context, **given: Any) -> None:
    """List the streams that stand."""
    from tongbao.sdk.data.streaming import Stream

    with buying(given) as buyer:
        found = buyer.folder.streams(Stream)
    rows = [(name, one.owner, one.schema, f"{one.price}") for name, one in found.items()]
    names = ("stream", "owner", "schema", "price")
    facts = {"streams": [dict(zip(names, row, strict=True)) for row in rows]}
    terminal_of(ctx).table(facts, names, rows, count(len(rows), "stream"))


@stream.command(epilog="\b\nExample:\n  tongbao data-buyer stream end eggs")
@click.argument("name")
@common
def end(ctx: click.Context, name: str, **given: Any) -> None:
    """End the stream NAME: nothing more is ordered; orders under way go on."""
    with buying(given) as buyer:
        buyer.folder.end_stream(name)
    terminal_of(ctx).answer({"stream": name}, f"stream {name} has ended")
