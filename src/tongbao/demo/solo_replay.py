"""The blocks of a network's node, made again by the solo engine: the same roots, or an error."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from tongbao.demo.failures import DemoError
from tongbao.engines.headers import read_header
from tongbao.engines.solo import Producer
from tongbao.kernel import Machine
from tongbao.sdk.announced import registry_with
from tongbao.sdk.backup_log import LOG, blocks_from, segments_in
from tongbao.sdk.folder import Folder
from tongbao.sdk.signer import SoftwareKey
from tongbao.store.memory import MemoryStore

WRONG: Final = 65


def replayed_on_solo(folder: Path, until: int) -> int:
    """How many blocks the solo engine made to the same roots. Raises DemoError, StoreError.

    It is given the transactions and times that the node's log has, and decides the rest.
    """
    genesis = Folder(folder).genesis()
    store = MemoryStore()
    machine = Machine(registry_with(()), genesis, store, -1, 0)
    producer = Producer(machine, store, SoftwareKey.generate())
    log = folder / LOG
    for block in blocks_from(log, segments_in(log), machine.chain, 0, None):
        record = block.record
        if record.height > until:
            break
        if record.height == 0:
            producer.begin()
        else:
            producer.make(record.transactions, record.time, even_empty=True)
        producer.maintain(idle=False)
        wanted = read_header(record.header)[0].state
        if machine.state_root.hex() != wanted:
            raise DemoError(
                f"block {record.height} has another root on solo than in the network",
                "keep the folder for inquiry: two engines must not differ",
                WRONG,
            )
    return machine.height
