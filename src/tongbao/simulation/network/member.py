"""A member with something wrong in it: a dying disk, a hostile proposer, a wrong clock.

`python -m tongbao.simulation.network.member` takes the options of `tongbao run` behind its own.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from tongbao.engines.cometbft.application import MachineApplication
from tongbao.engines.solo.engine import wall_clock
from tongbao.node.logs import configure_log
from tongbao.node.network import network_options
from tongbao.node.recall import open_index
from tongbao.node.server import listen_at, serve, server_of
from tongbao.node.settings import Settings, load
from tongbao.sdk.network import Parts, open_network
from tongbao.simulation.crash.dying_disk import DyingDisk, Fate
from tongbao.simulation.crash.points import Death, Moment
from tongbao.simulation.network.hostile import HostileApplication
from tongbao.store.store import Store

PROGRAM: Final = (sys.executable, "-m", "tongbao.simulation.network.member")
SEGMENT_BYTES: Final = 60_000
"""Small, so that segments begin often."""
NOBODY: Final = -1
SHIFT: Final = "TONGBAO_CLOCK_SHIFT_MS"
"""What the CometBFT of `tools/skewed_cometbft.py` reads; any other one does not know it."""


def options_of(arguments: Sequence[str]) -> tuple[argparse.Namespace, Settings]:
    """Our own options, and a node's settings."""
    parser = argparse.ArgumentParser(prog=PROGRAM[-1], description=__doc__, allow_abbrev=False)
    parser.add_argument("--folder", type=Path, required=True)
    parser.add_argument("--die-at", default="", metavar="PLACE/MOMENT/PASSAGE")
    parser.add_argument("--fail-test-index", type=int, default=NOBODY)
    parser.add_argument("--hostile", type=int, default=NOBODY, metavar="SEED")
    parser.add_argument("--clock-shift-ms", type=int, default=0)
    own, rest = parser.parse_known_args(arguments)
    names = (name.removeprefix("--").replace("-", "_") for name in rest[::2])
    return own, load(None, {}, dict(zip(names, rest[1::2], strict=True)))


def death_of(text: str) -> Death | None:
    """`FRAME/before/3` as a death; none for an empty text."""
    if not text:
        return None
    place, moment, passage = text.split("/")
    return Death(place, Moment(moment), int(passage))


def main(arguments: Sequence[str]) -> int:
    """Serve until told to stop, or until the planned end."""
    own, settings = options_of(arguments)
    configure_log(settings)
    death = death_of(own.die_at)
    open_store = (
        Store.open
        if death is None
        else partial(Store.open, disk=DyingDisk(Fate(death)), segment_bytes=SEGMENT_BYTES)
    )
    application = (
        MachineApplication
        if own.hostile == NOBODY
        else partial(HostileApplication, seed=own.hostile)
    )
    index = own.fail_test_index
    environment = {SHIFT: str(own.clock_shift_ms)}
    if index != NOBODY:
        environment["FAIL_TEST_INDEX"] = str(index)
    with (
        listen_at(settings) as listening,
        open_network(
            own.folder,
            network_options(settings),
            environment=environment,
            clock=lambda: wall_clock() + own.clock_shift_ms,
            parts=Parts(open_store=open_store, application=application),
        ) as chain,
        open_index(own.folder, chain.id, settings) as history,
    ):
        serve(server_of(chain, settings, history), listening)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
