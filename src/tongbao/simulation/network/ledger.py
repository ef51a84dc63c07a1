"""Reading the whole ledger out of a node's folder, while no node runs there."""

from __future__ import annotations

from pathlib import Path

import msgspec
from msgspec import Struct

from tongbao.kernel.envelope import decode_envelope
from tongbao.kernel.reasons import InvalidTransaction
from tongbao.modules import account, asset
from tongbao.sdk.joined import NeverHere
from tongbao.sdk.local import Chain
from tongbao.sdk.opening import open_chain
from tongbao.simulation.network.checking import Entry, LedgerBlock
from tongbao.simulation.network.history import Ground, History, Operation, Pair


class _Sent(Struct):
    """What of a payload is read."""

    sender: str


_payloads = msgspec.json.Decoder(_Sent)


class Found(Struct):
    """What a folder has: its blocks, and what accounts own and registers hold at the last one."""

    ledger: list[LedgerBlock]
    balances: dict[str, int]
    registers: dict[str, Pair]
    wrong: list[str]


def _sender(wire: bytes) -> str:
    try:
        return _payloads.decode(decode_envelope(wire).payload).sender
    except (InvalidTransaction, msgspec.DecodeError, ValueError):
        return ""


def _block(chain: Chain, height: int) -> LedgerBlock:
    record = chain.block(height)
    entries = tuple(
        Entry(key.hex(), _sender(wire), number)
        for wire, (key, number) in zip(record.transactions, record.outbox, strict=False)
    )
    return LedgerBlock(height, record.header, entries)


def read_folder(folder: Path, ground: Ground, history: History) -> Found:
    """Everything that the checks compare; `wrong` are statuses that are not those of the blocks."""
    with open_chain(folder) as chain:
        blocks = range(chain.first_block, chain.head().height + 1)
        ledger = [_block(chain, height) for height in blocks]
        balances: dict[str, int] = {
            each.address: 0 if found is None else found.amount.units
            for each in ground.payers
            for found in [chain.query(asset.balance, each.address, ground.asset)]
        }
        registers: dict[str, Pair] = {}
        for each in ground.registers:
            found = chain.query(account.show, each.address)
            if found is not None:
                registers[each.address] = (int(found.ordinary), int(found.sensitive))
        return Found(ledger, balances, registers, _statuses(chain, ledger, history))


def _statuses(chain: Chain, ledger: list[LedgerBlock], history: History) -> list[str]:
    """Where the status by the id of an operation is not what the blocks say."""
    places = {
        entry.id: (block.height, index, entry.number)
        for block in ledger
        for index, entry in enumerate(block.entries)
        if entry.has_happened
    }
    wrong = []
    for operation in history.operations.values():
        found = _status(chain, operation)
        if found != places.get(operation.id):
            wrong.append(
                f"the status of {operation.id} is {found}, and the block says "
                f"{places.get(operation.id)}"
            )
    return wrong


def _status(chain: Chain, operation: Operation) -> tuple[int, int | None, int] | None:
    """Where an operation stands by its id; None too where it may be from before a node joined."""
    try:
        status = chain.status(operation.id, operation.expires)
    except NeverHere:
        return None
    return None if status.height is None else (status.height, status.index, status.number)
