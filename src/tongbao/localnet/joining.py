"""How a node that joins is told to take a snapshot of the others, where they have one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import httpx2
from msgspec import Struct
from msgspec.json import decode

from tongbao.localnet.errors import STOPPED, LocalnetError
from tongbao.localnet.plan import Member

TRUSTED: Final = 1
"""The block whose header is trusted: here the folders of all nodes are one person's."""
SNAPSHOTS: Final = "snapshots"
DIGITS: Final = 10
"""The folder of a whole snapshot is named by its height in so many digits."""
ASK_SECONDS: Final = 10.0


class _BlockId(Struct):
    hash: str


class _Commit(Struct):
    block_id: _BlockId


class _SignedHeader(Struct):
    commit: _Commit


class _Result(Struct):
    signed_header: _SignedHeader


class _Answer(Struct):
    """What is read of CometBFT's `/commit`."""

    result: _Result | None = None


def state_sync(folder: Path, others: Sequence[Member]) -> tuple[str, ...]:
    """The settings of a fresh node for joining by a snapshot; none where nobody has one.

    Raises LocalnetError.
    """
    if not any(_has_snapshot(folder / member.name / SNAPSHOTS) for member in others):
        return ()
    hashes = {member.name: _hash_of(member) for member in others}
    known = [member for member in others if hashes[member.name]]
    if not known:
        return ()
    first, second = known[0], known[-1]
    return (
        *("--state-sync-servers", f"{first.rpc},{second.rpc}"),
        *("--state-sync-height", str(TRUSTED), "--state-sync-hash", hashes[first.name]),
    )


def _has_snapshot(folder: Path) -> bool:
    names = [path.name for path in folder.iterdir()] if folder.is_dir() else []
    return any(len(name) == DIGITS and name.isdecimal() for name in names)


def _hash_of(member: Member) -> str:
    """The hash of the trusted header; empty where a member has joined by a snapshot itself."""
    address = f"http://{member.host}:{member.rpc_port}/commit"
    try:
        found = httpx2.get(address, params={"height": TRUSTED}, timeout=ASK_SECONDS)
        result = decode(found.content, type=_Answer).result
        return "" if result is None else result.signed_header.commit.block_id.hash
    except (httpx2.HTTPError, ValueError) as error:
        raise LocalnetError(
            f"{member.name} does not tell the hash of block {TRUSTED}: {error}",
            f"see `tongbao localnet status`, and the log of {member.name}",
            STOPPED,
        ) from error
