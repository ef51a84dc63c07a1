"""Ctrl-C that comes while Python runs a callback which can't raise is not lost.

An exception in a weak reference's callback or in `__del__` is printed and dropped, and so is
KeyboardInterrupt: the command would go on as if nobody had pressed a key.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

AGAIN_SECONDS: Final = 0.02
"""After this long the callback has ended; if another one runs by then, it comes here again."""


def keep_interrupts() -> None:
    """From now on an interrupt that was dropped is sent again; all else is told as before."""
    before = sys.unraisablehook

    def hook(unraisable: UnraisableHookArgs, /) -> None:
        if not issubclass(unraisable.exc_type, KeyboardInterrupt):
            before(unraisable)
            return
        again = threading.Timer(AGAIN_SECONDS, os.kill, (os.getpid(), signal.SIGINT))
        again.daemon = True
        again.start()

    sys.unraisablehook = hook
