"""`tongbao data-panel`: an adjudicator takes evidence, judges it, and votes."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from tongbao.cli.data_desk import acting, common_options, desk_of, keep, lay, own_option, session_of
from tongbao.cli.exits import Exit
from tongbao.cli.failures import CommandError
from tongbao.cli.options import (
    out_option,
    terminal_of,
    write_file,
)
from tongbao.cli.terminal import count

if TYPE_CHECKING:
    from tongbao.services.data_panel.panel import Finding, Panel

panel_option = own_option("panel", "data-panel", "Folder of the adjudicator's cases.")
common = common_options(panel_option)


@contextmanager
def sitting(given: dict[str, Any], *, to_read: bool = False) -> Iterator[Panel]:
    """The panel of the common options; to read it, also beside `run`."""
    from tongbao.services.data_panel.cases import PanelFolder
    from tongbao.services.data_panel.panel import Panel

    session, own = session_of(given), given["own"]
    desk = desk_of(own)
    passphrase = session.passphrase.get()
    with (
        PanelFolder.open(own, passphrase, to_read=to_read) as folder,
        acting(session, desk) as (chain, wallet),
    ):
        yield Panel(chain, wallet, folder)


@click.group("data-panel", no_args_is_help=True)
def data_panel() -> None:
    """Take the evidence of claims, judge it, and vote, as an adjudicator."""


@data_panel.command(epilog="\b\nExample:\n  tongbao data-panel init --as ann")
@click.option("--as", "account", required=True, help="The adjudicator: name or address.")
@click.option("--key", help="Its key in the keystore. Default: the one of its name.")
@common
def init(ctx: click.Context, account: str, key: str | None, **given: Any) -> None:
    """Lay out the folder of the adjudicator's cases, under the passphrase of its key."""
    from tongbao.services.data_panel.cases import PanelFolder

    session, own = session_of(given), given["own"]
    desk = lay(session, own, account, key, {})
    passphrase = session.passphrase.get()
    session.keystore.unlock(desk.key, passphrase)  # the wrong one would open nothing later
    PanelFolder.create(own, passphrase).close()
    keep(own, desk)
    facts = {"panel": str(own), "account": desk.account, "key": desk.key}
    terminal_of(ctx).answer(facts, f"{desk.account} decides from {own}")


@data_panel.command(epilog="\b\nExample:\n  tongbao data-panel run --port 8643 --vote")
@click.option("--vote", "votes", is_flag=True, help="Vote by itself what `judge` finds.")
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", type=click.IntRange(0, 65_535), default=8643, show_default=True)
@click.option("--origin", metavar="URL", help="How others call it, where that is not its address.")
@click.option("--tls-certificate", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--tls-key", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--behind-tls-proxy", is_flag=True, help="Another program takes TLS off.")
@common
def run(ctx: click.Context, votes: bool, host: str, port: int, **given: Any) -> None:
    """Take evidence until Ctrl-C or SIGTERM; go on where it was at the next start."""
    from tongbao.services.data_panel.program import panel_app
    from tongbao.services.serving.listening import run_service
    from tongbao.services.serving.logs import send_log
    from tongbao.services.serving.tls import Tls

    certificate, key = given["tls_certificate"], given["tls_key"]
    if (certificate is None) != (key is None):
        raise CommandError("--tls-certificate and --tls-key go together", "give both")
    send_log()
    with sitting(given) as panel:
        run_service(
            panel_app(panel, votes=votes),
            host,
            port,
            tls=None if certificate is None else Tls(certificate, key),
            ready=lambda url: click.echo(f"the panel is served at {url}; Ctrl-C stops", err=True),
            origin=given["origin"],
            behind_tls_proxy=given["behind_tls_proxy"],
            nonces=panel.folder.path / "nonces",
        )
    terminal_of(ctx).answer({"panel": str(given["own"])}, "stopped")


@data_panel.command(epilog="\b\nExample:\n  tongbao data-panel cases")
@common
def cases(ctx: click.Context, **given: Any) -> None:
    """List the cases: how far each is, until when, whether evidence is here, and the vote."""
    with sitting(given, to_read=True) as panel:
        found = [
            (one.order, one.phase, one.deadline, one.evidence, one.vote, one.ground)
            for one in panel.standings()
        ]
    names = ("order", "phase", "deadline", "evidence", "vote", "ground")
    facts = {"cases": [dict(zip(names, row, strict=True)) for row in found]}
    still = sum(1 for row in found if row[1] == "claimed")
    terminal_of(ctx).table(facts, names, found, f"{count(len(found), 'case')}, {still} open")


@data_panel.command(epilog="\b\nExample:\n  tongbao data-panel key --out ann.jws")
@out_option
@common
def key(ctx: click.Context, out: Path | None, **given: Any) -> None:
    """Print the signed key that evidence is sealed to, for buyers who bring files."""
    with sitting(given, to_read=True) as panel:
        statement = panel.statement()
    if out is not None:
        write_file(out, statement + b"\n")
    facts = {"account": desk_of(given["own"]).account, "key": statement.decode()}
    terminal_of(ctx).answer(facts, f"written to {out}" if out else "good for fifteen days or more")


@data_panel.command(epilog="\b\nExample:\n  tongbao data-panel receive 7a...91 evidence.parcel")
@click.argument("order")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@common
def receive(ctx: click.Context, order: str, file: Path, **given: Any) -> None:
    """Take the evidence on ORDER that a buyer brings as FILE; `run` may go on beside it."""
    import shutil

    if not file.is_file():
        raise CommandError(f"there is no file {file}", "name the parcel", Exit.NO_INPUT)
    with sitting(given, to_read=True) as panel:
        panel.must_be_open(order)
        if file.stat().st_size > panel.most_bytes(order):
            raise CommandError(f"{file} is larger than evidence on {order} can be", "", Exit.WRONG)
        partial = panel.folder.incoming / f".{order}.part"
        shutil.copyfile(file, partial)
        panel.take(order, partial)
    terminal_of(ctx).answer({"order": order}, f"the evidence on {order} is here")


@data_panel.command(epilog="\b\nExample:\n  tongbao data-panel judge 7a...91")
@click.argument("order")
@common
def judge(ctx: click.Context, order: str, **given: Any) -> int:
    """Judge the evidence of ORDER's claim, and say what the vote would be; nothing is sent."""
    with sitting(given, to_read=True) as panel:
        found = panel.judge(order)
    return _show(ctx, found, "would be")


@data_panel.command(epilog="\b\nExample:\n  tongbao data-panel vote 7a...91")
@click.argument("order")
@common
def vote(ctx: click.Context, order: str, **given: Any) -> int:
    """Judge the evidence of ORDER's claim, and vote what follows; stop `run` before."""
    with sitting(given) as panel:
        found = panel.judge(order)
        if found.vote:
            panel.vote(found)
    return _show(ctx, found, "is")


def _show(ctx: click.Context, found: Finding, verb: str) -> int:
    facts = {"order": found.order, "vote": found.vote or None, "ground": found.ground}
    if not found.vote:
        terminal_of(ctx).answer(facts, "no vote yet: evidence may still come")
        return Exit.BUSY
    terminal_of(ctx).answer(facts, f"the vote {verb} {found.vote}: {found.ground}")
    return Exit.DONE
