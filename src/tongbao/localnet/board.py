"""The status of a local network as rows: for a live table, for lines, and for JSON."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Final

import httpx2
import msgspec
from msgspec import Struct

from tongbao.localnet.member_process import ASK_SECONDS, GOOD, MemberProcess

COLUMNS: Final = ("node", "is", "power", "height", "root", "address")
UP: Final = "up"
NOT_READY: Final = "not ready"
"""It answers, and decides nothing now: `why` says why."""
ROOT_DIGITS: Final = 12
HERE: Final = "-"


class Seen(Struct, frozen=True, kw_only=True):
    """One member as it was just now; what a node that does not answer would say is None."""

    node: str
    state: str
    power: int | None
    height: int | None
    root: str | None
    address: str
    why: str = ""

    def row(self) -> tuple[str, ...]:
        """The cells under COLUMNS."""
        return (
            self.node,
            self.state,
            _shown(self.power),
            _shown(self.height),
            HERE if self.root is None else self.root[:ROOT_DIGITS],
            self.address,
        )


class _Chain(Struct, frozen=True):
    """What is read of `GET /v1`."""

    height: int
    state_root: str


class _Ready(Struct, frozen=True):
    """What is read of `GET /readyz`."""

    reasons: tuple[str, ...] = ()


def _shown(number: int | None) -> str:
    return HERE if number is None else f"{number:,}"


def look(members: Sequence[MemberProcess]) -> list[Seen]:
    """How all members are, asked at the same time, once each; without their power."""
    if not members:
        return []
    with ThreadPoolExecutor(len(members)) as pool:
        return list(pool.map(_look_at, members))


def _look_at(process: MemberProcess) -> Seen:
    member = process.member
    if not process.is_running or process.is_paused:
        state = "paused" if process.is_paused else "down"
        return _silent(member.name, state, member.address)
    chain, why = None, ""
    with (
        suppress(httpx2.HTTPError, msgspec.DecodeError),
        httpx2.Client(base_url=member.address, timeout=ASK_SECONDS) as client,
    ):
        found = client.get("/v1")
        if found.status_code == GOOD:
            chain = msgspec.json.decode(found.content, type=_Chain)
        ready = client.get("/readyz")
        if ready.status_code != GOOD:
            why = "; ".join(msgspec.json.decode(ready.content, type=_Ready).reasons)
    if chain is None:
        return _silent(member.name, "starting", member.address)
    return Seen(
        node=member.name,
        state=NOT_READY if why else UP,
        power=None,
        height=chain.height,
        root=chain.state_root,
        address=member.address,
        why=why,
    )


def _silent(name: str, state: str, address: str) -> Seen:
    return Seen(node=name, state=state, power=None, height=None, root=None, address=address)
