"""Manifests: a TOML file says which nodes, which clients, and which faults in which order."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec
from msgspec import Meta, Struct

FOLDER: Final = Path(__file__).with_name("manifests")
QUICK: Final = "quick"
LONG: Final = ("namespaces", "links", "skew")
"""The manifests of the long lane; together they have every fault."""
SECONDS: Final = 4.0
TIMES_LIMIT: Final = 200
STEPS_LIMIT: Final = 200


class ManifestError(Exception):
    """A manifest that can't be played; the text says why."""


class Fault(StrEnum):
    """Everything that can go wrong here, by the name that manifests use."""

    KILL_NODE = "kill_node"
    KILL_ENGINE = "kill_engine"
    KILL_TWO = "kill_two"
    KILL_ALL = "kill_all"
    KILL_START = "kill_start"
    CRASH_POINT = "crash_point"
    STORE_SITE = "store_site"
    PAUSE_NODE = "pause_node"
    PAUSE_ENGINE = "pause_engine"
    PAUSE_BOTH = "pause_both"
    HALVES = "halves"
    ALONE = "alone"
    RING = "ring"
    ABSENCE = "absence"
    LATE_JOINER = "late_joiner"
    CHURN = "churn"
    LEAVER = "leaver"
    TRUNCATED_LOG = "truncated_log"
    TRUNCATED_WAL = "truncated_wal"
    TRUNCATED_STORE = "truncated_store"
    DISK_FULL = "disk_full"
    SLOW_NODE = "slow_node"
    HOSTILE_PROPOSER = "hostile_proposer"
    CLOCK_SKEW = "clock_skew"


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A fault, so many times; `seconds` is how long it lasts where that is not given by itself."""

    fault: Fault
    times: Annotated[int, Meta(ge=1, le=TIMES_LIMIT)] = 1
    seconds: Annotated[float, Meta(ge=0.0, le=600.0)] = SECONDS


class Manifest(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One campaign. With `shuffle` the seed decides the order of the steps."""

    about: str
    steps: Annotated[tuple[Step, ...], Meta(min_length=1, max_length=STEPS_LIMIT)]
    validators: Annotated[int, Meta(ge=4, le=10)] = 4
    payers: Annotated[int, Meta(ge=2, le=8)] = 4
    registers: Annotated[int, Meta(ge=1, le=4)] = 1
    fabric: Literal["namespaces", "links"] = "namespaces"
    shuffle: bool = False
    seed: Annotated[int, Meta(ge=0)] = 1


def read_manifest(name: str) -> Manifest:
    """The manifest of a name in our folder, or of a path to a TOML file. Raises ManifestError."""
    own = FOLDER / f"{name}.toml"
    path = own if own.exists() else Path(name)
    try:
        return msgspec.toml.decode(path.read_bytes(), type=Manifest)
    except FileNotFoundError as error:
        known = ", ".join(sorted(each.stem for each in FOLDER.glob("*.toml")))
        raise ManifestError(f"there is no manifest {name!r}: take one of {known}") from error
    except (OSError, msgspec.DecodeError) as error:
        raise ManifestError(f"{path} is no manifest: {error}") from error
