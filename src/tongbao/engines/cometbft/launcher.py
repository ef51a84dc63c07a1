"""`python -I -S launcher.py PARENT PROGRAM ARGUMENTS`: become a program that dies with its parent.

Between a fork and the new program, code may run only in a process of one thread; a node has many.
So this small program is started instead, asks Linux to kill it when its parent's thread ends, and
then becomes the program wanted, which keeps that wish.
"""

import ctypes
import os
import signal
import sys

SET_PARENT_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of prctl(2)."""


def main() -> None:
    """Become the program; nothing, when the parent has ended meanwhile."""
    parent, program = int(sys.argv[1]), sys.argv[2]
    library = ctypes.CDLL(None, use_errno=True)
    if library.prctl(SET_PARENT_DEATH_SIGNAL, int(signal.SIGKILL), 0, 0, 0) != 0:
        sys.exit(f"ERROR: prctl: {os.strerror(ctypes.get_errno())}")
    if os.getppid() != parent:
        return
    try:
        os.execv(program, sys.argv[2:])  # noqa: S606
    except OSError as error:
        sys.exit(f"ERROR: {program} does not start: {error.strerror}")


if __name__ == "__main__":
    main()
