"""Books by rank, as it began."""

from tests.kernel.shelf_one.shelf.rules import Put, Take, Why, module, ranked

__all__ = ["Put", "Take", "Why", "module", "ranked"]
