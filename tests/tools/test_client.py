"""When the TypeScript client is built anew."""

from __future__ import annotations

import os
from pathlib import Path

from tools.client import is_older


def test_what_is_missing_or_older_than_a_source_is_made_again(tmp_path: Path) -> None:
    """
    Given something made out of two sources,
    when it is missing, newer than both, and older than one of them,
    then it is to be made again in the first and the last case.
    """
    made, *sources = (tmp_path / name for name in ("made", "one", "two"))
    for at, source in enumerate(sources):
        source.touch()
        os.utime(source, (at, at))
    found = [is_older(made, *sources)]
    made.touch()
    for at in (5, 0):
        os.utime(made, (at, at))
        found.append(is_older(made, *sources))

    assert found == [True, False, True]
