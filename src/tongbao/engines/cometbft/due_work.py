"""How CometBFT is asked for a block because work is due.

It makes none while its mempool is empty, so that due work would wait for somebody's transaction or
for the next empty block. These bytes are in the mempool instead while work is due: each node puts
them there, takes them of others by its own clock, and never proposes them. They are no transaction,
and always the same: a mempool holds them once. CometBFT gives a block about the time of the one
before, so that they stay until a block has come whose time is late enough (its specification,
section Time).
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Final

from tongbao.engines.cometbft import responses as r
from tongbao.engines.cometbft.codec import ACCEPTED
from tongbao.engines.cometbft.rpc import Rpc, RpcError, RpcUnreachable

log = logging.getLogger("tongbao.engines.cometbft")

WORK_IS_DUE: Final = b"\x00tongbao: work is due"

NOTHING_IS_DUE: Final = 1


def without(wires: Sequence[bytes]) -> tuple[bytes, ...]:
    """The transactions among what is in a mempool."""
    if WORK_IS_DUE not in wires:
        return tuple(wires)
    return tuple(wire for wire in wires if wire != WORK_IS_DUE)


def judged(*, is_due: bool) -> r.ResponseCheckTx:
    """Whether the bytes may be, or stay, in the mempool."""
    if is_due:
        return ACCEPTED
    return r.ResponseCheckTx(code=NOTHING_IS_DUE, log="no work is due")


def ask_for_block(rpc: Rpc) -> None:
    """Put the bytes into this node's mempool, from which others get them; asked again each time."""
    try:
        rpc.broadcast([WORK_IS_DUE], "broadcast_tx_async")
    except (RpcUnreachable, RpcError) as error:
        log.debug("no block can be asked for: %s", error)
