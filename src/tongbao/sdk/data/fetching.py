"""Fetch a package: whole chunks into a file, gone on with where it stopped, and checked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from tongbao.kernel import merkle
from tongbao.rights.chunks import chunk_hash
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.sdk.data.agent_client import CHUNKS_AT_ONCE, AgentAway, AgentClient
from tongbao.sdk.folder import sync_folder


class DeliveryDiffers(Exception):
    """What an agent delivered is not what it told the ledger: don't confirm; nothing is owed."""

    exit_code = 65
    advice = "don't confirm: fetch again, or cancel the order and have everything back"


def fetch_chunks(agent: AgentClient, order: str, count: int, root: bytes, path: Path) -> None:
    """Have the chunks of a package in a file, complete and of this root.

    What came before stays in `PATH.part`, in whole chunks. Where it doesn't fit, all is fetched
    once more. Raises DeliveryDiffers, after which nothing is left, AgentAway, AgentRefused.
    """
    part = path.with_name(path.name + ".part")
    if path.exists():
        path.replace(part)
    for kept in (True, False):
        if not kept:
            part.unlink()
        found, resumed = _complete(agent, order, count, part)
        if found == root:
            part.replace(path)
            sync_folder(path.parent)
            return
        if not resumed:
            break
    part.unlink()
    raise DeliveryDiffers(f"the chunks of order {order} don't give its package_root")


def _complete(agent: AgentClient, order: str, count: int, part: Path) -> tuple[bytes, bool]:
    """The root of the complete file, and whether some of it had been there before."""
    descriptor = os.open(part, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    with os.fdopen(descriptor, "r+b") as file:
        hashes = list(_kept(file, count))
        resumed = bool(hashes)
        while len(hashes) < count:
            _more(agent, order, count, hashes, file)
        file.flush()
        os.fsync(file.fileno())
    return merkle.root(hashes), resumed


def _kept(file: BinaryIO, count: int) -> Iterator[bytes]:
    """The hashes of the whole chunks in a file, which is cut behind them."""
    index = 0
    while index < count and len(chunk := file.read(SEALED_CHUNK_BYTES)) == SEALED_CHUNK_BYTES:
        yield chunk_hash(index, chunk)
        index += 1
    file.seek(index * SEALED_CHUNK_BYTES)
    file.truncate()


def _more(agent: AgentClient, order: str, count: int, hashes: list[bytes], file: BinaryIO) -> None:
    """Some chunks more, each hashed as it is whole."""
    first = len(hashes)
    wanted = min(CHUNKS_AT_ONCE, count - first)
    waiting = bytearray()
    for part in agent.chunks(order, first, wanted):
        waiting += part
        while len(waiting) >= SEALED_CHUNK_BYTES:
            chunk = bytes(waiting[:SEALED_CHUNK_BYTES])
            del waiting[:SEALED_CHUNK_BYTES]
            hashes.append(chunk_hash(len(hashes), chunk))
            file.write(chunk)
    if len(hashes) - first != wanted or waiting:
        raise AgentAway(f"the agent sent {len(hashes) - first} whole chunks of {wanted}")
