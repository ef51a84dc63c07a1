"""One seed: a chain that is worked with, fails, is opened again and held to what it told.

Production code all of it: store, machine and producer, on a simulated disk and a real LMDB. A
voyage has legs. In each the chain is opened, makes blocks, and meets what the leg has in store:
everything stops at a write site, or an error comes from the disk, or the chain is closed and
something changes while it rests.
"""

from __future__ import annotations

import logging
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from random import Random
from typing import Final

from msgspec import Struct, field

from tongbao.engines.solo import Producer
from tongbao.kernel.genesis import chain_id
from tongbao.modules.registry import registry
from tongbao.sdk.opening import producer_on
from tongbao.simulation.storage.accidents import Accidents
from tongbao.simulation.storage.disk import Plan, PowerFailed, SimulatedDisk
from tongbao.simulation.storage.faults import (
    REFUSED,
    AtRest,
    Failure,
    Fate,
    Moment,
    faults_of,
)
from tongbao.simulation.storage.oracle import Oracle
from tongbao.simulation.storage.traffic import Traffic
from tongbao.store.errors import DiskFailed, DiskFull, StoreError
from tongbao.store.sites import Site
from tongbao.store.store import Store
from tongbao.testing.genesis import genesis_of
from tongbao.testing.keys import named_key

TRANSACTIONS: Final = 100
BLOCKS: Final = 10
FAULTS: Final = 3
LEGS: Final = 30
BLOCKS_A_LEG: Final = 6
SEGMENT_BYTES: Final = 12_000
MAP_BYTES: Final = 1 << 20
REGISTRY: Final = registry()
GENESIS: Final = genesis_of(REGISTRY, name="storm")
POINTS: Final[tuple[tuple[Site, Moment | Failure], ...]] = tuple(
    (site, fault) for site in Site for fault in faults_of(site)
)
LEADS: Final = {
    Site.FRAME_BACK: Plan(Site.FRAME, 1, Failure.FULL),
    Site.SEGMENT_BACK: Plan(Site.SEGMENT_HEAD, 1, Failure.FULL),
    Site.ROOM_LEFT_OVER: Plan(Site.FRAME, 1, Failure.FULL),
    Site.ROOM_FILE: Plan(Site.FRAME, 1, Failure.FULL),
    Site.ROOM_WRITE: Plan(Site.FRAME, 1, Failure.FULL),
    Site.ROOM_BACK: Plan(Site.FRAME, 1, Failure.FULL),
}
"""Sites that only another failure leads to."""

SCENES: Final[dict[Site, tuple[Plan | AtRest, ...]]] = {
    Site.TORN_SEGMENT: (Plan(Site.SEGMENT_HEAD, 1, Moment.WITHIN),),
    Site.TORN_TAIL: (Plan(Site.FRAME, 1, Moment.WITHIN),),
    Site.FOUND_TAIL: (Plan(Site.FRAME, 1, Moment.AFTER), Plan(Site.FRAME_SYNC, 1, Failure.BROKEN)),
    Site.HEADERS_CUT: (AtRest.HEADERS_DAMAGED,),
    Site.ROWS_LEFT_OVER: (AtRest.ROWS_MISSING, AtRest.ROWS_FOREIGN),
    Site.ROWS_EMPTY: (AtRest.ROWS_MISSING, AtRest.ROWS_CUT),
    Site.ROWS_OLD: (AtRest.ROWS_CUT, AtRest.ROWS_FOREIGN),
    Site.ROWS_NAME: (AtRest.ROWS_MISSING, AtRest.ROWS_CUT),
    Site.ROWS_OF_BASE: (AtRest.ROWS_MISSING, AtRest.ROWS_CUT),
    Site.BASE_OLD: (AtRest.BASE,),
    Site.PRUNED_SEGMENT: (AtRest.BASE,),
    Site.PRUNED_NAME: (AtRest.BASE,),
}
"""What must have happened before a start comes to a site, one of it."""

ON_A_BASE: Final = (Site.ROWS_OF_BASE, Site.BASE_OLD)
"""Sites that a chain comes to which has a base already."""

ONCE: Final = (Site.LOG_NAME, Site.LOG_FOLDER, Site.ROWS_EMPTY, Site.ROWS_NAME)
"""Sites that the very first start comes to."""


class Tally(Struct):
    """What one voyage, or many, have met."""

    blocks: int = 0
    transactions: int = 0
    faults: int = 0
    points: Counter[str] = field(default_factory=Counter)
    fates: Counter[str] = field(default_factory=Counter)
    at_rest: Counter[str] = field(default_factory=Counter)
    outcomes: Counter[str] = field(default_factory=Counter)

    def add(self, other: Tally) -> None:
        """Count another tally in."""
        for name in ("blocks", "transactions", "faults"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        for name in ("points", "fates", "at_rest", "outcomes"):
            getattr(self, name).update(getattr(other, name))


class Voyage:
    """One seed under way."""

    def __init__(self, seed: int, folder: Path) -> None:
        """The same seed is the same voyage; `folder` is for LMDB and the lock."""
        self.tally = Tally()
        self._random = Random(f"storm/{seed}")
        self._seed = seed
        self._folder = folder
        self._disk = SimulatedDisk(Random(f"storm/{seed}/disk"))
        self._accidents = Accidents(self._random, self._disk, folder, GENESIS, REGISTRY)
        self._traffic = Traffic(Random(f"storm/{seed}/traffic"), chain_id(GENESIS))
        self._oracle = Oracle(GENESIS, REGISTRY)
        self._now = int(GENESIS.time)
        self._seconds = 0.0
        self._store: Store | None = None

    def run(self) -> Tally:
        """Sail until there was enough of everything. Raises AssertionError at the first wrong."""
        for leg in range(LEGS):
            if self._is_enough():
                break
            self._leg(leg)
        self._arrive()
        self.tally.transactions = len(self._oracle.sent)
        self.tally.blocks = len(self._oracle.told)
        return self.tally

    def _is_enough(self) -> bool:
        return (
            len(self._oracle.sent) >= TRANSACTIONS
            and len(self._oracle.told) > BLOCKS
            and self.tally.faults >= FAULTS
        )

    # A leg

    def _leg(self, leg: int) -> None:
        """Set the scene for one fault, and meet it."""
        points = POINTS
        if leg == 0 and self._random.random() < 0.5:
            points = tuple(point for point in POINTS if point[0] in ONCE)
        site, fault = self._random.choice(points)
        scenes = SCENES.get(site, ())
        if leg and scenes:
            scene = self._random.choice(scenes)
            if isinstance(scene, Plan):
                self._sail(scene, None, (Fate.KEPT,))
            else:
                self._sail(None, None, tuple(Fate))
                if site in ON_A_BASE:
                    self._rest(AtRest.BASE)
                    self._sail(None, None, tuple(Fate))
                self._rest(scene)
        is_alone = site in LEADS or site in SCENES
        passage = 1 if is_alone else self._random.choice((1, 1, 1, 2, 3))
        if self._sail(Plan(site, passage, fault), LEADS.get(site), tuple(Fate)):
            self._rest(self._random.choice((None, *AtRest)))

    def _sail(self, plan: Plan | None, lead: Plan | None, fates: tuple[Fate, ...]) -> bool:
        """Open and work until the plan is met, or not; whether the chain was closed well."""
        self._disk.arm(plan, lead)
        try:
            producer = self._open()
            for _ in range(self._random.randint(1, BLOCKS_A_LEG)):
                self._block(producer)
            self._close()
        except PowerFailed:
            self._stop(fates)
            return False
        except StoreError as error:
            is_due = self._disk.met is not None or self._disk.was_led
            if not is_due or type(error) not in (DiskFull, DiskFailed, StoreError):
                raise
            self._note_failure(error)
            self._abandon()
            return False
        self._count()
        return True

    def _open(self) -> Producer:
        """As a node's start; then everything is held to what was told."""
        self._store = Store.open(
            self._folder,
            chain_id(GENESIS),
            self._disk,
            clock=self._clock,
            segment_bytes=SEGMENT_BYTES,
            map_bytes=MAP_BYTES,
        )
        producer = producer_on(self._store, GENESIS, named_key("authority"), ())
        self._oracle.check(self._store, self._accidents.wanted_from)
        return producer

    def _clock(self) -> float:
        return self._seconds

    def _block(self, producer: Producer) -> None:
        """Send what was never answered and something new; a full disk is met again and again."""
        self._now += self._random.randint(1, 4_000)
        self._seconds += self._random.choice((0.0, 0.01, 0.2))
        new = (
            self._traffic.block(self._now)
            if len(self._oracle.told) > 1 or self._oracle.sent
            else self._traffic.opening(self._now)
        )
        for sent in new:
            self._oracle.send(sent)
        wires = tuple(sent.submission.wire for sent in self._oracle.unanswered())
        try:
            made = producer.make(wires, self._now)
        except DiskFull:
            self.tally.outcomes["full disk: nothing happened, tried again"] += 1
            while not producer.find_room():
                self.tally.outcomes["full disk: still no room"] += 1
            made = producer.make(wires, self._now)
        if made is not None and made.record is not None:
            self._oracle.tell(made.record)
        producer.maintain(idle=self._random.random() < 0.5)
        self._accidents.remember()

    def _close(self) -> None:
        store, self._store = self._store, None
        assert store is not None
        self._oracle.check(store, self._accidents.wanted_from)
        store.close()

    # When it ends badly

    def _stop(self, fates: tuple[Fate, ...]) -> None:
        """Everything has stopped. What was not synced has its fate."""
        met = self._disk.met
        assert met is not None
        self._count()
        self._abandon()
        fate = self._random.choice(fates)
        if self._disk.restart(fate):
            self.tally.fates[f"{met.site.name}/{fate.name}"] += 1

    def _note_failure(self, error: StoreError) -> None:
        """The disk has failed, and with it the process: it must not have tried again."""
        self._count()
        if isinstance(error, DiskFailed):
            self.tally.outcomes["disk failed: stopped, not tried again"] += 1
            store = self._store
            if store is not None and store.last is not None:
                synced = self._disk.passages[Site.FRAME_SYNC]
                with suppress(DiskFailed):
                    store.append(store.block(store.height))
                    raise AssertionError("a log that has failed was used again")
                assert self._disk.passages[Site.FRAME_SYNC] == synced, "a sync was tried again"

    def _abandon(self) -> None:
        """Let go of what the process had, without another byte."""
        store, self._store = self._store, None
        self._disk.is_dead = True
        if store is not None:
            with suppress(PowerFailed, StoreError):
                store.close()
        self._disk.restart(Fate.KEPT)

    def _count(self) -> None:
        met = self._disk.met
        if met is not None:
            self.tally.faults += 1
            self.tally.points[f"{met.site.name}/{met.fault.name}"] += 1
        self._disk.arm(None)

    # At rest

    def _rest(self, what: AtRest | None) -> None:
        """Something changes while the chain is closed; what can't be mended must be refused."""
        if what is None or not self._accidents.happen(what):
            return
        self.tally.faults += 1
        self.tally.at_rest[what.name] += 1
        if what not in REFUSED:
            self.tally.outcomes["mended at the start"] += 1
            return
        before = self._accidents.bytes_of_all()
        with suppress(StoreError):
            self._open()
            raise AssertionError(f"a chain with {what.value} was opened")
        self.tally.outcomes["refused, nothing changed"] += 1
        assert self._accidents.bytes_of_all() == before, "a refused folder was changed"
        self._accidents.put_back()

    def _arrive(self) -> None:
        """The last opening: everything told, every row, and a block on top."""
        self._disk.arm(None)
        producer = self._open()
        self._block(producer)
        producer.maintain(idle=True)
        assert self._store is not None
        self._oracle.check(self._store, self._accidents.wanted_from)
        self._oracle.check_rows(self._store)
        self._close()


def sail(seed: int) -> Tally:
    """Play one seed to its end and give its counts."""
    logging.getLogger("tongbao").setLevel(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="tongbao-storm-", dir=_fast_folder()) as folder:
        return Voyage(seed, Path(folder)).run()


def _fast_folder() -> str | None:
    """A file system in memory, where there is one: LMDB syncs for real."""
    memory = Path("/", "dev", "shm")
    return str(memory) if memory.is_dir() else None
