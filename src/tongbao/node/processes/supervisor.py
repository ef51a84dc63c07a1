"""The supervisor: starts the processes of a node, starts again what ends, and stops all in order.

It holds what must outlive them: the listening socket, the settings and the passphrase. It reads no
chain and answers nobody, so that there is little in it that could fail.
"""

from __future__ import annotations

import logging
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from types import FrameType
from typing import Final

from msgspec.structs import replace

from tongbao.node.processes.channel import Channel, ChannelClosed, pair
from tongbao.node.processes.layout import FRONT, ROLES, Role
from tongbao.node.processes.orders import (
    Failed,
    FromChild,
    GaveUp,
    Orders,
    Ready,
    Stop,
    Stopped,
    error_of,
)

log = logging.getLogger("tongbao.node")

SOON_S: Final = 5.0
"""A process that has lived for less has ended soon."""
STORM: Final = 10
"""So many ends in a row that came soon are too many."""
PAUSE_S: Final = 0.05
LONGEST_PAUSE_S: Final = 5.0
GRACE_S: Final = 5.0
"""What a process gets beyond the grace of requests to end before it is killed."""
CORE_GRACE_S: Final = 60.0
"""What a core gets instead: it may be writing rows. The log makes one safe that is killed."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class _Place:
    """A process that there shall be: one of a role's."""

    def __init__(self, role: Role, number: int) -> None:
        self.role = role
        self.number = number
        self.process: subprocess.Popen[bytes] | None = None
        self.channel: Channel[FromChild] | None = None
        self.has_orders = False
        self.ready: Ready | None = None
        self.begun = 0.0
        self.ends = 0
        """How often it has ended soon, in a row."""
        self.due: float | None = None
        """When it shall be started."""

    @property
    def name(self) -> str:
        return self.role.name if self.number == 0 else f"{self.role.name} {self.number + 1}"


class Supervisor:
    """The processes of one node."""

    def __init__(
        self,
        orders: Orders,
        listening: socket.socket,
        served: Callable[[Ready], None],
    ) -> None:
        """`orders` are those of the core; `served` is called once all do their work."""
        self._orders = orders
        self._listening = listening
        self._served = served
        self._places = [
            _Place(role, number) for role in ROLES for number in range(orders.counts[role.name])
        ]
        self._selector = selectors.DefaultSelector()
        self._failure: Exception | None = None
        self._is_stopping = False
        self._is_urgent = False
        """Whether somebody has asked to stop a second time."""
        self._is_served = False
        self._has_core = False
        """Whether a core has opened the chain, ever: the others know which modules decide."""
        self._stops = -1
        """Up to which place in the order of stopping processes have been told."""
        self._kill_at: float | None = None
        self._height = -1
        self.chain = ""
        """The chain that a core has opened; empty before."""
        self._wake, self._woken = socket.socketpair()

    def run(self) -> int:
        """Serve until SIGINT or SIGTERM; the last height. Raises what ended the node."""
        for end in (self._wake, self._woken):
            end.setblocking(False)
        self._selector.register(self._woken, selectors.EVENT_READ)
        before = {number: signal.signal(number, self._signalled) for number in SIGNALS}
        waker = signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        try:
            for place in self._places:
                place.due = 0.0
            while not self._is_over():
                self._step()
        finally:
            signal.set_wakeup_fd(waker)
            for number, handler in before.items():
                signal.signal(number, handler)
            self._end_all()
        if self._failure is not None:
            raise self._failure
        return self._height

    def _signalled(self, number: int, frame: FrameType | None) -> None:
        """Asked to stop; asked again, what does not answer is killed."""
        if self._is_stopping:
            self._is_urgent = True
            self._kill_at = 0.0
        self._is_stopping = True

    @property
    def _core(self) -> _Place:
        return self._places[0]

    def _is_over(self) -> bool:
        return self._is_stopping and all(place.process is None for place in self._places)

    def _step(self) -> None:
        """Do what is due, then wait for news."""
        now = time.monotonic()
        if self._is_stopping:
            self._stop_next(now)
        else:
            for place in self._places:
                if place.due is not None and place.due <= now:
                    self._start(place)
        for key, _ in self._selector.select(self._wait(now)):
            if key.data is None:
                with suppress(BlockingIOError):
                    self._woken.recv(4_096)
            else:
                self._hear(key.data)

    def _wait(self, now: float) -> float | None:
        """How long nothing is due; None for ever."""
        if self._is_over():
            return 0.0
        dues = [place.due for place in self._places if place.due is not None]
        dues = dues if not self._is_stopping else []
        if self._is_stopping and self._kill_at is not None:
            dues.append(self._kill_at)
        return max(0.0, min(dues) - now) if dues else None

    def _start(self, place: _Place) -> None:
        ours, theirs = pair()
        place.due = None
        place.begun = time.monotonic()
        place.ready = None
        place.has_orders = False
        command = (sys.executable, "-m", place.role.module)
        with theirs:
            place.process = subprocess.Popen(
                [*command, str(theirs.fileno()), self._orders.folder],
                pass_fds=(theirs.fileno(),),
                stdin=subprocess.DEVNULL,
                start_new_session=True,  # Ctrl-C is for the supervisor: it tells the others
            )
        place.channel = Channel(ours, FromChild)
        self._selector.register(ours, selectors.EVENT_READ, place)
        if place is self._core or self._has_core:
            self._give_orders(place)

    def _give_orders(self, place: _Place) -> None:
        """Let a process begin its work; until then it has loaded its code and waits."""
        assert place.channel is not None
        place.has_orders = True
        is_front = place.role.name == FRONT
        orders = replace(
            self._orders,
            role=place.role.name,
            number=place.number,
            passphrase=self._orders.passphrase if place is self._core else None,
        )
        with suppress(ChannelClosed):  # heard of in a moment
            place.channel.send(orders, [self._listening.fileno()] if is_front else [])

    def _hear(self, place: _Place) -> None:
        assert place.channel is not None
        try:
            message, _ = place.channel.receive()
        except ChannelClosed:
            self._ended(place)
            return
        if isinstance(message, Ready):
            self._is_ready(place, message)
        elif isinstance(message, Stopped):
            self._height = max(self._height, message.height)
        elif isinstance(message, Failed):
            self._fail(error_of(message))

    def _is_ready(self, place: _Place, message: Ready) -> None:
        place.ready = message
        if place is self._core:
            self._height = message.height
            self.chain = message.chain
            self._begin_others(message)
        everybody = all(other.ready is not None for other in self._places)
        if everybody and not self._is_served and self._core.ready is not None:
            self._is_served = True
            self._served(self._core.ready)

    def _begin_others(self, core: Ready) -> None:
        """A core is there: all others work, with the modules that it decides by."""
        is_changed = core.modules != self._orders.modules
        self._orders = replace(self._orders, modules=core.modules)
        self._has_core = True
        for other in self._places[1:]:
            if other.process is not None and not other.has_orders:
                self._give_orders(other)
            elif other.process is not None and is_changed:
                other.process.kill()

    def _fail(self, error: Exception) -> None:
        """The node ends for this reason; the first one counts."""
        if self._failure is None:
            self._failure = error
        self._is_stopping = True

    def _ended(self, place: _Place) -> None:
        """A process has ended: bury it, and have another one in its place."""
        assert place.process is not None and place.channel is not None
        self._selector.unregister(place.channel.socket)
        place.channel.close()
        code = place.process.wait()
        place.process = place.channel = place.ready = None
        if self._is_stopping:
            if place is self._core and code and self._failure is None:
                self._failure = GaveUp(f"the core has ended with {code} while it stopped")
            return
        lived = time.monotonic() - place.begun
        place.ends = place.ends + 1 if lived < SOON_S else 1
        if place.ends > STORM:
            self._fail(GaveUp(f"the {place.name} has ended {place.ends} times in a row"))
            return
        pause = 0.0 if place.ends == 1 else min(PAUSE_S * 2 ** (place.ends - 2), LONGEST_PAUSE_S)
        log.warning("the %s has ended (%s): it is started again", place.name, code)
        place.due = time.monotonic() + pause

    def _stop_next(self, now: float) -> None:
        """Tell those whose turn it is to stop, once all before them have gone."""
        living = [place for place in self._places if place.process is not None]
        if not living:
            return
        turn = min(place.role.stops for place in living)
        if turn > self._stops:
            self._stops = turn
            is_core = turn == self._core.role.stops
            more = CORE_GRACE_S if is_core and not self._is_urgent else GRACE_S
            self._kill_at = now + self._orders.settings.grace_ms / 1000 + more
            for place in living:
                if place.role.stops == turn and place.channel is not None:
                    with suppress(ChannelClosed):
                        place.channel.send(Stop())
        elif self._kill_at is not None and now >= self._kill_at:
            self._kill_at = None
            for place in living:
                if place.role.stops == turn and place.process is not None:
                    log.warning("the %s does not end: it is killed", place.name)
                    place.process.kill()

    def _end_all(self) -> None:
        """Whatever happened here: nobody stays behind."""
        for place in self._places:
            if place.process is not None:
                place.process.kill()
                place.process.wait()
            if place.channel is not None:
                place.channel.close()
        self._selector.close()
        for end in (self._wake, self._woken):
            end.close()

    @property
    def processes(self) -> dict[str, int | None]:
        """The process ids by name; None for one that is being started again."""
        return {
            place.name: None if place.process is None else place.process.pid
            for place in self._places
        }
