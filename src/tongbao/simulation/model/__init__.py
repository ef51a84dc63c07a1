"""An independent model of accounts, assets, holds, upgrades and governance in plain Python.

It imports nothing of the kernel or of the modules: it is written from the rules, so that the same
mistake would have to be made twice.
"""

from tongbao.simulation.model.ledger import Given, Model
from tongbao.simulation.model.rows import Rows, rows_of
from tongbao.simulation.model.upgrades import Agreed

__all__ = ["Agreed", "Given", "Model", "Rows", "rows_of"]
