"""History by account, asset and reference, fed after commit and always to be had again."""

from tongbao.index.answers import Movement, Movements, Recalled, Transactions
from tongbao.index.cursor import CursorError
from tongbao.index.feeder import Feeder
from tongbao.index.history import Index

__all__ = [
    "CursorError",
    "Feeder",
    "Index",
    "Movement",
    "Movements",
    "Recalled",
    "Transactions",
]
