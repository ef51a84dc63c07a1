"""What the engine asks of CometBFT's process."""

from __future__ import annotations

from typing import Protocol


class Process(Protocol):
    """CometBFT's process, and whoever keeps it running."""

    @property
    def why(self) -> str | None:
        """Why it does not answer now; None while it does."""

    def start(self) -> None:
        """Start it, and start it again whenever it ends."""

    def restart(self, why: str) -> None:
        """End it and start it again after a pause. Returns at once."""

    def stop(self) -> None:
        """End it for good. May come again."""
