"""What a node can't know that joined its network by state sync: what was decided before."""

from __future__ import annotations

from pathlib import Path

from tongbao.kernel.kernel_module import DAY_MS
from tongbao.store.base import begins_in
from tongbao.store.errors import Pruned, StoreError
from tongbao.store.interface import AnyStore


class NeverHere(Pruned):
    """It may be in a block from before this node joined, which the node never had."""

    advice = "ask a node that has been there from the beginning"


class NoHistory(StoreError):
    """What is asked for needs all headers and outcomes, and this node joined later."""

    exit_code = 66


def need_history(folder: Path) -> None:
    """Whether a chain's folder has the history since genesis. Raises NoHistory, BadSnapshot."""
    begins = begins_in(folder)
    if begins:
        raise NoHistory(
            f"the node of {folder} joined its network at block {begins} and has no headers and "
            "outcomes of before: snapshots with history, backups, prunings and exports are made "
            "where a node has been there from the beginning"
        )


def check_known(store: AnyStore, transaction_id: str, expires: int | None) -> None:
    """Whether it is certain that no block of before this node joined holds a transaction.

    It is where `expires`, in ms UTC, is so late that no such block could have held it: a day before
    it at the earliest. Ask only for one that is not among the known. Raises NeverHere.
    """
    begins = store.begins
    if begins == 0:
        return
    joined_at = store.headers(begins, begins)[0].time
    if expires is None or expires <= joined_at + DAY_MS:
        raise NeverHere(
            f"no block after {begins} holds transaction {transaction_id}; this node joined its "
            f"network at block {begins} and does not know what was decided before"
        )
