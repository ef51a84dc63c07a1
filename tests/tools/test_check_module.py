"""The lock of a stranger's environment: what is needed, all of it, and nothing else."""

from __future__ import annotations

import re

import pytest

from tools.check_module import all_of, locked
from tools.running import WheelError


def test_a_part_of_the_lock_holds_what_is_needed_in_turn() -> None:
    """
    Given the lock of everything,
    when the part for a node is taken,
    then it has each package that a node needs once, with hashes, and none of the developers' own.
    """
    text = locked(("tongbao[node]",))
    names = re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE)

    assert sorted(set(names)) == sorted(names)
    assert {"click", "cffi", "httpx2", "lmdb", "anyio", "uvicorn"} <= set(names)
    assert not {"mypy", "pandas", "playwright", "pytest", "tongbao"} & set(names)
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert all("--hash=sha256:" in block for block in blocks)
    assert all_of(("tongbao",)) < all_of(("tongbao[node]",))


def test_what_the_lock_does_not_have_is_told() -> None:
    """
    Given a package that is installed and not locked,
    when the part of the lock for it is taken,
    then the error names it.
    """
    with pytest.raises(WheelError, match=r"dev\.txt does not lock pip"):
        locked(("pip",))
