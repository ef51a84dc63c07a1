"""History by account, asset and reference, fed after commit and always to be had again.

Names are loaded when they are first used: who reads answers over HTTP needs no store.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tongbao.index.answers import Movement, Movements, Recalled, Transactions
    from tongbao.index.cursor import CursorError
    from tongbao.index.feeder import Feeder
    from tongbao.index.history import Index

_HOMES = {
    "CursorError": "cursor",
    "Feeder": "feeder",
    "Index": "history",
    "Movement": "answers",
    "Movements": "answers",
    "Recalled": "answers",
    "Transactions": "answers",
}

__all__ = [
    "CursorError",
    "Feeder",
    "Index",
    "Movement",
    "Movements",
    "Recalled",
    "Transactions",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"tongbao.index has no {name}")
    return getattr(import_module(f"tongbao.index.{_HOMES[name]}"), name)
