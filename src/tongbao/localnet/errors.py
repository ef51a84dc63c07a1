"""What can go wrong with a local network that its user can mend."""

from __future__ import annotations

from typing import Final

NO_INPUT: Final = 66
STOPPED: Final = 70
"""Exit codes: what was named can't be used; a node or the network does not go on."""


class LocalnetError(Exception):
    """The text says what is wrong, `advice` what to do unless the text says it."""

    def __init__(self, text: str, advice: str = "", exit_code: int = NO_INPUT) -> None:
        """Carry both, and the exit code."""
        super().__init__(text)
        self.advice = advice
        self.exit_code = exit_code
