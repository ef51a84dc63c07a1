"""How far a campaign is, for whoever looks on."""

from __future__ import annotations

import sys
from collections.abc import Callable


def progress_of(things: str) -> Callable[[int, int], None]:
    """Tells on a terminal how many of the things are done; silent where nobody looks on."""

    def show(done: int, total: int) -> None:
        if sys.stderr.isatty():
            end = "\n" if done == total else ""
            print(f"\r{done} of {total} {things}", end=end, file=sys.stderr, flush=True)

    return show
