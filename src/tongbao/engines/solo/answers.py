"""What a durable solo block says to those who wait for it."""

from __future__ import annotations

from collections.abc import Sequence

from tongbao.engines.payers_here import invalid_of
from tongbao.engines.solo.producer import Made
from tongbao.engines.solo.ticket import Answer, Ticket
from tongbao.kernel import Address, InvalidTransaction, Machine


def give(machine: Machine, batch: Sequence[Ticket], made: Made) -> list[Address]:
    """Give every ticket its answer: the durable outcome, or why it was left out as invalid.

    The senders of those whose signatures were found to be theirs: in the block, or not paid for.
    """
    index = 0
    senders: list[Address] = []
    height, results = made.decided.height, made.decided.results
    for ticket in batch:
        payload = ticket.transaction.payload
        number = made.invalid.get(ticket.transaction.wire) if made.invalid else None
        if number is None:
            result = results[index]
            ticket.answer(
                Answer(result.id, height, index, result.outcome, result.number, result.receipt)
            )
            index += 1
            senders.append(payload.sender)
            continue
        error: InvalidTransaction = invalid_of(machine, number, payload)
        ticket.answer(error)
        if error.again_at is not None:
            senders.append(payload.sender)
    return senders
