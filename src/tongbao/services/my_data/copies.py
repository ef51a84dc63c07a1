"""What agents have: copies of just the batches and fields that offers name, and no others.

`settle_copies` makes it so, whatever is there before: a copy too much is destroyed, one that is
missing or has other fields is made anew. It can be done at any time, and again; so agents that were
away, and folders of theirs that came back from a backup, come right by themselves.
"""

from __future__ import annotations

from msgspec import Struct

from tongbao.kernel import Id
from tongbao.rights.chunks import DoesNotOpen
from tongbao.rights.copies import copy_text
from tongbao.rights.parcel import seal_parcel
from tongbao.services.my_data.agents import AgentDoor, AgentError, AgentRefuses
from tongbao.services.my_data.ledger import Owned
from tongbao.services.my_data.person import Person
from tongbao.services.my_data.shelf import NotAtStore


class Settled(Struct, kw_only=True):
    """What was done at agents: batches by agent, receipts of what was destroyed, and troubles."""

    given: list[tuple[str, str]]
    destroyed: dict[str, dict[str, dict[str, str | int]]]
    troubles: list[tuple[str, str]]


def wanted(person: Person, owned: Owned) -> dict[str, dict[str, tuple[str, ...]]]:
    """Of each noted agent, the batches that it may have, with the fields that may be open."""
    found: dict[str, dict[str, tuple[str, ...]]] = {agent: {} for agent in person.notebook.agents}
    fields: dict[tuple[str, str], set[str]] = {}
    for offer in owned.offers.values():
        if offer.agent is not None:
            fields.setdefault((offer.agent, offer.schema), set()).update(offer.fields)
    for kept in person.notebook.batches:
        lost = kept.attestation is None and kept.source != person.account
        if lost or not owned.is_live(kept.batch):
            continue
        for agent, copies in found.items():
            if (open_ones := fields.get((agent, kept.schema))) is not None:
                copies[kept.batch] = tuple(sorted(open_ones))
    return found


def settle_copies(person: Person, owned: Owned) -> Settled:
    """Let each agent have what it may have, and nothing else; what went wrong is told."""
    done = Settled(given=[], destroyed={}, troubles=[])
    for agent, copies in wanted(person, owned).items():
        try:
            _settle_agent(person, agent, copies, done)
        except AgentError as error:
            done.troubles.append((agent, str(error)))
    return done


def _settle_agent(
    person: Person, agent: str, copies: dict[str, tuple[str, ...]], done: Settled
) -> None:
    door = person.door(agent)
    there = door.copies()
    for batch, fields in there.items():
        if tuple(sorted(fields)) != copies.get(batch):
            done.destroyed.setdefault(batch, {})[agent] = door.delete_copy(batch)
    missing = [
        name for name, fields in copies.items() if tuple(sorted(there.get(name, ()))) != fields
    ]
    if not missing:
        return
    key = door.key(person.chain, agent, person.now())
    for name in missing:
        try:
            _give(person, door, key, name, copies[name])
        except (AgentRefuses, DoesNotOpen, NotAtStore) as error:
            done.troubles.append((name, str(error)))
        else:
            done.given.append((agent, name))


def _give(person: Person, door: AgentDoor, key: bytes, name: str, fields: tuple[str, ...]) -> None:
    kept = person.notebook.kept(name)
    assert kept is not None
    batch = person.shelf.fetch(kept.commitment)
    attestation = None if kept.attestation is None else kept.attestation.encode("ascii")
    text = copy_text(
        batch, fields, batch_id=Id(name), owner=person.account, attestation=attestation
    )
    door.put_copy(name, seal_parcel("copy", bytes.fromhex(kept.commitment), key, text))
