"""One chain that all tests of the command line share: each leaves it richer, none poorer."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.cli.calling import Place
from tests.cli.desk import Desk


@pytest.fixture(scope="session")
def place(tmp_path_factory: pytest.TempPathFactory) -> Place:
    """A chain with alice and bob, and 100.00 CNY that the operator has issued to alice."""
    return begun(tmp_path_factory.mktemp("cli") / "chain")


@pytest.fixture(scope="session")
def first_blocks(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same chain at height 4, which nobody uses further: copies are made of it."""
    return begun(tmp_path_factory.mktemp("first") / "chain").folder


@pytest.fixture
def desk(tmp_path: Path, first_blocks: Path) -> Desk:
    """A folder with a chain of its own, at height 4, for commands in processes of their own."""
    shutil.copytree(first_blocks, tmp_path / "tongbao-chain")
    return Desk(tmp_path)


def begun(folder: Path) -> Place:
    """Begin the chain."""
    here = Place(folder)
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
