"""Mischief: what a bad or unlucky module could do, so that the kernel can be seen to stop it."""

from tongbao.simulation.mischief.messages import (
    Burn,
    Habit,
    Jar,
    Make,
    Pour,
    Regret,
    Repair,
    Rob,
    Spill,
    Squat,
    Start,
    Tell,
    Thing,
    Why,
)
from tongbao.simulation.mischief.rules import module

__all__ = [
    "Burn",
    "Habit",
    "Jar",
    "Make",
    "Pour",
    "Regret",
    "Repair",
    "Rob",
    "Spill",
    "Squat",
    "Start",
    "Tell",
    "Thing",
    "Why",
    "module",
]
