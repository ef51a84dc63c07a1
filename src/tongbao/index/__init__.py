"""History by account, asset and reference, fed after commit and always to be had again.

Here is what it answers, which clients know too; `history.py` and `feeder.py` need a node's parts.
"""

from tongbao.index.answers import (
    Found,
    FoundNames,
    Movement,
    Movements,
    Recalled,
    Statement,
    StatementMovement,
    Transactions,
)
from tongbao.index.cursor import CursorError

__all__ = [
    "CursorError",
    "Found",
    "FoundNames",
    "Movement",
    "Movements",
    "Recalled",
    "Statement",
    "StatementMovement",
    "Transactions",
]
