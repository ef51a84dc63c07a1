"""One chain that all tests of the command line share: each leaves it richer, none poorer."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.calling import Place


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A chain with alice and bob, and 100.00 CNY that the operator has issued to alice."""
    here = Place(tmp_path_factory.mktemp("cli") / "chain")
    here.do("init", "--name", "shared")
    here.do("account", "create", "alice")
    here.do("account", "create", "bob")
    here.do("asset", "define", "--code", "CNY", "--scale", "2")
    issue = ("asset", "issue", "--asset", "CNY", "--amount", "100.00", "--payee", "alice")
    here.do(*issue, "--reference", "cash-1")
    return here


@pytest.fixture
def nowhere(tmp_path: Path) -> Place:
    """A folder that does not exist, and no passphrase."""
    return Place(tmp_path / "nothing", passphrase=None)
