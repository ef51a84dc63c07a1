"""Ways to make a good transaction invalid, for each of the kernel's reasons that needs state."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from tongbao.kernel import ChainId, Message, Time
from tongbao.kernel.kernel_module import EXPIRY_MS
from tongbao.modules import account
from tongbao.testing.drafts import Draft
from tongbao.testing.world import NOBODY, World

WINDOW: Final = 256
LANES: Final = 16

Spoiler = Callable[[World, Draft], bool]
"""Changes a draft; False when this draft has nothing to be spoiled in that way."""


def another_chain(world: World, draft: Draft) -> bool:
    """Meant for a chain of the same name with another genesis."""
    draft.chain = ChainId(f"{world.machine.genesis_file.chain}-00000000")
    return True


def expired(world: World, draft: Draft) -> bool:
    """Too late by a moment or by long."""
    draft.expires = Time(world.time - world.one([0, 1, world.number(0, 10_000_000)]))
    return True


def expiry_too_far(world: World, draft: Draft) -> bool:
    """Good for longer than a chain remembers nonces for."""
    longest = world.machine.parameters[EXPIRY_MS.name]
    draft.expires = Time(world.time + longest + world.one([1, 1_000_000]))
    return True


def unknown_sender(world: World, draft: Draft) -> bool:
    """From an account that is closed or never was."""
    draft.sender = world.one([NOBODY, *world.closed])
    return True


def unknown_sponsor(world: World, draft: Draft) -> bool:
    """Sponsored by an account that is closed or never was."""
    draft.sponsor = world.one([NOBODY, *world.closed])
    return True


def undeclared_lane(world: World, draft: Draft) -> bool:
    """In a lane that the sender does not have."""
    lanes = world.people[draft.sender].lanes
    if lanes >= LANES:
        return False
    draft.lane = world.number(lanes, LANES - 1)
    return True


def used_nonce(world: World, draft: Draft) -> bool:
    """With a nonce that was used."""
    used = world.used.get((draft.sender, draft.lane))
    if not used:
        return False
    draft.nonce = world.one(sorted(used)[-WINDOW:])
    return True


def old_nonce(world: World, draft: Draft) -> bool:
    """With a nonce below the window; where none is, for a sender who has gone far enough."""
    far = [key for key in world.used if key[0] in world.people and world.highest(*key) > WINDOW + 1]
    if not far:
        return False
    draft.sender, draft.lane = world.one(far)
    draft.nonce = world.number(1, world.highest(draft.sender, draft.lane) - WINDOW - 1)
    row = world.people[draft.sender]
    keys = {str(entry.key.public) for entry in row.keys} | set(draft.introduced())
    draft.sponsor = None
    draft.signers = {key: world.signers[key] for key in sorted(keys)[:LANES]}
    return True


def far_nonce(world: World, draft: Draft) -> bool:
    """With a nonce beyond the window."""
    highest = world.highest(draft.sender, draft.lane)
    draft.nonce = highest + WINDOW + world.one([1, 2, 1_000_000])
    return True


def stripped(world: World, draft: Draft) -> bool:
    """Without one of the signatures, or with a stranger's instead of the last one."""
    if len(draft.signers) > 1:
        del draft.signers[world.one(sorted(draft.signers))]
    else:
        stranger = world.new_signer()
        draft.signers = {stranger.key_id: stranger}
    return True


def stripped_of_new_key(world: World, draft: Draft) -> bool:
    """Without the signature of a key that it introduces."""
    own = {str(entry.key.public) for entry in world.people[draft.sender].keys}
    new = [key for key in draft.introduced() if key not in own]
    if not new or len(draft.signers) == 1:
        return False
    draft.signers.pop(world.one(new), None)
    return bool(draft.signers)


def stripped_of_sponsor(world: World, draft: Draft) -> bool:
    """Sponsored by somebody who has not signed."""
    draft.sponsor = world.somebody()
    return True


def one_signature_too_many(world: World, draft: Draft) -> bool:
    """Signed by a stranger, too."""
    stranger = world.new_signer()
    draft.signers[stranger.key_id] = stranger
    return len(draft.signers) <= LANES


def not_last(world: World, draft: Draft) -> bool:
    """With a message after the one that closes the account."""
    close = account.Close(heir=world.somebody())
    rest: tuple[Message, ...] = tuple(
        message for message in draft.messages if not message.is_last
    ) or (account.SetLanes(lanes=world.people[draft.sender].lanes),)
    draft.messages = (close, *rest)
    return True


SPOILERS: Final[tuple[Spoiler, ...]] = (
    another_chain,
    expired,
    expiry_too_far,
    unknown_sender,
    unknown_sponsor,
    undeclared_lane,
    used_nonce,
    old_nonce,
    far_nonce,
    stripped,
    stripped_of_new_key,
    stripped_of_sponsor,
    one_signature_too_many,
    not_last,
)
