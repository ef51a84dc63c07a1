"""Work that falls due, goes wrong on purpose, and is counted on the side."""

from tests.kernel.chores.messages import Behave, Chore, How, Plan, Why
from tests.kernel.chores.rules import PLANS_END, chores, errands, module, tally

__all__ = [
    "PLANS_END",
    "Behave",
    "Chore",
    "How",
    "Plan",
    "Why",
    "chores",
    "errands",
    "module",
    "tally",
]
