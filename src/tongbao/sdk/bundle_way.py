"""From one header of a network's bundle to the next: the light blocks between, where needed.

Whoever verifies follows the headers by votes, and can skip as long as more than a third of the
power that is trusted has voted. Here votes are looked at only where the validators have changed.
"""

from __future__ import annotations

from typing import Final, Protocol

from tongbao.engines.cometbft.light.form import parts_of
from tongbao.engines.cometbft.light.verifier import Terms, Trusted, trusted_after
from tongbao.sdk.answers import LightBlockAnswer
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.network_verification import follow, read_block
from tongbao.sdk.proofs import BLOCKS_LIMIT
from tongbao.sdk.prover import NotProven

ALWAYS: Final = Terms(now=0, period=2**62, drift=2**63)
"""No clock: when a trust file is good is for whoever holds one."""


class LightBlocks(Protocol):
    """Whoever has headers with the votes on them."""

    def light_block(self, height: int | None, /) -> LightBlockAnswer:
        """The light block of a height. Raises LookupError, NotProven."""


class Way:
    """The way that a verifier goes, from the first header on."""

    def __init__(self, source: LightBlocks) -> None:
        """Begin; `source` has the light blocks between."""
        self._source = source
        self._trusted: Trusted | None = None
        self._voters = b""

    def to(self, text: str) -> tuple[str, ...]:
        """The light blocks that lead to one from the one before. Raises NotProven, LookupError."""
        block = read_block(text)
        header, _, _ = parts_of(block)
        path: list[str] = []
        while self._trusted is not None and self._voters != header.validators_hash:
            try:
                follow(self._trusted, block, ALWAYS)
            except VerificationError as error:
                if error.finding is not Finding.TRUST_IS_TOO_LITTLE:
                    raise
                path.append(self._closer(header.height))
            else:
                break
        if len(path) > BLOCKS_LIMIT:
            raise NotProven("validators have changed too often: ask for a shorter period")
        self._trusted, self._voters = trusted_after(block), header.validators_hash
        return tuple(path)

    def _closer(self, height: int) -> str:
        """One more light block that can be trusted now, the later the better."""
        assert self._trusted is not None
        while True:
            height = (self._trusted.height + height) // 2
            text = self._source.light_block(height).light_block
            block = read_block(text)
            try:
                self._trusted = follow(self._trusted, block, ALWAYS)
            except VerificationError as error:
                if error.finding is not Finding.TRUST_IS_TOO_LITTLE:
                    raise
            else:
                self._voters = parts_of(block)[0].validators_hash
                return text
