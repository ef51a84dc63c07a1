"""Which headers a client believes: the seam between light verification and the two engines."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final, Protocol, TypeVar

from tongbao.sdk import steps
from tongbao.sdk.answers import HeaderAnswer
from tongbao.sdk.asking import Steps, get
from tongbao.sdk.believed import Believed
from tongbao.sdk.client import Head
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.network_verification import AHEAD_MS
from tongbao.sdk.proofs import ProofFile, SoloTrust, TrustFile
from tongbao.sdk.verification import check_engine, signed_header

HEADERS_LIMIT: Final = 10_000
"""Headers that are remembered, to find two of one height."""

AnyProof = TypeVar("AnyProof", bound=ProofFile)


class Beliefs(Protocol):
    """What one client believes of a chain's headers. Its methods may be called in any thread."""

    @property
    def equivocation(self) -> tuple[str, str] | None:
        """Two headers of one height that both had to be believed, as they came."""

    def believe(self, proof: AnyProof, /) -> Steps[tuple[Believed, AnyProof]]:
        """What a proof's header says, and the proof for others who hold the same trust file.

        Raises VerificationError.
        """

    def head(self, least: int, /) -> Steps[tuple[Head, Believed]]:
        """The newest block whose state is believed. Raises VerificationError."""

    def take_trust(self, found: TrustFile, /) -> Steps[TrustFile]:
        """A node's trust file, if it follows from what is believed. Raises VerificationError."""


class Known:
    """Believed headers by height, and the first two of one height that differ."""

    def __init__(self) -> None:
        """Know none."""
        self.equivocation: tuple[str, str] | None = None
        self._lock = threading.Lock()
        self._headers: dict[int, tuple[str, str]] = {}

    def take(self, header: Believed, text: str) -> None:
        """Remember a header by its text. Raises VerificationError from two of one height on."""
        with self._lock:
            known, before = self._headers.setdefault(header.height, (header.identity, text))
            if len(self._headers) > HEADERS_LIMIT:
                del self._headers[next(iter(self._headers))]
        if known != header.identity:
            self.differ(header.height, before, text)
        if self.equivocation is not None:
            self.differ(header.height, *self.equivocation)

    def differ(self, height: int, one: str, other: str) -> None:
        """Keep the first two headers of one height that differ. Raises VerificationError."""
        with self._lock:
            self.equivocation = self.equivocation or (one, other)
        detail = f"height {height}; the client's `equivocation` holds both"
        raise VerificationError(Finding.HEADERS_DIFFER, detail)


class SoloBeliefs:
    """Headers that a trusted key has signed, and whose time is not of the future."""

    def __init__(self, trust: SoloTrust, clock: Callable[[], int]) -> None:
        """Trust the keys of a trust file, and a clock of ms UTC."""
        self._trust = trust
        self._clock = clock
        self._known = Known()

    @property
    def equivocation(self) -> tuple[str, str] | None:
        """Two signed headers of one height."""
        return self._known.equivocation

    def believe(self, proof: AnyProof, /) -> Steps[tuple[Believed, AnyProof]]:
        """What a signed header says."""
        yield from ()
        check_engine(proof.engine, self._trust)
        return self._header(proof.header), proof

    def head(self, least: int, /) -> Steps[tuple[Head, Believed]]:
        """The last block, as its signed header says it."""
        found = yield from steps.head()
        told = yield from get(f"/v1/headers/{found.height}", HeaderAnswer)
        header = self._header(told.header)
        said = (found.chain, found.height, found.time, found.state_root)
        if said != (header.chain, header.height, header.time, header.state):
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "the head")
        return found, header

    def take_trust(self, found: TrustFile, /) -> Steps[TrustFile]:
        """Keys don't change: only the same file follows."""
        yield from ()
        if found != self._trust:
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "the node's trust file differs")
        return found

    def _header(self, text: str) -> Believed:
        header = signed_header(text, self._trust)
        ahead = header.time - self._clock()
        if ahead > AHEAD_MS:
            detail = f"{ahead} ms, at height {header.height}"
            raise VerificationError(Finding.HEADER_IS_AHEAD, detail)
        self._known.take(header, text)
        return header
