"""A chain with a supervisor and an operator, and what they send about inspections."""

from __future__ import annotations

from tests.modules.member_steps import FIRST, SECOND
from tongbao.kernel import Address, Count, Hash, Id, Small, Time
from tongbao.kernel.genesis import section
from tongbao.modules import member, reading
from tongbao.modules.member import FirstMember, MemberName, Role, Start
from tongbao.modules.reading import Counted, OpenInspection, RecordReads
from tongbao.testing import Chain, alice, bank, carol, mallory

HOUR_MS = 3_600_000
GROUND = Small(6)
BASIS = Hash("ab" * 32)
BATCH = Hash("cd" * 32)


def supervised() -> Chain:
    """A chain on which carol acts for a supervisor, the bank and mallory for an operator."""
    watching = FirstMember(
        lei=FIRST, name=MemberName("Authority"), accounts=(carol,), roles=(Role("supervisor"),)
    )
    running = FirstMember(
        lei=SECOND,
        name=MemberName("Bank"),
        accounts=(bank, mallory),
        roles=(Role(member.OPERATOR),),
    )
    return Chain(sections=(section("member", Start(members=(watching, running))),))


def opening(chain: Chain, account: Address = alice, lasts_ms: int = HOUR_MS) -> OpenInspection:
    """The message by which an inspection begins, for an hour."""
    until = Time(chain.time + lasts_ms)
    return OpenInspection(account=account, reason=GROUND, basis_hash=BASIS, until=until)


def counted(chain: Chain, inspection: Id, **counts: int) -> Counted:
    """What was read under an inspection: one statement, where nothing else is said."""
    told = {kind: Count(count) for kind, count in (counts or {"statements": 1}).items()}
    return Counted(inspection=inspection, since=chain.time, until=chain.time, **told)


def recording(*reads: Counted, batch: Hash = BATCH) -> RecordReads:
    """The message by which a node records reads."""
    return RecordReads(batch=batch, reads=reads)


def tally_of(chain: Chain, by: Address = carol) -> reading.Tally | None:
    """A supervisor's tally."""
    return reading.tally(chain.view(reading.module), by)


def opened(chain: Chain) -> Id:
    """An inspection of alice's by carol, which has just begun."""
    found = chain.apply("carol", opening(chain))
    assert found is not None
    return found
