"""Play a chain again from its log with other code: same transactions, heights and times."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tongbao.cli.dev.speech import Changed, Replayed
from tongbao.engines.solo import Producer, read_header
from tongbao.engines.solo.header import HeaderSigner
from tongbao.engines.solo.producer import Made
from tongbao.kernel import Genesis, Machine, Registry
from tongbao.kernel.genesis import chain_id
from tongbao.store.record import BlockRecord
from tongbao.store.store import Store

PLACE: Final = "replayed"
COMPLETE: Final = "complete"
NOT_MOVED: Final = frozenset({COMPLETE, "lock"})
EXAMPLES: Final = 5
LEFT_OUT: Final = "left out"


def replay(folder: Path, genesis: Genesis, registry: Registry, signer: HeaderSigner) -> Replayed:
    """Play the chain of a folder again, and put the result in its place if it differs.

    Until everything is played and durable the folder is as it was; whatever goes wrong in the code
    that is tried is raised.
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
    with Store.open(folder, chain=chain) as old, Store.open(place, chain=chain) as new:
        producer = Producer(Machine(registry, genesis, new, -1, 0), new, signer)
        producer.begin()
        changed: list[Changed] = []
        transactions = 0
        for height in range(1, old.height + 1):
            record = old.block(height)
            made = producer.make(record.transactions, record.time, even_empty=True)
            producer.maintain(idle=False)
            assert made is not None
            transactions += len(record.transactions)
            changed += _compare(record, made, registry)
        assert old.last is not None and new.last is not None
        before, now = read_header(old.last.header)[0], read_header(new.last.header)[0]
        found = Replayed(
            blocks=old.height,
            transactions=transactions,
            changed=len(changed),
            is_same_root=before.state == now.state,
            examples=tuple(changed[:EXAMPLES]),
        )
        return found, old.last.header != new.last.header


def _compare(record: BlockRecord, made: Made, registry: Registry) -> list[Changed]:
    """The transactions of a block that came to something else."""
    results = iter(made.decided.results)
    changed = []
    for wire, (identifier, before) in zip(record.transactions, record.outbox, strict=False):
        invalid = made.invalid.get(wire)
        now = next(results).number if invalid is None else invalid
        if now != before:
            words = LEFT_OUT if invalid is not None else ""
            changed.append(
                Changed(identifier.hex(), _said(registry, before, ""), _said(registry, now, words))
            )
    return changed


def _said(registry: Registry, number: int, word: str) -> str:
    """An outcome in words."""
    if number == 0:
        return "applied"
    reason = registry.reasons.get(number)
    return f"{word or 'refused'} ({number}: {reason or 'a rule that is no more'})"
