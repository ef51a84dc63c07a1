"""A chain in a folder as a node has it that joined at a block: without the history of before."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from msgspec import Struct

from tests.sdk.kept_chain import PASSPHRASE, pay
from tests.sdk.pruned_chain import BASE, lay_bare, reopen_small
from tongbao.sdk.client import Applied
from tongbao.sdk.opening import operator_wallet
from tongbao.store.base import JOINED, base_name
from tongbao.store.headers import read_lines, write_head, write_line
from tongbao.store.snapshot.history import outcomes_file
from tongbao.store.snapshot.names import HEADERS, HISTORY, OUTCOMES

BEGINS: Final = BASE


class Joined(Struct, frozen=True):
    """`old` was decided before block 6, at which the node joined, `wire` is what was signed of it;
    `kept` was decided after it.
    """

    folder: Path
    old: Applied
    wire: bytes
    kept: Applied


def lay(folder: Path) -> Joined:
    """A closed chain of blocks 6 and 7, which has never had the blocks before."""
    found = lay_bare(folder)
    base = folder / base_name(BASE)
    with (base / HISTORY / HEADERS).open("rb") as file:
        chain = found.head.chain
        last = [line for line, _ in read_lines(file, chain)][BASE]
    (base / HISTORY / HEADERS).write_bytes(write_head(chain) + write_line(last))
    (base / HISTORY / OUTCOMES).write_bytes(b"".join(outcomes_file(chain, BASE, ())))
    (base / JOINED).write_bytes(b'{"height":%d}\n' % BASE)
    with reopen_small(folder) as opened:
        operator = operator_wallet(opened, folder, PASSPHRASE)
        kept = opened.submit(operator.build(pay(found.shop, "4.00")))
    return Joined(folder, found.old, found.wire, kept)
