"""Assets: value that an issuer defines, creates and retires, and that accounts hold and pay."""

from tongbao.modules.asset.messages import (
    Define,
    Definition,
    Holding,
    Issue,
    Moved,
    Redeem,
    Settled,
    Supply,
    Transfer,
    Why,
)
from tongbao.modules.asset.queries import (
    balance,
    balances_of,
    held_by,
    issued_by,
    scale_of,
    show,
    supply,
)
from tongbao.modules.asset.rules import give_back, module, move

__all__ = [
    "Define",
    "Definition",
    "Holding",
    "Issue",
    "Moved",
    "Redeem",
    "Settled",
    "Supply",
    "Transfer",
    "Why",
    "balance",
    "balances_of",
    "give_back",
    "held_by",
    "issued_by",
    "module",
    "move",
    "scale_of",
    "show",
    "supply",
]
