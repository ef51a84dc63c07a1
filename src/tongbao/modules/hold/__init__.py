"""Holds: value set aside for a payee until it is captured or expires."""

from tongbao.modules.hold.messages import Capture, Hold, Place, Why
from tongbao.modules.hold.rules import held_for, module, placed_by, show

__all__ = ["Capture", "Hold", "Place", "Why", "held_for", "module", "placed_by", "show"]
