"""Random histories of a chain, made from a seed: the same seed makes the same history.

A history leans towards refusals after effects (a transaction of several messages whose last one is
refused), since that is where a state machine forgets to take something back.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Final

from msgspec import Struct

from tongbao.kernel import Machine, Outcome, Result, Time
from tongbao.kernel.envelope import SIGNATURES_LIMIT, TYPE, encode_base64url
from tongbao.sdk.signer import Signer
from tongbao.testing.chapters import CHAPTERS, Chapter
from tongbao.testing.damage import DAMAGES
from tongbao.testing.data_chapters import rows_are_sold
from tongbao.testing.drafts import Draft, Submission
from tongbao.testing.recipes import Recipes
from tongbao.testing.spoilers import SPOILERS
from tongbao.testing.world import World
from tongbao.testing.writer import Writer

SIZES: Final = (0, 1, 2, 3, 5, 8, 12, 20, 40)
WAITS_MS: Final = (1, 1_000, 5_000, 60_000)
LONG_WAIT_MS: Final = 100_000_000
INVALID_CHANCE: Final = 0.12
CHAPTER_CHANCE: Final = 0.06
EDDSA: Final = "EdDSA"


class Step(Struct, frozen=True):
    """One block to come, and what else is asked around it.

    `others` are transactions of candidates to be discarded before it, `dry_runs` payloads that are
    tried at the block's time.
    """

    time: Time
    submissions: tuple[Submission, ...]
    others: tuple[tuple[bytes, ...], ...]
    dry_runs: tuple[bytes, ...]


class History:
    """Writes the blocks of one history; the one who plays it tells it the results."""

    def __init__(
        self,
        machine: Machine,
        seed: str,
        transactions: int,
        signers: Iterable[Signer],
        recipes: Recipes | None = None,
        chapters: tuple[Chapter, ...] = (),
    ) -> None:
        """Begin after genesis, whose accounts the signers hold the keys of.

        `recipes` and `chapters` come on top of those for the built-in modules.
        """
        self.world = World(machine, seed, tuple(signers))
        self.writer = Writer(self.world, recipes or {})
        self._chapters = (*CHAPTERS, *chapters)
        self._left = transactions
        self._chapter: Iterator[list[Draft]] = rows_are_sold(self.world, self.writer)
        self._before: tuple[Submission, ...] = ()

    def steps(self) -> Iterator[Step]:
        """The blocks until the transactions are used up; call `learn` after each."""
        while self._left > 0:
            step = self._step()
            self._left -= len(step.submissions)
            yield step

    def _step(self) -> Step:
        world = self.world
        wait = LONG_WAIT_MS if world.chance(0.02) else world.number(1, world.one(WAITS_MS))
        if world.patience is not None:
            wait, world.patience = world.patience, None
        world.time = Time(world.machine.time + wait)
        submissions = (*self._told(), *self._random(min(world.one(SIZES), self._left)))
        submissions = submissions[: self._left]
        sound = [found for found in submissions if found.is_sound]
        dry = [json_bytes(found) for found in sound if world.chance(0.05)]
        others: tuple[tuple[bytes, ...], ...] = ()
        if world.chance(0.3):
            wires = [found.wire for found in submissions]
            world.random.shuffle(wires)
            others = (tuple(wires),)
        return Step(world.time, submissions, others, tuple(dry))

    def _told(self) -> list[Submission]:
        """What the current chapter says next, or now and then the beginning of another."""
        drafts = next(self._chapter, None)
        if drafts is None and self.world.chance(CHAPTER_CHANCE):
            self._chapter = self.world.one(self._chapters)(self.world, self.writer)
            drafts = next(self._chapter, None)
        return [self._sent(draft) for draft in drafts or ()]

    def _random(self, count: int) -> Iterator[Submission]:
        """So many transactions, some of them invalid, some once more as they were."""
        for _ in range(count):
            if self._before and self.world.chance(0.02):
                yield self.world.one(self._before)
            elif self.world.chance(INVALID_CHANCE):
                yield self._invalid()
            else:
                yield self._sent(self.writer.draft())

    def _sent(self, draft: Draft) -> Submission:
        """A signed draft, whose nonce is used from here on; no more than 16 can sign."""
        draft.signers = dict(list(draft.signers.items())[:SIGNATURES_LIMIT])
        self.world.used.setdefault((draft.sender, draft.lane), set()).add(draft.nonce)
        if len(draft.signers) == 1 and self.world.chance(0.05):
            return signed_elsewhere(draft)
        return draft.sign()

    def _invalid(self) -> Submission:
        """A draft that is spoiled before it is signed, or damaged afterwards."""
        world = self.world
        while True:
            draft = self.writer.draft()
            draft.signers = dict(list(draft.signers.items())[:SIGNATURES_LIMIT])
            if world.chance(0.5):
                if (
                    world.one(SPOILERS)(world, draft)
                    and 1 <= len(draft.signers) <= SIGNATURES_LIMIT
                ):
                    return draft.sign()
            else:
                damaged = world.one(DAMAGES)(world, draft)
                if damaged is not None:
                    return damaged

    def learn(self, step: Step, results: tuple[Result, ...]) -> None:
        """Take in what a step has come to."""
        for submission, result in zip(step.submissions, results, strict=True):
            if result.outcome is not Outcome.INVALID:
                payload = submission.payload
                key = payload["sender"], payload.get("lane", 0)
                self.world.used.setdefault(key, set()).add(payload["nonce"])
        self._before = tuple(found for found in step.submissions if found.is_sound)
        self.world.refresh()


def signed_elsewhere(draft: Draft) -> Submission:
    """A transaction of one signature as another JOSE library writes it: other name, other order."""
    [(key_id, signer)] = draft.signers.items()
    header = json.dumps({"typ": TYPE, "alg": EDDSA, "kid": key_id}, separators=(",", ":"))
    payload = draft.payload_bytes()
    signed = f"{encode_base64url(header.encode())}.{encode_base64url(payload)}".encode()
    wire = signed + b"." + encode_base64url(signer.sign(signed)).encode()
    return Submission(wire, json.loads(payload), (key_id,))


def json_bytes(submission: Submission) -> bytes:
    """The payload of a submission as it was signed."""
    return json.dumps(submission.payload, sort_keys=True, separators=(",", ":")).encode()
