"""Which stage of a payment a function belongs to: by its file, and if need be by its name."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

REST: Final = "rest"
HTTP: Final = "HTTP"
STAGES: Final = (
    ("decode", ("tongbao/kernel/envelope.py", "tongbao/kernel/intake.py", "tongbao/kernel/jcs.py")),
    ("verify", ("tongbao/kernel/ed25519.py", "nacl/", "tongbao/kernel/transaction.py:check_sig")),
    ("decode", ("tongbao/kernel/transaction.py", "tongbao/node/submitting.py:_transactions")),
    ("row to core", ("tongbao/engines/verifier.py", "tongbao/store/helper.py")),
    ("row to core", ("tongbao/node/processes/", "tongbao/node/relay")),
    ("roots", ("tongbao/kernel/trie", "tongbao/kernel/merkle.py")),
    ("roots", ("tongbao/engines/solo/header.py", "tongbao/engines/headers.py")),
    ("log", ("tongbao/store/log.py", "tongbao/store/disk.py", "tongbao/store/record.py")),
    ("log", ("tongbao/store/frames.py", "tongbao/store/room.py")),
    ("index", ("tongbao/index/", "tongbao/node/recall.py", "tongbao/node/processes/index")),
    ("LMDB", ("tongbao/store/", "lmdb/")),
    ("execute", ("tongbao/kernel/", "tongbao/modules/")),
    ("order", ("tongbao/engines/solo/", "tongbao/sdk/local.py")),
    (HTTP, ("tongbao/node/", "uvicorn/", "starlette/", "websockets/")),
)
"""The first line that fits a function decides; the innermost function that fits any line decides
for a stack. What fits none is the rest."""
ORDER: Final = tuple(dict.fromkeys([HTTP, *(name for name, _ in STAGES), REST]))
"""Stages as they are told: as a payment meets them."""


def stage_of_function(label: str) -> str | None:
    """The stage of a function, given as `file:name`."""
    return next((name for name, signs in STAGES if label.startswith(signs)), None)


def stage_of(stack: Iterable[str]) -> str:
    """The stage of a stack, whose innermost function comes first."""
    return next((found for label in stack if (found := stage_of_function(label))), REST)
