"""A process of a node: gets its orders, tells how it goes, and never outlives its supervisor."""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

from tongbao.node.logs import configure_log
from tongbao.node.processes.channel import Channel, ChannelClosed
from tongbao.node.processes.orders import (
    FromSupervisor,
    Orders,
    Ready,
    Stop,
    Stopped,
    told,
)

PR_SET_PDEATHSIG: Final = 1
"""Of Linux's prctl(2): the signal that a process gets when the one that started it has ended."""
SIGNALS: Final = (signal.SIGINT, signal.SIGTERM)


class Child:
    """This process, as its supervisor sees it."""

    def __init__(self, descriptor: int) -> None:
        """Take the end of the channel to the supervisor, and wait for orders."""
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        for number in SIGNALS:
            signal.signal(number, _nothing)
        end = socket.socket(fileno=descriptor)
        self._channel: Channel[FromSupervisor] = Channel(end, FromSupervisor)
        orders, self.descriptors = self._channel.receive()
        if not isinstance(orders, Orders):
            raise ChannelClosed  # told to stop before there was anything to do
        self.orders = orders
        self.on_stop: Callable[[], None] = lambda: os._exit(0)
        """Called in another thread when the process shall end; at once, unless it is replaced."""
        self.is_told_to_stop = False
        configure_log(orders.settings)
        threading.Thread(target=self._listen, name="tongbao-orders", daemon=True).start()

    @classmethod
    def main(cls, run: Callable[[Child], None]) -> None:
        """Be a process of a node: of the channel's file descriptor, and the folder, by arguments.

        The folder is in the orders; among the arguments it tells whose process this is.
        """
        try:
            child = cls(int(sys.argv[1]))
        except ChannelClosed:
            sys.exit(1)  # the supervisor has ended before it had given orders
        try:
            run(child)
        except Exception as error:
            with suppress(ChannelClosed):
                child._channel.send(told(error))
            sys.exit(1)

    def ready(self, told: Ready | None = None) -> None:
        """Tell that the work is done from now on."""
        with suppress(ChannelClosed):
            self._channel.send(told or Ready())

    def stopped(self, height: int = -1) -> None:
        """Tell that the process ends in order."""
        with suppress(ChannelClosed):
            self._channel.send(Stopped(height))

    def begin_anew(self) -> NoReturn:
        """End, to be started again: what this process has read once is not so any more."""
        os._exit(0)

    def _listen(self) -> None:
        """Wait for the order to stop, or for the supervisor's end."""
        try:
            while not isinstance(self._channel.receive()[0], Stop):
                pass
        except ChannelClosed:
            os._exit(1)
        self.is_told_to_stop = True
        self.on_stop()


def _nothing(number: int, frame: object) -> None:
    """Ctrl-C and a service manager's SIGTERM reach all processes: the supervisor tells when."""
