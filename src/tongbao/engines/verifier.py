"""Signature checks on another core: a helper process that knows nothing but the one rule.

`python -m tongbao.engines.verifier` reads batches from standard input and answers one byte a
signature, 1 or 0. A process, because a thread that leaves Python for each check waits its turn
beside a busy one; started by hand rather than by multiprocessing, so that programs which embed a
chain need no `__main__` guard. It is started by the first large batch; until then, and once it has
died, checks happen here.
"""

from __future__ import annotations

import logging
import os
import subprocess
import sys
from collections.abc import Iterable
from typing import IO, Final

import msgspec

from tongbao.kernel import ed25519
from tongbao.kernel.transaction import Transaction

log = logging.getLogger("tongbao.engines.verifier")

LENGTH_BYTES: Final = 4
FRAME_LIMIT: Final = 256 * 1024 * 1024
SMALLEST_BATCH: Final = 128
"""Below this a batch is checked here: the way to another process costs more than it saves."""

Check = tuple[bytes, bytes, bytes]
"""Public key, signed bytes, signature."""

_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(list[Check])


def checks_of(transaction: Transaction) -> list[Check]:
    """What there is to check in a transaction."""
    return [(one.public_key, one.signed, one.signature) for one in transaction.signatures]


def check_here(checks: Iterable[Check]) -> bytes:
    """One byte a signature: 1 where it is right."""
    return bytes(ed25519.verify(*check) for check in checks)


class Verifier:
    """Checks the signatures of one batch at a time, elsewhere where that pays."""

    def __init__(self, *, elsewhere: bool) -> None:
        """Use a helper process for large batches, if `elsewhere`."""
        self._elsewhere = elsewhere
        self._process: subprocess.Popen[bytes] | None = None
        self._checks: list[Check] = []
        self._here: bytes | None = None

    def begin(self, checks: list[Check]) -> None:
        """Start to check; `finish` gives the answer."""
        self._checks = checks
        self._here = None
        if not self._elsewhere or len(checks) < SMALLEST_BATCH or not self._send(checks):
            self._here = check_here(checks)

    def finish(self) -> bytes:
        """One byte for each signature of the batch that was begun last."""
        if self._here is not None:
            return self._here
        assert self._process is not None
        answer = _pipe(self._process.stdout).read(len(self._checks))
        if len(answer) != len(self._checks):
            log.error("the signature checker has died; from now on this process checks")
            self.close()
            self._elsewhere = False
            answer = check_here(self._checks)
        return answer

    def _send(self, checks: list[Check]) -> bool:
        """Hand a batch to the helper process; False when there is none."""
        try:
            if self._process is None:
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "tongbao.engines.verifier"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    start_new_session=True,  # Ctrl-C is for the node; this one ends with its pipe
                )
            frame = _encoder.encode(checks)
            pipe = _pipe(self._process.stdin)
            pipe.write(len(frame).to_bytes(LENGTH_BYTES, "big") + frame)
            pipe.flush()
        except OSError:
            log.error("the signature checker can't be used; from now on this process checks")
            self.close()
            self._elsewhere = False
            return False
        return True

    def close(self) -> None:
        """End the helper process."""
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            _pipe(process.stdout).close()
            try:
                _pipe(process.stdin).close()
            except BrokenPipeError:
                log.debug("the signature checker had ended already")


def _pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    assert pipe is not None
    return pipe


def serve(source: IO[bytes], target: IO[bytes]) -> None:
    """Answer batches until the source ends, or nobody listens any more."""
    while len(head := source.read(LENGTH_BYTES)) == LENGTH_BYTES:
        length = int.from_bytes(head, "big")
        assert length <= FRAME_LIMIT
        target.write(check_here(_decoder.decode(source.read(length))))
        target.flush()


def other_core() -> bool:
    """Whether this machine lets the process use more than one core."""
    return len(os.sched_getaffinity(0)) > 1


if __name__ == "__main__":
    try:
        serve(sys.stdin.buffer, sys.stdout.buffer)
    except BrokenPipeError:
        sys.stderr.close()  # the node was killed: there is nobody to tell
