"""Which modules' tables a chain has."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from tongbao.kernel import GenesisError, Hash
from tongbao.modules.registry import registry
from tongbao.sdk.choosing import likely_tables, tables_of
from tongbao.sdk.genesis_builder import module_lines
from tongbao.testing.genesis import genesis_of


def test_tables_are_those_of_the_modules_whatever_their_code() -> None:
    """
    Given modules as they are installed, and of code that nobody has,
    when their tables are asked for,
    then they are those of the registry.
    """
    lines = module_lines(registry())
    others = [replace(line, hash=Hash("ab" * 32)) for line in lines]

    assert sorted(tables_of(lines)) == sorted(tables_of(others)) == sorted(registry().tables)


def test_a_module_that_is_not_installed_is_named_unless_tables_are_guessed() -> None:
    """
    Given a genesis file with a module that this version has not,
    when its tables are asked for, and guessed,
    then that module is named, and the guess goes without it.
    """
    genesis = genesis_of(registry())
    unknown = replace(genesis.modules[-1], name="barter")
    lines = (*genesis.modules, unknown)

    with pytest.raises(GenesisError, match=r"module barter .* is no part of this version"):
        tables_of(lines)
    assert sorted(likely_tables(replace(genesis, modules=lines))) == sorted(registry().tables)
