"""`tongbao data-pack`: what was granted in a period, with the proofs of it, in one archive."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tongbao.cli import complete
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import (
    Passphrase,
    folder_option,
    json_option,
    node_option,
    passphrase_option,
    read_file,
    terminal_of,
    trust_option,
    write_file,
)
from tongbao.cli.session import Session
from tongbao.cli.terminal import count

if TYPE_CHECKING:
    from tongbao.sdk.data.pack import Pack
    from tongbao.sdk.data.pack_maker import Wanted
    from tongbao.sdk.data.pack_verification import VerifiedPack

KNOWN = "give receipts of grants and attestations of deletions, as they were kept"


@click.group("data-pack", no_args_is_help=True)
def data_pack() -> None:
    """Show what was granted, by receipts and proofs: `tongbao verify` checks it anywhere."""


@data_pack.command(
    epilog="\b\nExample:\n  tongbao data-pack make insurer --orders bought"
    " --from 2030-01-01 --to 2030-04-01 --assessment pipia.txt --out quarter.zip"
)
@click.argument("account", metavar="ACCOUNT", shell_complete=complete.accounts)
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--orders",
    type=click.Path(file_okay=False, path_type=Path),
    help="A buyer's folder: its receipts and attestations, beside FILES.",
)
@click.option("--from", "first", metavar="TIME", help="Sealed from this time on, else all.")
@click.option("--to", "before", metavar="TIME", help="Sealed before this time, else until now.")
@click.option(
    "--assessment",
    type=click.Path(dir_okay=False, path_type=Path),
    help="The enterprise's assessment before it took the data (PIPL 55): any text.",
)
@click.option(
    "--after",
    metavar="CURSOR",
    default="0.0",
    show_default=True,
    help="Look for transactions after this cursor: where a node has pruned what was before.",
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    required=True,
    help="The archive to write (replaced if it exists).",
)
@trust_option
@passphrase_option
@folder_option
@node_option
@json_option
@click.pass_context
def make(
    ctx: click.Context,
    account: str,
    files: tuple[Path, ...],
    orders: Path | None,
    first: str | None,
    before: str | None,
    assessment: Path | None,
    after: str,
    out: Path,
    trust: Path | None,
    passphrase_file: Path | None,
    folder: Path,
    node: str | None,
) -> None:
    """Write the compliance pack of ACCOUNT, which has bought all that FILES tell of, or sold it.

    FILES are receipts of grants and attestations of deletions. A pack of a network is verified
    when --trust names a trust file from before its first block; one of a solo chain always.
    """
    from tongbao.sdk.data.pack_maker import PackError, Wanted, make_pack
    from tongbao.sdk.data.pack_verification import pack_in

    texts = [(str(path), read_file(path)) for path in files]
    if orders is not None:
        texts += _of_orders(orders, Passphrase(passphrase_file))
    receipts, deletions = _sorted(texts)
    if not receipts:
        raise CommandError("there is no receipt to make a pack of", KNOWN, Exit.NO_INPUT)
    session = Session(folder, node=node)
    with session.open(write=False) as chain:
        wanted = Wanted(
            account=session.book.address(account),
            receipts=tuple(receipts),
            deletions=deletions,
            assessment=None if assessment is None else read_file(assessment),
            first=0 if first is None else _time(first),
            before=chain.now() + 1 if before is None else _time(before),
            after=after,
            trust=None if trust is None else read_file(trust),
        )
        content, found = _made(make_pack, PackError, chain, wanted)
    write_file(out, content)
    pack = pack_in(content)
    terminal_of(ctx).answer(_facts(out, pack, found, receipts), _verdict(out, pack, found))


def _made(
    make_pack: Any, wrong: type[Exception], chain: Any, wanted: Wanted
) -> tuple[bytes, VerifiedPack | None]:
    """The pack. Raises CommandError where there is none."""
    try:
        content, found = make_pack(chain, wanted)
    except wrong as error:
        raise CommandError(str(error), "see `tongbao data-pack make --help`", Exit.USAGE) from error
    except LookupError as error:
        raise CommandError(
            str(error).strip("'\""), "ask a node that has these blocks, or --after", Exit.NOTHING
        ) from error
    return content, found


def _time(text: str) -> int:
    """A time that a person typed. Raises CommandError."""
    from tongbao.sdk.periods import moment_of

    try:
        return moment_of(text)
    except ValueError as error:
        raise CommandError(str(error), "change --from or --to", Exit.USAGE) from None


def _of_orders(orders: Path, passphrase: Passphrase) -> Iterator[tuple[str, bytes]]:
    """The receipts and attestations that a buyer has kept."""
    from tongbao.sdk.data.orders_folder import OrdersFolder

    with OrdersFolder.open(orders, passphrase.get()) as kept:
        for order in kept.orders():
            deal = kept.deal(order)
            yield from (
                (f"{orders}: order {order}", text.encode())
                for text in (deal.receipt, deal.attestation)
                if text
            )


def _sorted(texts: Iterable[tuple[str, bytes]]) -> tuple[list[bytes], dict[str, bytes]]:
    """Receipts in their order, and attestations by order. Raises CommandError."""
    from tongbao.rights.deletion import BadDeletion, read_deletion
    from tongbao.rights.receipt import BadReceipt, read_receipt

    receipts: dict[str, bytes] = {}
    deletions: dict[str, bytes] = {}
    for where, text in texts:
        try:
            receipts[read_receipt(text).order] = text
        except BadReceipt as not_one:
            try:
                deletions[read_deletion(text).order] = text
            except BadDeletion:
                raise CommandError(f"{where}: {not_one}", KNOWN, Exit.WRONG) from None
    return list(receipts.values()), deletions


def _facts(
    out: Path, pack: Pack, found: VerifiedPack | None, receipts: list[bytes]
) -> dict[str, Any]:
    facts = {
        "file": str(out),
        "account": pack.account,
        "role": pack.role,
        "from": pack.first_time,
        "to": pack.before_time,
        "grants": len(pack.grants),
        "beside_the_period": len(receipts) - len(pack.grants),
        "assessment": pack.assessment,
        "verified": found is not None,
    }
    return facts if found is None else facts | {"late": len(found.late), "height": found.height}


def _verdict(out: Path, pack: Pack, found: VerifiedPack | None) -> str:
    told = count(len(pack.grants), "grant")
    if found is None:
        return f"written to {out}: {told}, not yet verified"
    late = f", {len(found.late)} without deletion in time" if found.late else ""
    return f"written to {out}: {told}, verified{late}"
