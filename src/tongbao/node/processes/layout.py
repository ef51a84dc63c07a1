"""Which processes a node has: the table of roles, and how many of each the cores ask for."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from msgspec import Struct

from tongbao.node.settings import Settings

CORES_OF_A_READER: Final = 4
MOST: Final = 16
"""Verifiers at most: beyond that, the front has no time to feed them."""


class Role(Struct, frozen=True):
    """A kind of process: its name, how many there are by cores and settings, when it stops."""

    name: str
    count: Callable[[int, Settings], int]
    stops: int
    """Lower ones end first; the next begin to end once they are gone."""

    @property
    def module(self) -> str:
        """What its interpreter runs."""
        return f"tongbao.node.processes.{self.name}"


def _one(cores: int, settings: Settings) -> int:
    return 1


def _verifiers(cores: int, settings: Settings) -> int:
    """All cores can check signatures while nothing else is to be done."""
    return min(cores, MOST)


def _readers(cores: int, settings: Settings) -> int:
    """One answers some thousand reads a second; a slow one keeps nobody waiting but its callers."""
    return min(max(1, cores // CORES_OF_A_READER), MOST)


def _indexers(cores: int, settings: Settings) -> int:
    return int(settings.index != "none")


CORE: Final = "core"
READER: Final = "reader"
INDEXER: Final = "indexer"
FRONT: Final = "front"
VERIFIER: Final = "verifier"

ROLES: Final = (
    Role(CORE, _one, 2),
    Role(VERIFIER, _verifiers, 1),
    Role(READER, _readers, 1),
    Role(INDEXER, _indexers, 1),
    Role(FRONT, _one, 0),
)
"""The core comes first: all others begin their work once it has opened the chain."""


QUOTA: Final = Path("/sys/fs/cgroup/cpu.max")
"""Of cgroups: microseconds of CPU time, or `max`, and those of a clock that they are for."""


def cores_of(settings: Settings) -> int:
    """For how many cores a node is laid out; 1 is one process that does everything."""
    return settings.processes or min(len(os.sched_getaffinity(0)), quota_of(QUOTA))


def quota_of(file: Path) -> int:
    """How many cores a container may use at once, rounded up; no bound where it says none."""
    try:
        share, _, period = file.read_text(encoding="ascii").partition(" ")
        return max(1, -(-int(share) // int(period)))
    except (OSError, ValueError):
        return sys.maxsize


def counts_of(settings: Settings) -> dict[str, int]:
    """How many processes of each role."""
    cores = cores_of(settings)
    return {role.name: role.count(cores, settings) for role in ROLES}


def socket_name(role: str, number: int) -> str:
    """A process's socket in the node's private folder."""
    return f"{role}-{number}.sock"


def names_of(role: str, counts: dict[str, int]) -> list[str]:
    """The sockets of all who do a role's work: the core's where there is nobody else."""
    count = counts.get(role, 0)
    return [socket_name(role, number) for number in range(count)] or [socket_name(CORE, 0)]


def told(counts: dict[str, int]) -> str:
    """The layout as one line for people."""
    parts = [name if count == 1 else f"{count} {name}s" for name, count in counts.items() if count]
    return ", ".join(parts)
