"""Writes random transactions that mostly make sense, many of which end in a refusal."""

from __future__ import annotations

from itertools import accumulate
from typing import Final

from tongbao.kernel import Address, Amount, Message, Small, Time, TransactionReference
from tongbao.kernel.envelope import SIGNATURES_LIMIT
from tongbao.kernel.kernel_module import EXPIRY_MS
from tongbao.modules import account, asset, hold
from tongbao.testing.control_recipes import CONTROL_RECIPES
from tongbao.testing.drafts import Draft
from tongbao.testing.order_recipes import DATA_RECIPES
from tongbao.testing.reading_recipes import READING_RECIPES
from tongbao.testing.recipes import RECIPES, Recipe, Recipes
from tongbao.testing.values import message_of
from tongbao.testing.world import NOBODY, UNKNOWN_ASSET, UNKNOWN_ID, World

WINDOW: Final = 256
TRIES: Final = 20
FAR_LANE: Final = 20
"""A nonce runs ahead of its lane at times, and then at most so far, but for one jump in four."""


class Writer:
    """Makes drafts for one history."""

    def __init__(self, world: World, recipes: Recipes) -> None:
        """Use recipes beside those of the built-in modules; each message of the registry occurs."""
        known = {**RECIPES, **CONTROL_RECIPES, **READING_RECIPES, **DATA_RECIPES, **recipes}
        self._world = world
        messages = world.machine.registry.messages
        self._recipes = [known.get(kind) or _plain(kind) for kind in messages]
        self._weights = list(accumulate(recipe.weight for recipe in self._recipes))

    def _recipe(self) -> Recipe:
        return self._world.random.choices(self._recipes, cum_weights=self._weights)[0]

    def draft(self) -> Draft:
        """A transaction of one message or several, signed by whom it needs."""
        world = self._world
        sender, first = self._begin()
        messages = [first]
        if world.chance(0.35):
            for _ in range(world.number(1, 12 if world.odd() else 3)):
                more = self._recipe().message(world, sender)
                if more is not None:
                    messages.append(more)
            if world.chance(0.4):
                messages.append(regret(world))
        messages.sort(key=lambda message: message.is_last)
        while sum(message.is_last for message in messages) > 1:
            messages.pop()
        return self.address(sender, tuple(messages))

    def _reference(self) -> TransactionReference:
        """The transaction's own: a business reference or, now and then, a salted hash."""
        world = self._world
        if world.chance(0.2):
            return TransactionReference(f"{world.number(0, 2**256 - 1):064x}")
        return TransactionReference(world.reference(UNKNOWN_ASSET))

    def _begin(self) -> tuple[Address, Message]:
        """A sender and the first message."""
        for _ in range(TRIES):
            recipe = self._recipe()
            sender = recipe.sender(self._world)
            if sender is None or sender not in self._world.people:
                continue
            message = recipe.message(self._world, sender)
            if message is not None:
                return sender, message
        return self._world.somebody(), regret(self._world)

    def address(self, sender: Address, messages: tuple[Message, ...]) -> Draft:
        """A draft of given messages, with lane, nonce, expiry and signers that should do."""
        world = self._world
        row = world.people[sender]
        lane = world.number(0, row.lanes - 1)
        draft = Draft(
            chain=world.machine.chain,
            sender=sender,
            nonce=self.nonce(sender, lane),
            expires=self._expires(),
            messages=messages,
            signers={},
            lane=lane,
            reference=self._reference() if world.chance(0.2) else None,
        )
        if world.chance(0.1):
            draft.sponsor = self._sponsor(sender)
        self.choose_signers(draft)
        if draft.sponsor is not None and len(draft.signers) > SIGNATURES_LIMIT:
            draft.sponsor = None
            self.choose_signers(draft)
        return draft

    def _sponsor(self, sender: Address) -> Address:
        """Who stands for the sender, or another with an allowance; at times anybody."""
        world = self._world
        standing = world.sponsorships.get(sender)
        known = list(world.allowances) if standing is None else [standing.sponsor]
        known = [address for address in known if address in world.people]
        return world.one(known) if known and world.chance(0.7) else world.somebody()

    def nonce(self, sender: Address, lane: int) -> int:
        """Mostly the next one; at times a jump, or one that was left out."""
        world = self._world
        highest = world.highest(sender, lane)
        if world.chance(0.08):
            return highest + world.number(1, WINDOW if world.chance(0.25) else FAR_LANE)
        if world.chance(0.15):
            used = world.used.get((sender, lane), set())
            free = set(range(max(1, highest - WINDOW), highest)) - used
            if free:
                return world.one(sorted(free))
        return highest + 1

    def _expires(self) -> Time:
        """Within the bounds, at times on them."""
        world = self._world
        longest = world.machine.parameters[EXPIRY_MS.name]
        return Time(world.time + world.one([1, longest, world.number(1, longest)]))

    def choose_signers(self, draft: Draft) -> None:
        """Let just those sign who must; at times another key of the sender's, too."""
        world = self._world
        row = world.people[draft.sender]
        needed = row.ordinary
        if any(message.is_sensitive for message in draft.messages):
            needed = row.sensitive
        found = {*self._enough(row, needed), *draft.introduced()}
        if draft.sponsor is not None:
            sponsor = world.people[draft.sponsor]
            standing = world.sponsorships.get(draft.sender)
            stands = standing is not None and standing.sponsor == draft.sponsor
            if not stands or world.chance(0.5):
                found.update(self._enough(sponsor, sponsor.ordinary))
        if world.chance(0.05):
            found.add(world.one(row.keys).key.public)
        draft.signers = {key: world.signers[key] for key in sorted(found)}

    def _enough(self, row: account.Account, needed: int) -> list[str]:
        """Keys of an account that reach a weight, in no particular order."""
        keys = list(row.keys)
        self._world.random.shuffle(keys)
        chosen, weight = [], 0
        for entry in keys:
            if weight >= needed:
                break
            chosen.append(str(entry.key.public))
            weight += entry.weight
        return chosen


def regret(world: World) -> Message:
    """A message that is refused: it takes back what the messages before it have done."""
    return world.one(
        [
            hold.Capture(hold=UNKNOWN_ID),
            asset.Transfer(asset=UNKNOWN_ASSET, amount=Amount("1.00"), payee=NOBODY),
            account.SetLanes(lanes=Small(0)),
        ]
    )


def _plain(kind: type[Message]) -> Recipe:
    """The recipe of a message that has none."""
    return Recipe(6, World.somebody, lambda world, sender: message_of(world, kind))
