"""What a worker tells its supervisor: one JSON object a line."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from tongbao.cli.dev.chain import Person

GO: Final = "go\n"
"""What the supervisor answers to `Loaded`: the folder is free."""


class Changed(Struct, frozen=True):
    """A transaction with another outcome than before; both are said in words."""

    id: str
    before: str
    now: str


class Replayed(Struct, frozen=True):
    """What a replay found. `examples` are the first few that changed."""

    blocks: int
    transactions: int
    changed: int
    is_same_root: bool
    examples: tuple[Changed, ...] = ()


class Loaded(Struct, frozen=True, tag="loaded"):
    """The code is imported and fits together; now the folder is wanted."""


class Failed(Struct, frozen=True, tag="failed"):
    """It can't go on: why, and the traceback for whoever wrote the code."""

    error: str
    trace: str = ""


class Ready(Struct, frozen=True, tag="ready"):
    """The chain is served. `replayed` is None where nothing had to be played again."""

    chain: str
    height: int
    people: tuple[Person, ...]
    replayed: Replayed | None = None


Said = Loaded | Failed | Ready
