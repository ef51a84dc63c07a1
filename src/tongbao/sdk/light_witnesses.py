"""Witnesses: other nodes that are asked whether they know the same header (CometBFT's detector).

Who holds more than two thirds of old voting keys could show one client another history, and that
client would find every vote in order. A second node, run by somebody else, does not have it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from tongbao.engines.cometbft.light.form import parts_of
from tongbao.engines.cometbft.light.hashes import header_hash
from tongbao.engines.cometbft.light.types import Header, LightBlock
from tongbao.sdk.answers import LightBlockAnswer
from tongbao.sdk.asking import Steps, get
from tongbao.sdk.errors import NodeError, Unreachable
from tongbao.sdk.findings import Finding, VerificationError
from tongbao.sdk.network_verification import read_block

AGREED_LIMIT: Final = 10_000
"""Heights that are remembered as compared."""

Reach = Callable[[LightBlock, str, str], Steps[tuple[str, ...]]]
"""Follows the votes to a light block, by what the node at an address has between."""


class Witnesses:
    """The addresses of nodes to compare with. Its methods may be called in any thread."""

    def __init__(self, addresses: Sequence[str]) -> None:
        """Compare with these, such as `http://127.0.0.1:8642`; with none nothing is compared."""
        self._addresses = tuple(address.rstrip("/") for address in addresses)
        self._wrong: set[str] = set()
        self._agreed: dict[int, bytes] = {}
        self._lock = threading.Lock()

    def other(self, header: Header, reach: Reach, /) -> Steps[str | None]:
        """A light block with another header of this height that the votes lead to, too.

        None where a witness has the same and no other one has proven another. A witness that does
        not answer, or has what nobody has voted for, is asked no more. Raises Unreachable when
        there is none left that agrees.
        """
        own = header_hash(header)
        with self._lock:
            asked = [each for each in self._addresses if each not in self._wrong]
            if not self._addresses or self._agreed.get(header.height) == own:
                return None
        is_confirmed = False
        for address in asked:
            try:
                text = yield from _light_block(address, header.height)
                block = read_block(text)
                if header_hash(parts_of(block)[0]) == own:
                    is_confirmed = True
                    continue
                if parts_of(block)[0].height != header.height:
                    raise VerificationError(Finding.ANSWER_IS_NOT_PROVEN, "another height")
                yield from reach(block, text, address)
            except (Unreachable, NodeError, LookupError, VerificationError):
                with self._lock:
                    self._wrong.add(address)
            else:
                return text
        if not is_confirmed:
            raise Unreachable(f"no witness has confirmed block {header.height}: name others")
        with self._lock:
            self._agreed[header.height] = own
            if len(self._agreed) > AGREED_LIMIT:
                del self._agreed[next(iter(self._agreed))]
        return None


def _light_block(address: str, height: int) -> Steps[str]:
    """What a witness has at a height, once it has come so far. Raises as `get` does."""
    newest = ("min_height", str(max(height - 1, 0)))
    told = yield from get(f"{address}/v1/light-blocks", LightBlockAnswer, newest)
    if parts_of(read_block(told.light_block))[0].height != height:
        told = yield from get(f"{address}/v1/light-blocks/{height}", LightBlockAnswer)
    return told.light_block
