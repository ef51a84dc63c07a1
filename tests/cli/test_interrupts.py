"""Ctrl-C at the worst moment, in a process of its own."""

from __future__ import annotations

import signal
import subprocess
import sys

PROGRAM = """
import os, signal, sys, threading, weakref
from tongbao.cli.interrupts import keep_interrupts

class Thing:
    pass

def interrupted_inside(_):
    os.kill(os.getpid(), signal.SIGINT)
    sum(range(1_000_000))  # the signal's handler runs before this is done, and raises here

if "kept" in sys.argv:
    keep_interrupts()
thing = Thing()
reference = weakref.ref(thing, interrupted_inside)
del thing
print("went on", flush=True)
threading.Event().wait(2 if "kept" not in sys.argv else 60)
"""


def run(*words: str) -> subprocess.CompletedProcess[str]:
    """The program's end."""
    command = [sys.executable, "-c", PROGRAM, *words]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


def test_an_interrupt_inside_a_callback_still_ends_the_program() -> None:
    """
    Given a program that gets Ctrl-C inside a weak reference's callback, where Python drops it,
    when interrupts are kept, and when they are not,
    then it ends as by Ctrl-C, without a word about an ignored exception; else it goes on.
    """
    kept, dropped = run("kept"), run()
    assert (kept.stdout, kept.returncode) == ("went on\n", -signal.SIGINT)
    assert "ignored" not in kept.stderr
    assert (dropped.stdout, dropped.returncode) == ("went on\n", 0)
    assert "Exception ignored" in dropped.stderr
