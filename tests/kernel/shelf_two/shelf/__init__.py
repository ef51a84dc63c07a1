"""Books by rank, after its upgrade."""

from tests.kernel.shelf_two.shelf.rules import Put, Take, Why, module, ranked

__all__ = ["Put", "Take", "Why", "module", "ranked"]
