"""A process that sends requests made beforehand and counts what was applied, as cheaply as it can.

`python -m bench.sender ADDRESS FILE CONNECTIONS RATE`: FILE as `requests.py` writes it, RATE in
payments a second, 0 for as fast as they are answered. Bytes come out of a mapped file and go
into sockets that never block; an answer is counted where it was received, and never parsed.
It prints a `Sent` as JSON.
"""

from __future__ import annotations

import selectors
import socket
import sys
from collections import deque
from collections.abc import Callable
from pathlib import Path
from time import monotonic, process_time

import msgspec
from msgspec import Struct

from bench.requests import Prepared, read
from tongbao.store.closable import Closable

APPLIED = b'"state":"applied"'
FINE = b"200"
UNDECIDED = (b'"state":"pending"', b'"state":"not taken"')
TAKEN_LATER = (b"429", b"503")
HEAD_END = b"\r\n\r\n"
LENGTH = b"content-length: "
FIRST_BYTES = 65_536
AGAIN_S = 0.05
"""After how long a request is sent again that the node had no room for."""
TRIES = 400
SILENCE_S = 60.0
BEGIN = 9
"""Where the status begins in `HTTP/1.1 200 OK`."""


class Sent(Struct):
    """What became of all requests. Moments are those of the machine's monotonic clock."""

    payments: int
    begun: float
    ended: float
    cpu_s: float
    sent_again: int
    waited_ms: list[float]
    """Of each request, in the order of answers: from its intended moment on, if there is a rate."""
    places: list[int]
    """Which request of the file each of these is."""

    @property
    def seconds(self) -> float:
        """From the first request to the last answer."""
        return self.ended - self.begun


class Job(Struct):
    """A request on its way: the moment from which it counts, and how often it was sent."""

    place: int
    request: Prepared
    due: float
    tries: int = 0


class Line:
    """One connection, with one request on it at a time."""

    def __init__(self, host: str, port: int) -> None:
        """Connect."""
        self.socket = socket.create_connection((host, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.job: Job | None = None
        self._left = memoryview(b"")
        self._answer = bytearray(FIRST_BYTES)
        self._filled = 0
        self._whole = 0

    def begin(self, job: Job) -> None:
        """Take a request over; `push` sends it."""
        job.tries += 1
        self.job = job
        self._left = job.request.data
        self._filled = self._whole = 0

    def push(self) -> bool:
        """Send what the socket takes now; whether that was all."""
        try:
            while self._left:
                self._left = self._left[self.socket.send(self._left) :]
        except BlockingIOError:
            return False
        return True

    def pull(self) -> bool:
        """Receive what there is; whether the answer is whole."""
        if self._filled == len(self._answer):
            self._answer.extend(bytes(len(self._answer)))
        with memoryview(self._answer) as view:
            got = self.socket.recv_into(view[self._filled :])
        assert got, "the node has closed a connection"
        self._filled += got
        if not self._whole:
            end = self._answer.find(HEAD_END, 0, self._filled)
            if end < 0:
                return False
            head = bytes(self._answer[:end]).lower()
            length = int(head.partition(LENGTH)[2].partition(b"\r\n")[0])
            self._whole = end + len(HEAD_END) + length
            missing = self._whole - len(self._answer)
            if missing > 0:
                self._answer.extend(bytes(missing))
        return self._filled >= self._whole

    def is_done(self) -> bool:
        """Whether all was applied, or a question answered; False where it is to be sent again.

        AssertionError quotes any other answer.
        """
        assert self.job is not None
        answer, whole = self._answer, self._whole
        status = bytes(answer[BEGIN : BEGIN + 3])
        applied = answer.count(APPLIED, 0, whole) if self.job.request.transactions else 0
        if status == FINE and applied == self.job.request.transactions:
            return True
        later = status in TAKEN_LATER
        later = later or any(answer.find(sign, 0, whole) >= 0 for sign in UNDECIDED)
        assert later, bytes(answer[: min(whole, 1_000)])
        return False


class Sender(Closable):
    """All connections, and the requests that wait for one."""

    def __init__(self, address: str, connections: int, requests: list[Prepared]) -> None:
        """Connect so often."""
        host, _, port = address.removeprefix("http://").rpartition(":")
        self._requests = requests
        self._selector = selectors.DefaultSelector()
        self._lines = [Line(host, int(port)) for _ in range(connections)]
        self._free = deque(self._lines)
        self._again: deque[tuple[float, Job]] = deque()
        for line in self._free:
            self._selector.register(line.socket, selectors.EVENT_READ, line)
        self._waited: list[float] = []
        self._places: list[int] = []
        self._payments = 0
        self._sent_again = 0

    def send(self, rate: float) -> Sent:
        """Send everything, `rate` payments a second or as fast as they are answered."""
        cpu, begun = process_time(), monotonic()
        waiting = deque(self._jobs(begun, rate))
        left = len(waiting)
        while left:
            now = monotonic()
            while self._free and (job := self._next(waiting, now)) is not None:
                self._hand(self._free.popleft(), job, now if not rate else job.due)
            found = self._selector.select(self._patience(waiting, now))
            assert found or self._free, f"no answer for {SILENCE_S:.0f} s"
            for key, events in found:
                left -= self._happened(key.data, events)
        ended = monotonic()
        used = process_time() - cpu
        again = self._sent_again
        return Sent(self._payments, begun, ended, used, again, self._waited, self._places)

    def close(self) -> None:
        """Close all connections."""
        self._selector.close()
        for line in self._lines:
            line.socket.close()

    def _jobs(self, begun: float, rate: float) -> list[Job]:
        jobs, before = [], 0
        for place, request in enumerate(self._requests):
            jobs.append(Job(place, request, begun + before / rate if rate else begun))
            before += request.payments
        return jobs

    def _next(self, waiting: deque[Job], now: float) -> Job | None:
        """What to send now, if anything."""
        if self._again and self._again[0][0] <= now:
            return self._again.popleft()[1]
        return waiting.popleft() if waiting and waiting[0].due <= now else None

    def _patience(self, waiting: deque[Job], now: float) -> float:
        """Seconds until the next request is to be sent, when there is a connection for it."""
        moments = [waiting[0].due] if waiting else []
        moments += [self._again[0][0]] if self._again else []
        return max(0.0, min(moments) - now) if moments and self._free else SILENCE_S

    def _hand(self, line: Line, job: Job, due: float) -> None:
        if not job.tries:
            job.due = due
        line.begin(job)
        if not line.push():
            both = selectors.EVENT_READ | selectors.EVENT_WRITE
            self._selector.modify(line.socket, both, line)

    def _happened(self, line: Line, events: int) -> int:
        """Go on with one connection; 1 when a request has come to its end."""
        if events & selectors.EVENT_WRITE and line.push():
            self._selector.modify(line.socket, selectors.EVENT_READ, line)
        if not (events & selectors.EVENT_READ and line.pull()):
            return 0
        job = line.job
        assert job is not None
        self._free.append(line)
        if not line.is_done():
            assert job.tries < TRIES, "the node has no room for a request, again and again"
            self._sent_again += 1
            self._again.append((monotonic() + AGAIN_S, job))
            return 0
        self._payments += job.request.payments
        self._waited.append((monotonic() - job.due) * 1_000)
        self._places.append(job.place)
        return 1


def main(arguments: list[str], say: Callable[[str], object] = print) -> None:
    """Do what the command line says."""
    address, file, connections, rate = arguments
    with Sender(address, int(connections), list(read(Path(file)))) as sender:
        sent = sender.send(float(rate))
    say(msgspec.json.encode(sent).decode())


if __name__ == "__main__":
    main(sys.argv[1:])
