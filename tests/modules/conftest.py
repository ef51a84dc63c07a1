"""The fixture that tests of modules share: a fresh chain in memory."""

from tongbao.testing.pytest_plugin import chain

__all__ = ["chain"]
