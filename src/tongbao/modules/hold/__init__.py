"""Holds: value set aside for a payee until it is captured, released or expires."""

from tongbao.modules.hold.messages import (
    Capture,
    Extend,
    Hold,
    Place,
    Recall,
    Release,
    Why,
)
from tongbao.modules.hold.rules import held_for, module, placed_by, show

__all__ = [
    "Capture",
    "Extend",
    "Hold",
    "Place",
    "Recall",
    "Release",
    "Why",
    "held_for",
    "module",
    "placed_by",
    "show",
]
