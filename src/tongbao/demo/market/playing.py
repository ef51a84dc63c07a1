"""Play the story: on a node of this program's own, or on a network of institutions."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from tongbao.demo.egg_rows import EggLine, read_egg_lines
from tongbao.demo.failures import EXPECTED, DemoError, unusable
from tongbao.demo.market.deviations import COUNT
from tongbao.demo.market.opening import (
    Decide,
    Opening,
    Tell,
    Timing,
    begin_chain,
    decide_alone,
)
from tongbao.demo.market.parties import household_numbers, household_sizes
from tongbao.demo.market.planting import FIRST_PLANTED, PLANTED, Planting
from tongbao.demo.market.story import Report, Teller
from tongbao.demo.serving import SECRET_FILE, Node
from tongbao.localnet import voting
from tongbao.localnet.network import Network
from tongbao.sdk.genesis_builder import genesis_address
from tongbao.sdk.http import HttpChain
from tongbao.sdk.keystore import Keystore
from tongbao.sdk.opening import OPERATOR
from tongbao.sdk.signer import SoftwareKey
from tongbao.sdk.wallet import Wallet

LEAST_HOUSEHOLDS: Final = COUNT + 2
SECRET_BYTES: Final = 32
PATIENCE_S: Final = 60.0
CHAIN: Final = "chain"
NO_INPUT: Final = 66
VALIDATORS: Final = 4
QUICK: Final = Timing()
SLOW: Final = Timing(
    confirm_ms=60_000, reveal_ms=40_000, accept_ms=40_000, verdict_ms=600_000, margin_ms=5_000
)
"""Four validators need a second or so for each block."""


def begin_folder(folder: Path) -> str:
    """An empty folder for a new run, and its secret; what an earlier run left is removed.

    Raises DemoError for a folder with something else in it.
    """
    marker = folder / SECRET_FILE
    if folder.exists() and any(folder.iterdir()) and not marker.exists():
        raise DemoError(
            f"{folder} has something in it that is not the demonstration's",
            "name another folder with --folder",
            NO_INPUT,
        )
    if folder.exists():
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o700)
    secret = secrets.token_hex(SECRET_BYTES)
    marker.touch(mode=0o600)
    marker.write_text(secret)
    return secret


Data = tuple[list[EggLine], list[int], dict[int, int]]
"""Lines of eggs, the households' numbers, and how many members they have."""


class Run(Struct, frozen=True, kw_only=True):
    """A chain that is served: where, the bank's key, how operators decide, how long phases last."""

    address: str
    bank: SoftwareKey
    decide: Callable[[Wallet], Decide]
    timing: Timing
    lives: Callable[[], bool]


@contextmanager
def alone(folder: Path, port: int, secret: str, timing: Timing = QUICK) -> Iterator[Run]:
    """A node on a new chain in the folder. Raises DemoError."""
    place = folder / CHAIN
    place.mkdir()
    (place / SECRET_FILE).write_text(secret)
    try:
        key = begin_chain(place, secret, timing)
    except EXPECTED as error:
        raise unusable(place, error) from error
    with Node(place, port) as node:
        yield Run(
            address=node.address,
            bank=key,
            decide=decide_alone,
            timing=timing,
            lives=lambda: node.is_running,
        )


@contextmanager
def on_network(folder: Path, secret: str, say: Callable[[str], None]) -> Iterator[Run]:
    """Four validators on a new chain in the folder. Raises LocalnetError."""
    with Network.open_or_begin(
        folder / CHAIN, VALIDATORS, "data", say, parameters=SLOW.parameters()
    ) as network:
        first = network.plan.members[0]
        keys = Keystore(network.folder / first.name / "keys")

        def decide(bank: Wallet) -> Decide:
            return lambda actions: voting.decide(network, actions, "admit who takes part", say)

        yield Run(
            address=first.address,
            bank=keys.unlock(OPERATOR, network.secret),
            decide=decide,
            timing=SLOW,
            lives=lambda: network.members[first.name].is_running,
        )


def numbers_of(count: int | None) -> list[int]:
    """The first households of the data set by number, or all; and those that were made up."""
    return [*household_numbers()[:count], *(FIRST_PLANTED + place for place in range(PLANTED))]


def play(run: Run, folder: Path, secret: str, count: int | None, tell: Tell) -> Report:
    """Open the market on a chain, and play. Raises DemoError."""
    tell("reading", 0, 1)
    data = read_egg_lines(), numbers_of(count), household_sizes()
    tell("reading", 1, 1)
    with Planting() as planting:
        wire = planting.wire("node")
        wire.to(run.address)
        return replace(
            _play(run, wire.address, folder, secret, data, planting, tell), address=run.address
        )


def _play(
    run: Run, address: str, folder: Path, secret: str, data: Data, planting: Planting, tell: Tell
) -> Report:
    lines, numbers, sizes = data
    with HttpChain(address, patience_s=PATIENCE_S) as chain:
        bank = chain.wallet(genesis_address(0), run.bank)
        opening = Opening(chain, bank, bytes.fromhex(secret), tell)
        market = opening.open(numbers, sizes, run.decide(bank), run.timing, address)
        return Teller(market, folder, secret, planting, tell).play(lines)
