"""A month: for each consent in force a batch, also of no rows, attested and on the ledger.

Each step of a group is on disk before the next is taken, and each run begins with what is undone.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from itertools import islice
from typing import Final, TypeVar

from msgspec import Struct, field

from tongbao.kernel import Address, Hash, Id, Message
from tongbao.modules import data
from tongbao.modules.data.types import Method, Period, Schema, Version
from tongbao.sdk.client import Applied, Client, Refused
from tongbao.sdk.wallet import Wallet
from tongbao.services.data_source.consents import (
    Held,
    consent_of_id,
    consents,
    end_expired,
    subject_key,
)
from tongbao.services.data_source.events import rows_of
from tongbao.services.data_source.settings import SourceError
from tongbao.services.data_source.source import Source
from tongbao.services.data_source.statements import (
    GROUP,
    Name,
    Statement,
    Step,
    attestation_of,
    change,
    draw,
    is_said,
    last_version,
    sealed,
    statement_of,
    step_of,
    waiting,
)

TAKEN: Final = frozenset(
    why.number for why in (data.Why.VERSION_IS_TAKEN, data.Why.COMMITMENT_IS_TAKEN)
)
"""What the ledger says to a statement that it has already."""
OTHERWISE: Final = "the ledger has another content: this folder is older than what was said"
PAGES_LIMIT: Final = 10_000
S_PER_MS: Final = 1_000

T = TypeVar("T")
Tell = Callable[[str, int, int], None]
"""Told a stage's name, how much of it is done, and how much it is."""


class Month(Struct, kw_only=True):
    """What a run came to: `refused` counts the ledger's reasons, `undone` waits for another run,
    and of what its owner has `retired` there is no next version.
    """

    drawn: int = 0
    committed: int = 0
    ended: int = 0
    undone: int = 0
    retired: int = 0
    refused: Counter[str] = field(default_factory=Counter)


def make_month(source: Source, chain: Client, period: str, tell: Tell) -> Month:
    """Say what is known of a month that is over. Raises SourceError."""
    now = chain.now()
    if period >= datetime.fromtimestamp(now / S_PER_MS, UTC).strftime("%Y-%m"):
        raise SourceError(f"{period} is not over", "attest a month when it has ended")
    month = Month(ended=end_expired(source, now))
    due = [held.id for held in consents(source) if not _is_said(source, held, period)]
    for group in _groups(due):
        draw(source, [_in_force(source, consent) for consent in group], period, now // S_PER_MS)
        month.drawn += len(group)
        tell("drawn", month.drawn, len(due))
    finish(source, chain, month, tell)
    return month


def correct_month(source: Source, chain: Client, period: str, tell: Tell) -> Month:
    """Say anew what has changed of a month since it was said: the next version of each batch."""
    now = chain.now()
    month = Month(ended=end_expired(source, now))
    finish(source, chain, month, tell)
    changed: list[tuple[bytes, Name]] = []
    for held in consents(source):
        subject = subject_key(source.journal, held.signed_consent)
        last = last_version(source, subject, held.schema, period)
        if last is None or rows_of(source, subject, held.schema, period) == last.drawn.rows:
            continue
        if step_of(source, last.name) < Step.COMMITTED:
            continue
        if _is_retired(chain, last):
            month.retired += 1
            continue
        changed.append((held.id, last.name))
    for group in _groups(changed):
        held_group = [_in_force(source, consent) for consent, _ in group]
        draw(source, held_group, period, now // S_PER_MS, [name for _, name in group])
        month.drawn += len(group)
    finish(source, chain, month, tell)
    return month


def finish(source: Source, chain: Client, month: Month, tell: Tell) -> None:
    """Attest and commit everything that is not yet, of whichever month."""
    month.undone, month.refused = 0, Counter()
    drawn = list(waiting(source, [Step.DRAWN]))
    for place, group in enumerate(_groups(drawn)):
        attest(source, chain, group, month)
        tell("attested", min(len(drawn), (place + 1) * GROUP), len(drawn))
    left = list(waiting(source, [Step.ATTESTED]))
    wallet = chain.wallet(source.account, source.signer)
    for place, group in enumerate(_groups(left)):
        commit(source, wallet, group, month)
        tell("committed", min(len(left), (place + 1) * GROUP), len(left))


def _is_retired(chain: Client, statement: Statement) -> bool:
    """Whether its owner lets a batch be sold no more: then nobody wants to hear it corrected."""
    found = chain.query(data.batch, Id(str(statement.batch)))
    return found is not None and found.retired


def _is_said(source: Source, held: Held, period: str) -> bool:
    return is_said(source, subject_key(source.journal, held.signed_consent), held.schema, period)


def _in_force(source: Source, consent: bytes) -> Held:
    held = consent_of_id(source, consent)
    assert held is not None, "only this program, which has the journal locked, ends consents"
    return held


def attest(source: Source, chain: Client, group: list[tuple[bytes, Name]], month: Month) -> None:
    """Sign a group: one step.

    Nothing is signed where the ledger has another content: then this folder is older than what was
    said, as one that was restored from a backup is.
    """
    signed: list[tuple[bytes | None, Name]] = []
    for consent, name in group:
        statement, held = statement_of(source, consent, name), _in_force(source, consent)
        others = _on_ledger(chain, held, name) - {statement.commitment.hex()}
        signed.append((None if others else attestation_of(source, held, statement), name))
    with source.journal.step() as database:
        for text, name in signed:
            step = Step.DRAWN if text is None else Step.ATTESTED
            why = OTHERWISE if text is None else None
            kept = None if text is None else sealed(source, text)
            change(database, name, attestation=kept, step=step, refused=why)
            month.refused[OTHERWISE] += text is None
    month.refused = +month.refused


def _on_ledger(chain: Client, held: Held, name: Name) -> set[str]:
    """The commitments that the ledger has of what a statement is about."""
    consent, subject = held.signed_consent.consent, held.signed_consent.subject
    wanted = (consent.source, subject, name.schema, name.period, name.version)
    return {
        batch.commitment
        for _, batch in _batches(chain, consent.account)
        if (batch.source, batch.subject, batch.schema, batch.period, batch.version) == wanted
    }


class _Sent(Struct, frozen=True):
    """What is sent of a statement, without its rows."""

    name: Name
    commitment: str
    owner: Address
    transaction: bytes


def commit(source: Source, wallet: Wallet, group: list[tuple[bytes, Name]], month: Month) -> None:
    """Send a group, each in a transaction of its own, and keep what came of each."""
    sent = [_built(source, wallet, consent, name) for consent, name in group]
    answers = wallet.chain.submit_many([one.transaction for one in sent])
    found = [
        _batch_id(wallet.chain, one, answer) for one, answer in zip(sent, answers, strict=True)
    ]
    with source.journal.step() as database:
        for one, answer, batch in zip(sent, answers, found, strict=True):
            why = None
            if batch is not None:
                month.committed += 1
            elif isinstance(answer, Refused):
                why = f"{answer.number} {answer}"
                month.refused[why] += 1
            else:
                month.undone += 1
            step = Step.ATTESTED if batch is None else Step.COMMITTED
            change(database, one.name, step=step, batch=batch, refused=why)
    if any(not isinstance(answer, Applied | Refused) for answer in answers):
        wallet.forget_nonce()


def _built(source: Source, wallet: Wallet, consent: bytes, name: Name) -> _Sent:
    statement, held = statement_of(source, consent, name), _in_force(source, consent)
    return _Sent(
        name=name,
        commitment=statement.commitment.hex(),
        owner=held.signed_consent.consent.account,
        transaction=wallet.build(_message(statement, held)),
    )


def _message(statement: Statement, held: Held) -> Message:
    consent, name = held.signed_consent.consent, statement.name
    before = statement.drawn.supersedes
    return data.Commit(
        owner=consent.account,
        subject=held.signed_consent.subject,
        schema=Schema(name.schema),
        period=Period(name.period),
        version=Version(name.version),
        commitment=Hash(statement.commitment.hex()),
        method=Method(consent.method),
        supersedes=None if before is None else Id(before[1]),
    )


def _batch_id(chain: Client, sent: _Sent, answer: Applied | Exception) -> str | None:
    """The batch's id on the ledger, if it is there; a run that was killed may have sent it."""
    if isinstance(answer, Applied):
        return answer.made
    if not isinstance(answer, Refused) or answer.number not in TAKEN:
        return None
    found = (
        name for name, batch in _batches(chain, sent.owner) if batch.commitment == sent.commitment
    )
    return next(found, None)


def _batches(chain: Client, owner: Address) -> Iterator[tuple[Id, data.Batch]]:
    """What the ledger has of an owner's rows."""
    after = None
    for _ in range(PAGES_LIMIT):
        page = chain.query(data.batches_of, owner, after)
        yield from page.rows
        after = page.after
        if after is None:
            return


def _groups(things: Iterable[T]) -> Iterator[list[T]]:
    iterator = iter(things)
    while group := list(islice(iterator, GROUP)):
        yield group
