"""Exit codes: what each means and what to do about it. The README's table is this one.

Codes from 64 on follow BSD's `sysexits.h` as far as it goes; 1 to 4 are the ledger's own answers.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final, NamedTuple


class Exit(IntEnum):
    """How a command ended."""

    DONE = 0
    REFUSED = 1
    USAGE = 2
    INVALID = 3
    NOTHING = 4
    WRONG = 65
    NO_INPUT = 66
    NOT_INSTALLED = 69
    STOPPED = 70
    DISK_FAILED = 71
    DISK_FULL = 73
    FILE = 74
    BUSY = 75
    VERSION = 76
    NO_KEY = 77
    CONFIGURATION = 78
    INTERRUPTED = 130


class Meaning(NamedTuple):
    """What an exit code says, and what to do."""

    what: str
    advice: str


MEANINGS: Final[dict[Exit, Meaning]] = {
    Exit.DONE: Meaning("done, and the verdict is good", "go on"),
    Exit.REFUSED: Meaning(
        "a module refused, by a numbered rule",
        "only the nonce was used; correct the message and send it again",
    ),
    Exit.USAGE: Meaning(
        "an option, a value or a name is wrong; nothing was sent", "see the command's --help"
    ),
    Exit.INVALID: Meaning(
        "the transaction is invalid, or has expired: it changed nothing and never will",
        "correct the transaction and sign it again",
    ),
    Exit.NOTHING: Meaning(
        "there is no such row, account or transaction", "check the name, the key or the id"
    ),
    Exit.WRONG: Meaning(
        "a file is not what it should be: a proof that proves nothing, an audit with findings, "
        "another chain's files",
        "believe nothing that it says, and get it again from its source",
    ),
    Exit.NO_INPUT: Meaning(
        "a folder or file is missing or can't be used", "check --folder and the path"
    ),
    Exit.NOT_INSTALLED: Meaning(
        "a part of Tongbao is not installed", "install the extra that is named"
    ),
    Exit.STOPPED: Meaning(
        "the engine has stopped, or was not opened to write",
        "what was answered is durable; open the chain again, and `tongbao audit` it",
    ),
    Exit.DISK_FAILED: Meaning(
        "a write could not be made durable",
        "what was answered is durable; check the disk before you open the chain again",
    ),
    Exit.DISK_FULL: Meaning(
        "there is no space: this block was not made", "make room and send it again"
    ),
    Exit.FILE: Meaning(
        "a file can't be read or written, or the block log is damaged",
        "check path, permissions and disk; bring a damaged log back from a copy",
    ),
    Exit.BUSY: Meaning(
        "another process has the chain open, the queue is full, an answer is still to come, or a "
        "signer is away",
        "try again in a moment",
    ),
    Exit.VERSION: Meaning(
        "the files were written by another version", "install the version that wrote them"
    ),
    Exit.NO_KEY: Meaning(
        "a key can't be had: there is no such key, or its passphrase is missing or wrong",
        "see `tongbao keys list`; give --passphrase-file FILE, or set TONGBAO_PASSPHRASE",
    ),
    Exit.CONFIGURATION: Meaning(
        "the genesis file, a module or a setting doesn't fit what is installed",
        "correct the setting that is named, or install the version that began this chain",
    ),
    Exit.INTERRUPTED: Meaning(
        "stopped by Ctrl-C",
        "what was answered is durable; ask `tongbao status ID` about the rest",
    ),
}


def advice_for(code: int) -> str:
    """What to do about an exit code, which may be of an error class of another package."""
    known = {int(end): meaning.advice for end, meaning in MEANINGS.items()}
    return known.get(code, MEANINGS[Exit.USAGE].advice)
