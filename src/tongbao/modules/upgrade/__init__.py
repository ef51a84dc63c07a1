"""Upgrades: other code, new modules and features from a height on, as the authority signs."""

from tongbao.modules.upgrade.messages import Cancel, Schedule, Why
from tongbao.modules.upgrade.rules import known, module, show

__all__ = ["Cancel", "Schedule", "Why", "known", "module", "show"]
