"""Which headers of a network a client believes: it follows the votes from its trust file on.

A header is judged by the highest block before it that is trusted. Where too few of those who voted
then have voted for it, a light block halfway is asked for, and so on until each one vouches for the
next (bisection, CometBFT's "skipping verification"). What was needed on the way is remembered, so
that proofs can be handed on to others who hold the same trust file.
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from msgspec.structs import replace

from tongbao.engines.cometbft.light.form import NS_PER_MS, parts_of
from tongbao.engines.cometbft.light.hashes import app_hash, header_hash
from tongbao.engines.cometbft.light.types import Header, LightBlock
from tongbao.engines.cometbft.light.verifier import Terms, Trusted, trusted_after
from tongbao.sdk import steps
from tongbao.sdk.answers import LightBlockAnswer
from tongbao.sdk.asking import Steps, get
from tongbao.sdk.believed import Believed
from tongbao.sdk.client import Head
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.light_headers import AnyProof, Known
from tongbao.sdk.light_witnesses import Witnesses
from tongbao.sdk.network_trust import trust_after
from tongbao.sdk.network_verification import (
    follow,
    read_block,
    read_header,
    said,
    said_by,
    terms_of,
    trusted_of,
)
from tongbao.sdk.proofs import BLOCKS_LIMIT, NetworkTrust, TrustFile
from tongbao.sdk.verification import check_engine

LONG_AGO: Final = 2
"""A new block to begin from is taken when this part of the trusting period has passed."""


class Point(NamedTuple):
    """A block that is trusted, and the light blocks by which others come to trust it too."""

    trusted: Trusted
    path: tuple[str, ...]


class NetworkBeliefs:
    """Headers that follow from a trust file by the votes of validators."""

    def __init__(
        self, trust: NetworkTrust, clock: Callable[[], int], witnesses: Sequence[str] = ()
    ) -> None:
        """Trust a trust file, and a clock of ms UTC; compare with the nodes at other addresses.

        Raises VerificationError.
        """
        self._trust = trust
        self._witnesses = Witnesses(witnesses)
        self._clock = clock
        self._known = Known()
        self._lock = threading.Lock()
        self._points = [Point(trusted_of(trust), ())]

    @property
    def equivocation(self) -> tuple[str, str] | None:
        """Two light blocks of one height that both had the votes they need."""
        return self._known.equivocation

    def believe(self, proof: AnyProof, /) -> Steps[tuple[Believed, AnyProof]]:
        """What a proof's header says, and the proof with the light blocks that lead to it."""
        check_engine(proof.engine, self._trust)
        block = read_block(proof.header)
        path = yield from self._reach(block, proof.header)
        believed = said_by(proof, block)
        yield from self._compare(block, proof.header)
        self._known.take(believed, proof.header)
        return believed, replace(proof, blocks=path)

    def head(self, least: int, /) -> Steps[tuple[Head, Believed]]:
        """The newest block whose state has votes: the one before the newest light block."""
        found = yield from steps.head()
        told = yield from get("/v1/light-blocks", LightBlockAnswer, ("min_height", str(least)))
        block = read_block(told.light_block)
        yield from self._reach(block, told.light_block)
        header, _, _ = parts_of(block)
        if app_hash(_state(told)) != header.app_hash:
            raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "the head's state root")
        yield from self._compare(block, told.light_block)
        before = None if told.block is None else read_header(told.block)
        believed = said(header, before, told.state)
        self._known.take(believed, told.light_block)
        head = replace(
            found,
            chain=believed.chain,
            height=believed.height,
            time=believed.time,
            state_root=believed.state,
        )
        return head, believed

    def take_trust(self, found: TrustFile, /) -> Steps[TrustFile]:
        """A later block's, with the period that this client has: so a trust file is renewed."""
        if isinstance(found, NetworkTrust):
            found = replace(found, period_ms=self._trust.period_ms)
        if found == self._trust:
            return found
        if isinstance(found, NetworkTrust) and found.height > self._trust.height:
            text = yield from _light_block(found.height)
            block = read_block(text)
            yield from self._reach(block, text)
            follows = trust_after(block, trusted_of(found).validators, found.period_ms)
            if follows == replace(found, validators=follows.validators):
                return follows
        raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "the node's trust file differs")

    def _compare(self, block: LightBlock, text: str) -> Steps[None]:
        """Refuse when a witness proves another block of this height, and keep both.

        Raises VerificationError, Unreachable.
        """
        other = yield from self._witnesses.other(parts_of(block)[0], self._reach)
        if other is not None:
            self._known.differ(parts_of(block)[0].height, text, other)

    # Following votes

    def _reach(self, block: LightBlock, text: str, address: str = "") -> Steps[tuple[str, ...]]:
        """Trust a block; the light blocks that lead to it. Raises VerificationError.

        Those between are asked of the node, or of the one at an address.
        """
        header, _, _ = parts_of(block)
        while True:
            point = self._before(header)
            try:
                self._follow(point, block, text)
            except VerificationError as error:
                if error.finding is not Finding.TRUST_IS_TOO_LITTLE:
                    raise
                yield from self._come_closer(point, header.height, address)
            else:
                return point.path

    def _come_closer(self, point: Point, height: int, address: str) -> Steps[None]:
        """Trust one more block between, the later the better."""
        low = point.trusted.height
        while True:
            height = (low + height) // 2
            text = yield from _light_block(height, address)
            block = read_block(text)
            if parts_of(block)[0].height != height:
                raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, f"light block {height}")
            try:
                follow(point.trusted, block, self._terms())
            except VerificationError as error:
                if error.finding is not Finding.TRUST_IS_TOO_LITTLE:
                    raise
            else:
                self._add(Point(trusted_after(block), (*point.path, text)))
                return

    def _follow(self, point: Point, block: LightBlock, text: str) -> None:
        found = follow(point.trusted, block, self._terms())
        aged = found.time - point.trusted.time
        if aged > self._trust.period_ms * NS_PER_MS // LONG_AGO:
            self._add(Point(trusted_after(block), (*point.path, text)))

    def _before(self, header: Header) -> Point:
        """The last point below a header, or the first one; or the one that is the header."""
        with self._lock:
            at = bisect_left(self._points, header.height, key=lambda one: one.trusted.height)
            same = self._points[at : at + 1]
            if same and same[0].trusted.hash == header_hash(header):
                return same[0]
            return self._points[max(at - 1, 0)]

    def _add(self, point: Point) -> None:
        if len(point.path) > BLOCKS_LIMIT:
            detail = f"the way from the trust file has more than {BLOCKS_LIMIT} blocks: get a newer"
            raise VerificationError(Finding.TRUST_IS_TOO_LITTLE, detail)
        height = point.trusted.height
        with self._lock:
            at = bisect_left(self._points, height, key=lambda one: one.trusted.height)
            if at == len(self._points) or self._points[at].trusted.height != height:
                self._points.insert(at, point)
            if len(self._points) > BLOCKS_LIMIT + 1:
                del self._points[1]

    def _terms(self) -> Terms:
        return terms_of(self._trust, self._clock())


def _light_block(height: int, address: str = "") -> Steps[str]:
    """The light block of a height, as a node gives it. Raises VerificationError."""
    try:
        told = yield from get(f"{address}/v1/light-blocks/{height}", LightBlockAnswer)
    except LookupError as error:
        detail = f"the node has no light block {height}: ask one that has it, or get a newer file"
        raise VerificationError(Finding.TRUST_IS_TOO_LITTLE, detail) from error
    return told.light_block


def _state(told: LightBlockAnswer) -> bytes:
    try:
        return bytes.fromhex(told.state)
    except ValueError as error:
        raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "the head's state root") from error
