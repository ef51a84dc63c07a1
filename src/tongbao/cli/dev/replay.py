"""Play a chain again from its log with other code: same transactions, heights and times.

Behind the last block comes one in which the authority signs an upgrade to the code that has played
them: so whoever opens the folder later with other code is told which module differs.
"""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.cli.dev.signing import sign_upgrade
from tongbao.cli.dev.speech import Changed, Replayed
from tongbao.engines.solo import Producer, read_header
from tongbao.engines.solo.header import HeaderSigner
from tongbao.engines.solo.producer import Made
from tongbao.kernel import Genesis, Invalid, Machine, Registry
from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.genesis import chain_id
from tongbao.kernel.transaction import id_of
from tongbao.store.base import base_heights, base_name
from tongbao.store.record import BlockRecord
from tongbao.store.store import Store

PLACE: Final = "replayed"
COMPLETE: Final = "complete"
NOT_MOVED: Final = frozenset({COMPLETE, "lock"})
LEFT_OUT: Final = "left-out.json"
EXAMPLES: Final = 5


def replay(folder: Path, genesis: Genesis, registry: Registry, signer: HeaderSigner) -> Replayed:
    """Play the chain of a folder again, and put the result in its place if it differs.

    Until everything is played and durable the folder is as it was; whatever goes wrong in the code
    that is tried is raised. Raises Pruned where a block's body was given up.
    """
    finish(folder)
    place = folder / PLACE
    place.mkdir()
    try:
        found, differs = _play(folder, place, genesis, registry, signer)
    except BaseException:
        shutil.rmtree(place, ignore_errors=True)
        raise
    if differs:
        (place / COMPLETE).touch()
        finish(folder)
    else:
        shutil.rmtree(place)
    return found


def finish(folder: Path) -> None:
    """Put a replay that was complete in its place, and remove one that was cut short."""
    place = folder / PLACE
    if not place.exists():
        return
    if (place / COMPLETE).exists():
        for height in base_heights(folder):
            shutil.rmtree(folder / base_name(height))  # its rows are those of the old code
        for new in sorted(place.iterdir()):
            if new.name not in NOT_MOVED:
                old = folder / new.name
                if old.is_dir():
                    shutil.rmtree(old)
                new.replace(old)
    shutil.rmtree(place)


def _play(
    folder: Path, place: Path, genesis: Genesis, registry: Registry, signer: HeaderSigner
) -> tuple[Replayed, bool]:
    """Play every block; what was found, and whether any header came out different."""
    chain = chain_id(genesis)
    left_out = _read_left_out(folder)
    still_left_out: list[LeftOut] = []
    changed: list[Changed] = []
    count = 0
    with Store.open(folder, chain=chain) as old, Store.open(place, chain=chain) as new:
        producer = Producer(Machine(registry, genesis, new, -1, 0), new, signer)
        producer.begin()
        for height in range(1, old.height + 1):
            record = old.block(height)
            known = _known(record, [one for one in left_out if one.height == height])
            made = producer.make(tuple(one.wire for one in known), record.time, even_empty=True)
            producer.maintain(idle=False)
            assert made is not None
            count += len(known)
            numbers = _numbers(known, made)
            for index, (one, number) in enumerate(zip(known, numbers, strict=True)):
                if one.wire in made.invalid:
                    still_left_out.append(LeftOut(height, index, one.wire.decode(), number))
                if one.number != number:
                    changed.append(_changed(one, number, registry))
        assert old.last is not None and new.last is not None
        before, now = read_header(old.last.header)[0], read_header(new.last.header)[0]
        differs = old.last.header != new.last.header
        differs = sign_upgrade(producer, folder, signer) or differs
    (place / LEFT_OUT).write_bytes(msgspec.json.encode(still_left_out))
    same = before.state == now.state
    return Replayed(old.height, count, len(changed), same, tuple(changed[:EXAMPLES])), differs


class LeftOut(Struct, frozen=True):
    """A transaction that the code of a while made invalid, so that no block has it: the height
    and index that it had, and why. The next replay gives it another chance.
    """

    height: int
    index: int
    wire: str
    number: int


class Known(Struct, frozen=True):
    """A transaction of a block, or one that was left out of it, and what it came to."""

    wire: bytes
    number: int


def _read_left_out(folder: Path) -> list[LeftOut]:
    path = folder / LEFT_OUT
    return msgspec.json.decode(path.read_bytes(), type=list[LeftOut]) if path.exists() else []


def _known(record: BlockRecord, left_out: list[LeftOut]) -> list[Known]:
    """The transactions of a block with those that were left out, each in its old place."""
    outcomes = zip(record.transactions, record.outbox, strict=False)
    known = [Known(wire, number) for wire, (_, number) in outcomes]
    for one in left_out:
        known.insert(one.index, Known(one.wire.encode(), one.number))
    return known


def _numbers(known: list[Known], made: Made) -> list[int]:
    """What each transaction comes to now: 0, or the number of a reason."""
    results = iter(made.decided.results)
    found = []
    for one in known:
        invalid = made.invalid.get(one.wire)
        found.append(next(results).number if invalid is None else invalid)
    return found


def _changed(one: Known, number: int, registry: Registry) -> Changed:
    identifier = id_of(decode_envelope(one.wire).payload).hex()
    return Changed(identifier, _said(registry, one.number), _said(registry, number))


def _said(registry: Registry, number: int) -> str:
    """An outcome in words."""
    if number == 0:
        return "applied"
    reason = registry.reasons.get(number)
    word = "left out" if isinstance(reason, Invalid) else "refused"
    return f"{word}: {reason or f'{number}, a rule that is no more'}"
