"""Upgrades: other code, new modules and features from a height on, as the authority signs."""

from tongbao.modules.upgrade.messages import Cancel, Schedule, Scheduling, Why
from tongbao.modules.upgrade.rules import known, module, scheduling, show

__all__ = ["Cancel", "Schedule", "Scheduling", "Why", "known", "module", "scheduling", "show"]
