"""Notes: a module that is not of this distribution."""

from tests.cli.notes.rules import module

__all__ = ["module"]
