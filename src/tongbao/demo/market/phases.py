"""How far each order is, as the chain tells it: one thread follows, everybody else waits."""

from __future__ import annotations

import threading
import time
from typing import Final

import msgspec
from msgspec import Struct

from tongbao.demo.failures import DemoError
from tongbao.demo.market.opening import STOPPED
from tongbao.sdk.http import HttpChain
from tongbao.store.closable import Closable

PATIENCE_S: Final = 300.0


class _Event(Struct):
    type: str = msgspec.field(name="@type", default="")
    order: str = ""
    phase: str = ""


class _Receipt(Struct):
    events: tuple[_Event, ...] = ()


class Phases(Closable):
    """The phases that orders have reached. Any thread may wait."""

    def __init__(self, address: str) -> None:
        """Follow the chain of a node from its beginning."""
        self._chain = HttpChain(address)
        self._changed = threading.Condition()
        self._reached: dict[str, list[str]] = {}
        self._ended = False
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self) -> None:
        try:
            for happening in self._chain.happenings("0.0", type="data.reached"):
                events = msgspec.json.decode(bytes(happening.receipt), type=_Receipt).events
                with self._changed:
                    for event in events:
                        if event.type == "data.reached":
                            self._reached.setdefault(event.order, []).append(event.phase)
                    self._changed.notify_all()
        finally:
            with self._changed:
                self._ended = True
                self._changed.notify_all()

    def wait(self, order: str, *phases: str) -> str:
        """Wait until an order has reached one of these; which. Raises DemoError."""
        until = time.monotonic() + PATIENCE_S
        with self._changed:
            while True:
                reached = self._reached.get(order, ())
                for phase in phases:
                    if phase in reached:
                        return phase
                left = until - time.monotonic()
                if self._ended or left <= 0:
                    here = reached[-1] if reached else "not placed"
                    wanted = " or ".join(phases)
                    raise DemoError(
                        f"order {order} is {here}, and was to be {wanted}",
                        "see the logs in the folder, then start again",
                        STOPPED,
                    )
                self._changed.wait(left)

    def close(self) -> None:
        """Stop to follow. May be called again."""
        self._chain.close()
        self._thread.join()
