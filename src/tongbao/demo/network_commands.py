"""`tongbao demo network`: the purchases through four institutions, as a command."""

from __future__ import annotations

import sys
import threading
from pathlib import Path
from typing import Final

import click
import msgspec

from tongbao.demo.baskets import read_baskets
from tongbao.demo.network import Story, Teller, open_network
from tongbao.demo.progress import Progress
from tongbao.demo.purchases import verdict
from tongbao.demo.read_back import PROOFS, TRUST
from tongbao.localnet.control import Desk
from tongbao.localnet.network import Network
from tongbao.localnet.stopping import told_to_stop

DEFAULT_COUNT: Final = 1_000
DEFAULT_FOLDER: Final = Path("build/network")


@click.command()
@click.option(
    "--count",
    type=click.IntRange(min=10),
    default=DEFAULT_COUNT,
    show_default=True,
    help="Carry the first COUNT baskets by time.",
)
@click.option(
    "--folder",
    type=click.Path(path_type=Path),
    default=DEFAULT_FOLDER,
    show_default=True,
    help="Where the network is kept; a second start goes on there.",
)
@click.option("--once", is_flag=True, help="End with the verdict instead of serving on.")
@click.option("--json", "as_json", is_flag=True, help="Print the story as JSON; implies --once.")
def network(count: int, folder: Path, once: bool, as_json: bool) -> None:
    """Carry real purchases through four validators that are killed, revived and joined.

    One validator is killed, and payments go on; a second, and nothing is decided; both come back,
    and nothing is lost. A fifth joins by the votes of the others. Every total is proven by the node
    that joined, and compared with the data file; every block is made again by the solo engine.
    """

    def tell(text: str) -> None:
        if not as_json:
            click.echo(text, err=True)

    with open_network(folder, tell) as running:
        data = read_baskets(None)
        teller = Teller(running, data, count, tell, Progress(quiet=as_json))
        try:
            story = teller.play()
            if as_json:
                click.echo(msgspec.json.encode(story).decode())
            else:
                tell_story(story, folder)
                if not once:
                    serve_on(running)
                    click.echo(verdict_of(story))
        except KeyboardInterrupt:
            tell(
                "\nstopping. Every answered payment is durable; the same command goes on from here."
            )
            sys.exit(130)
    sys.exit(1 if story.differences else 0)


def tell_story(story: Story, folder: Path) -> None:
    """The story for people; the last line is the verdict."""
    report = story.purchases
    click.echo(f"chain {report.chain} at height {story.height}, in {folder}")
    click.echo(
        f"{report.carried_now:,} payments now, {report.payments:,} in all, "
        f"through {story.validators} validators"
    )
    how = f"by a snapshot, behind block {story.joined_at}" if story.joined_at else "by all blocks"
    click.echo(f"the fifth joined {how}, and was made a validator by the others' votes")
    click.echo(
        f"{report.proofs:,} proofs of the node that joined, verified by a second process; "
        f"all nodes have the root {story.root[:16]}..."
    )
    click.echo(f"{story.blocks_on_solo:,} blocks made again by the solo engine have the same roots")
    for difference in story.differences[:20]:
        click.echo(f"differs: {difference}")
    click.echo("\nTry next:")
    click.echo(f"  tongbao localnet status --folder {folder}")
    click.echo(f"  tongbao localnet kill node2 --folder {folder}")
    click.echo(f"  head -1 {folder}/{PROOFS} > proof.json")
    click.echo(f"  tongbao verify proof.json --trust {folder}/{TRUST}")
    click.echo()
    click.echo(verdict_of(story))


def verdict_of(story: Story) -> str:
    """The last line."""
    if story.differences and not story.purchases.differences:
        return f"FAILED: {story.differences[0]}"
    return verdict(story.purchases)


def serve_on(running: Network) -> None:
    """Let the network run, and take orders, until Ctrl-C, SIGTERM or `tongbao localnet stop`."""
    stopping = threading.Event()
    with told_to_stop(stopping) as ready:
        ready.set()
        desk = Desk(running.folder, lambda order, say: running.carry_out(order, say, stopping.set))
        try:
            for process in running.members.values():
                click.echo(f"serving {process.member.address}/ until Ctrl-C", err=True)
            stopping.wait()
        finally:
            desk.close()
