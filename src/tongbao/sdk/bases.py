"""Bases by genesis file: of its own chain, or of the one from whose rows that chain began."""

from __future__ import annotations

from pathlib import Path

from tongbao.kernel import Genesis
from tongbao.kernel.genesis import chain_id
from tongbao.store.base import Base, find_base


def origin_of(genesis: Genesis) -> str:
    """The chain from whose rows a chain began, "" where it began with its own."""
    return "" if genesis.origin is None else genesis.origin.chain


def base_of(folder: Path, genesis: Genesis) -> Base:
    """The base in a folder of its own. Raises BadSnapshot, WrongChain, WrongVersion."""
    return Base(folder, chain_id(genesis), origin_of(genesis))


def base_under(folder: Path, genesis: Genesis) -> Base | None:
    """The base that counts in a chain's folder. Raises BadSnapshot, WrongChain, WrongVersion."""
    return find_base(folder, chain_id(genesis), origin_of(genesis))
