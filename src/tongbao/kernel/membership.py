"""Who votes on blocks and who may connect: the validators and peers of a network, as rows.

Rows are in the state root, so membership is proven, replayed and restored like everything else; an
engine reads it, and changes it never. Who may change it is not decided here: a module that has
asked whom it must calls these functions. A chain whose engine has one authority needs no rows.
"""

from __future__ import annotations

from typing import Any

from tongbao.kernel.context import Cursor, Page, View, Work
from tongbao.kernel.ed25519 import public_key_is_acceptable
from tongbao.kernel.envelope import decode_base64url
from tongbao.kernel.identifiers import PublicKey
from tongbao.kernel.kernel_module import (
    PEERS_LIMIT,
    VALIDATORS_LIMIT,
    NodeId,
    Peer,
    Power,
    Validator,
    module,
    peers,
    peers_in_order,
    validators,
    validators_in_order,
)
from tongbao.kernel.module import Index
from tongbao.kernel.reasons import KernelWhy, require


def _has_room(ctx: Work, listed: Index[int, Any, Any], most: int) -> bool:
    """Whether a list has fewer rows than it may."""
    return len(ctx.page(listed, 0, None, limit=most).rows) < most


@module.function
def set_validator(ctx: Work, key: PublicKey, power: Power) -> None:
    """Let a key vote on blocks with this power, whether it did before or not."""
    public = decode_base64url(key.encode("ascii"))
    require(public_key_is_acceptable(public), KernelWhy.VALIDATOR_KEY_IS_NOT_ACCEPTABLE)
    fits = key in ctx[validators] or _has_room(
        ctx, validators_in_order, ctx.parameter(VALIDATORS_LIMIT)
    )
    require(fits, KernelWhy.TOO_MANY_VALIDATORS)

    # From here it succeeds.
    ctx[validators][key] = Validator(power=power)


@module.function
def remove_validator(ctx: Work, key: PublicKey) -> None:
    """Let a key vote on blocks no more; another one stays."""
    require(key in ctx[validators], KernelWhy.VALIDATOR_NOT_FOUND)
    require(not _has_room(ctx, validators_in_order, 2), KernelWhy.LAST_VALIDATOR_STAYS)

    # From here it succeeds.
    del ctx[validators][key]


@module.function
def admit_peer(ctx: Work, node: NodeId) -> None:
    """Let a node connect to those of the network, whether it could before or not."""
    fits = node in ctx[peers] or _has_room(ctx, peers_in_order, ctx.parameter(PEERS_LIMIT))
    require(fits, KernelWhy.TOO_MANY_PEERS)

    # From here it succeeds.
    ctx[peers][node] = Peer()


@module.function
def remove_peer(ctx: Work, node: NodeId) -> None:
    """Let a node connect no more; a connection that it has stays until it breaks."""
    require(node in ctx[peers], KernelWhy.PEER_NOT_FOUND)

    # From here it succeeds.
    del ctx[peers][node]


@module.function
def validators_listed(
    view: View, source: Index[int, PublicKey, Validator], after: Cursor | None
) -> Page[PublicKey, Validator]:
    """The validators in the order of their keys, a page at a time."""
    return view.page(source, 0, after)


@module.function
def peers_listed(
    view: View, source: Index[int, NodeId, Peer], after: Cursor | None
) -> Page[NodeId, Peer]:
    """The nodes that may connect, in the order of their ids, a page at a time."""
    return view.page(source, 0, after)
