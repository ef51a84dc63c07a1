"""What is closed at the end of the `with` statement that it is used in.

`sdk/http.py` spells it out: a client that believes proofs alone imports nothing of a store.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from types import TracebackType
from typing import Self


class Closable(ABC):
    """Has a `close`, and calls it at the end of a `with` statement, however that ends."""

    @abstractmethod
    def close(self) -> None:
        """Give everything free. May be called again."""

    def __enter__(self) -> Self:
        """Close at the end of the `with` statement."""
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """Close."""
        self.close()
