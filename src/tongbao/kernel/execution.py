"""How one transaction and one due item are carried out: each inside a savepoint of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from tongbao.kernel import jcs
from tongbao.kernel.authentication import Keys, KeysOf, check_signers
from tongbao.kernel.context import Changes, Work
from tongbao.kernel.identifiers import Address, Count, Small, Time
from tongbao.kernel.job import Job
from tongbao.kernel.kernel_module import (
    COMMON_ROWS,
    QUOTAS,
    Mark,
    RowKeyText,
    Stuck,
    marks,
    nonces,
)
from tongbao.kernel.module import Index
from tongbao.kernel.nonces import Nonces, check, use
from tongbao.kernel.quotas import ReadRow, stands_for
from tongbao.kernel.reasons import Invalid, InvalidTransaction, KernelWhy, Refusal
from tongbao.kernel.receipt import DueReceipt, Outcome, Receipt, Result
from tongbao.kernel.row_keys import INTEGER_BYTES, encode_integer
from tongbao.kernel.state import PREFIX_BYTES, State
from tongbao.kernel.storing import check_storage, count_rows
from tongbao.kernel.transaction import Payload, Transaction

APPLIED: Final[str] = Outcome.APPLIED.value
REFUSED: Final[str] = Outcome.REFUSED.value
PLAIN_RECEIPT: Final = jcs.encode(Receipt(outcome=APPLIED))


def admit(
    time: Time, keys_of: KeysOf, read: ReadRow, transaction: Transaction, expiry_ms: int
) -> Keys:
    """Judge expiry and signers against committed state. Raises InvalidTransaction."""
    payload = transaction.payload
    keys, sponsor = find_keys(time, keys_of, payload, expiry_ms)
    stands = sponsor is not None and stands_for(read, payload, time)
    check_signers(transaction.signers, payload.messages, keys, sponsor, stands=stands)
    check_lane(payload, keys)
    return keys


def find_keys(
    time: Time, keys_of: KeysOf, payload: Payload[Any], expiry_ms: int
) -> tuple[Keys, Keys | None]:
    """The keys of sender and sponsor, after a look at expiry. Raises InvalidTransaction."""
    check_expiry(payload, time, expiry_ms)
    keys = keys_of(payload.sender)
    if keys is None:
        raise InvalidTransaction(Invalid.SENDER_IS_UNKNOWN)
    sponsor = None
    if payload.sponsor is not None:
        sponsor = keys_of(payload.sponsor)
        if sponsor is None:
            raise InvalidTransaction(Invalid.SPONSOR_IS_UNKNOWN)
    return keys, sponsor


def check_lane(payload: Payload[Any], keys: Keys) -> None:
    """Whether the sender has declared the lane. Raises InvalidTransaction."""
    if payload.lane >= keys.lanes:
        raise InvalidTransaction(Invalid.LANE_IS_NOT_DECLARED, f"{keys.lanes} lanes")


def check_expiry(payload: Payload[Any], time: Time, expiry_ms: int) -> None:
    """Whether a transaction may be in a block of this time. Raises InvalidTransaction."""
    if payload.expires <= time:
        raise InvalidTransaction(Invalid.EXPIRY_HAS_PASSED, f"the block's time is {time}")
    if payload.expires > time + expiry_ms:
        raise InvalidTransaction(Invalid.EXPIRY_IS_TOO_FAR, f"the block's time is {time}")


def check_nonce(state: State, payload: Payload[Any]) -> None:
    """Whether a transaction's nonce can be used. Raises InvalidTransaction when it can't be."""
    full_key = nonces.full_key((payload.sender, payload.lane))  # type: ignore[arg-type]
    check(state.read(nonces, full_key), payload.nonce)


def check_quickly(state: State, payload: Payload[Any], time: Time, expiry_ms: int) -> None:
    """What alone changes while keys and parameters stay. Raises InvalidTransaction."""
    if not time < payload.expires <= time + expiry_ms:
        check_expiry(payload, time, expiry_ms)
    check_nonce(state, payload)


def use_nonce(job: Job, sender: Address, lane: int, nonce: int) -> None:
    """Mark a nonce as used. Raises InvalidTransaction when it can't be."""
    key = sender, lane
    full_key = nonces.full_key(key)  # type: ignore[arg-type]
    seen: Nonces | None = job.state.read(nonces, full_key)
    job.state.replace(nonces, key, full_key, seen, use(seen, nonce))


def carry_out(job: Job, transaction_id: bytes, payload: Payload[Any]) -> Result:
    """Run a transaction's messages: all of them, or none and the number of what was in the way."""
    state = job.state
    mark = len(state.journal)
    job.begin(payload.sender)
    at = 0
    try:
        job.meter.begin()
        for at, message in enumerate(payload.messages):
            if job.halts:
                job.check_halt(job.registry.handlers[type(message)][0])
            context, handler = job.acting(type(message))
            job.derive_ids(b"id", _origin_of, payload, at)
            handler(context, message)
        check_conservation(job, mark)
        if job.parameters[QUOTAS.name]:
            check_storage(state, mark, job.parameters[COMMON_ROWS.name])
    except Refusal as refusal:
        state.rollback(mark)
        number = refusal.why.number
        receipt: Receipt[Any] = Receipt(outcome=REFUSED, number=number, message=at)
        return Result(transaction_id, Outcome.REFUSED, number, jcs.encode(receipt))
    return Result(transaction_id, Outcome.APPLIED, 0, _applied_receipt(job))


def _origin_of(payload: Payload[Any], message: int) -> tuple[bytes, ...]:
    """What ids are derived from in a message: sender, lane, nonce, and which message it is."""
    return (
        bytes.fromhex(payload.sender),
        payload.lane.to_bytes(2, "big"),
        encode_integer(payload.nonce),
        message.to_bytes(2, "big"),
    )


def _applied_receipt(job: Job) -> bytes:
    ids, events = job.ids, job.events
    if not ids and not events:
        return PLAIN_RECEIPT
    return jcs.encode(Receipt(outcome=APPLIED, ids=tuple(ids), events=tuple(events)))


def check_conservation(job: Job, mark: int) -> None:
    """Run `@conserves` of every module that was written to since `mark`; refuse where one fails."""
    changes = Changes(job.state.journal, mark)
    for module in changes.modules:
        for conserves in module.conservations:
            if not conserves(changes):
                raise Refusal(KernelWhy.CONSERVATION_IS_BROKEN)


def due_head(
    job: Job, index: Index[Any, Any, Any], time: Time | None
) -> tuple[bytes, bytes] | None:
    """The first entry of a due index (up to `time`, where given): its full key and row key."""
    limit = b"\xff" * INTEGER_BYTES if time is None else encode_integer(time + 1)
    for full_key, row_key in job.state.scan(index.prefix, index.prefix + limit):
        return full_key, row_key
    return None


def next_due(job: Job) -> Time | None:
    """The earliest time at which due work waits, None when nothing does."""
    times = []
    for index, _ in job.registry.dues:
        head = due_head(job, index, None)
        if head is not None:
            due = int.from_bytes(head[0][PREFIX_BYTES : PREFIX_BYTES + INTEGER_BYTES], "big")
            # What a halted module has to do waits for the end of the halt.
            ends = job.halts[index.module] if job.is_halted(index.module) else 0
            times.append(Time(max(due, ends)))
    return min(times, default=None)


def run_due(job: Job, items: int) -> bytes | None:
    """Do up to `items` due items, oldest first, in turn among the due lists; their receipt.

    They share one pool of work, half of the block's: what does not fit waits for the next block.
    """
    job.begin(None)
    # Among those that have something due: a list that is added, and empty, changes no block.
    dues = [due for due in job.registry.dues if due_head(job, due[0], job.time) is not None]
    if job.halts:
        dues = [due for due in dues if not job.is_halted(due[0].module)]
    if not dues:
        return None
    start = job.height % len(dues)
    waiting = dues[start:] + dues[:start]
    done = stuck = 0
    for index, function in _turns(job, waiting, items):
        if not job.meter.has_due_share:
            break
        head = due_head(job, index, job.time)
        assert head is not None
        if _run_item(job, index, function, *head):
            done += 1
        else:
            stuck += 1
    job.meter.end_due()
    if not done and not stuck:
        return None
    receipt = DueReceipt(done=done, stuck=stuck, ids=tuple(job.ids), events=tuple(job.events))
    return jcs.encode(receipt)


def _turns(
    job: Job, waiting: list[tuple[Index[Any, Any, Any], Callable[..., None]]], items: int
) -> Iterator[tuple[Index[Any, Any, Any], Callable[..., None]]]:
    """Whose turn it is, round robin over the lists that still have something due."""
    while items and waiting:
        still = []
        for due in waiting:
            if not items or due_head(job, due[0], job.time) is None:
                continue
            items -= 1
            yield due
            still.append(due)
        waiting = still


def _run_item(
    job: Job,
    index: Index[Any, Any, Any],
    function: Callable[..., None],
    entry: bytes,
    row_key: bytes,
) -> bool:
    """Do one due item; mark it stuck and give False when it refuses or leaves its entry."""
    table, state = index.of, job.state
    full_key = table.prefix + row_key
    due = entry[PREFIX_BYTES : PREFIX_BYTES + INTEGER_BYTES]
    mark = len(state.journal)
    ids, events = len(job.ids), len(job.events)
    job.derive_ids(b"due-id", lambda: (index.prefix, row_key, due))
    number = 0
    job.meter.begin()
    try:
        key, row = table.key_of(full_key), state.read(table, full_key)
        function(job.context(Work, index.module, None), key, row)
        check_conservation(job, mark)
        if job.parameters[QUOTAS.name]:
            count_rows(state, mark)
    except Refusal as refusal:
        state.rollback(mark)
        del job.ids[ids:], job.events[events:]
        number = refusal.why.number
    if not state.has_entry(entry):
        return True
    key_of_mark = Small(index.module.number), Small(index.number), RowKeyText(row_key.hex())
    stuck = Mark(due=Time(int.from_bytes(due, "big")), number=Count(number))
    state.write(marks, key_of_mark, marks.full_key(key_of_mark), stuck)
    state.put_entry(entry, None)
    module_number, _, row_text = key_of_mark
    job.events.append(Stuck(module=module_number, row=row_text, number=Count(number)))
    return False
