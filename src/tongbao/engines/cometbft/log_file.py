"""The file that CometBFT's own log goes to: written by it alone, read here for what is fatal.

CometBFT appends to the file itself, so a busy log costs this process nothing. When it is too long
its bytes are copied to `NAME.1` and it is cut to nothing; a line that is written between the two is
lost.
"""

from __future__ import annotations

import os
import re
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Final, NamedTuple

LOG_BYTES: Final = 16 * 1024 * 1024
"""How long the file gets; there are two at most."""
READ_BYTES: Final = 1024 * 1024
LINE_BYTES: Final = 16_384
"""Of a longer line only the beginning is looked at."""
TEXT_LENGTH: Final = 400


class Complaint(NamedTuple):
    """What CometBFT said before its end; `is_stuck`, when it goes on running without deciding."""

    text: str
    is_stuck: bool


_AT: Final = rb"^E\[[^\]]*\] "
"""How a line of level error begins: what peers say can't stand there."""
_COMPLAINTS: Final = (
    (re.compile(rb"^ERROR: (.+)"), False),
    (re.compile(rb"^(Error reading PrivValidator .+)"), False),
    (re.compile(rb"^(open /.+: [a-z ]+)$"), False),
    (re.compile(rb"^(panic: .+)"), False),
    (re.compile(rb"^(fatal error: .+)"), False),
    (re.compile(_AT + rb"CONSENSUS FAILURE!!! .*?err=(.+?)(?: stack=|$)"), True),
    (re.compile(_AT + rb"(\w+ connection terminated)\. Did the application crash"), True),
)


class LogFile:
    """CometBFT's log at a path. Belongs to one thread."""

    def __init__(self, path: Path, limit: int = LOG_BYTES) -> None:
        """Use the file at a path, which is made when it is not there, and let it grow to a limit.

        Raises OSError.
        """
        self.path = path
        self._limit = limit
        self._read_to = 0
        self._rest = b""
        self.complaint: Complaint | None = None
        flags = os.O_RDWR | os.O_CREAT | os.O_APPEND
        self.descriptor = os.open(path, flags, 0o600)

    def close(self) -> None:
        """Close the file; CometBFT may write to it still."""
        os.close(self.descriptor)

    def begin(self) -> None:
        """Forget what was complained of: a new process will write. Raises OSError."""
        self.complaint = None
        self._rest = b""
        self._read_to = os.fstat(self.descriptor).st_size

    def look(self) -> Complaint | None:
        """Read what is new; the first complaint since `begin`. Cuts a long file. Raises OSError."""
        before = self._read_to
        while new := os.pread(self.descriptor, READ_BYTES, self._read_to):
            self._read_to += len(new)
            *lines, rest = (self._rest + new).split(b"\n")
            self._rest = rest[:LINE_BYTES]
            for line in lines:
                self.complaint = self.complaint or _complaint(line[:LINE_BYTES])
        if self._read_to == before:  # a full disk cuts the line short that says so
            self.complaint = self.complaint or _complaint(self._rest)
        if self._read_to > self._limit:
            with suppress(OSError):  # a full disk needs the room more than the old lines
                shutil.copyfile(self.path, self.path.with_name(self.path.name + ".1"))
            os.ftruncate(self.descriptor, 0)
            self._read_to = 0
        return self.complaint


def _complaint(line: bytes) -> Complaint | None:
    for pattern, is_stuck in _COMPLAINTS:
        if found := pattern.match(line):
            words = " ".join(found[1].decode("utf-8", "replace").split())
            return Complaint(words[:TEXT_LENGTH], is_stuck)
    return None
