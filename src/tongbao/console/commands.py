"""Commands to copy: a page holds no key, so what is to be signed is signed where the key lies."""

from __future__ import annotations

import shlex
from typing import Final

import msgspec
from msgspec import Struct

PROGRAM: Final = "tongbao"


def command(*words: str) -> str:
    """A line for a shell of POSIX: whatever a word has in it, it stays one word."""
    return shlex.join((PROGRAM, *words))


def voting(proposal: str, choice: str) -> str:
    """The command that approves or rejects a proposal."""
    return command("governance", "vote", "--proposal", proposal, "--choice", choice)


def cancelling(proposal: str) -> str:
    """The command with which its proposer takes a proposal back."""
    return command("governance", "cancel", "--proposal", proposal)


def proposing(action: Struct, closes_in: str) -> str:
    """The command that proposes one action; `closes_in` is such as `2d`."""
    actions = msgspec.json.encode([action]).decode()
    return command("governance", "propose", "--closes-at", f"+{closes_in}", "--actions", actions)
