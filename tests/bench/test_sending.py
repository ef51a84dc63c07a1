"""Requests made beforehand arrive whole, their answers are counted, and lag is told."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from websockets.frames import Frame, Opcode
from websockets.protocol import State
from websockets.server import ServerProtocol

from bench.node import Seen, resident_mb, role_of, worst_lag_s
from bench.requests import question, read, write, write_questions
from bench.sender import Sender, Sent
from bench.socket_sender import frame

HEAD_END = b"\r\n\r\n"
APPLIED = b'{"answers":[{"state":"applied"},{"state":"applied"}]}'
WAITS = b'{"answers":[{"state":"applied"},{"state":"pending"}]}'


def answer(status: str, body: bytes) -> bytes:
    """An answer as a node gives it."""
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body


@contextmanager
def answering(answers: list[bytes]) -> Iterator[tuple[str, list[bytes]]]:
    """A server that gives these answers one after the other on one connection; what it was sent."""
    received: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            connection, _ = listening.accept()
            with connection, connection.makefile("rb") as file:
                for one in answers:
                    head = b""
                    while not head.endswith(HEAD_END):
                        head += file.readline()
                    length = int(head.lower().partition(b"length: ")[2].partition(b"\r")[0] or 0)
                    received.append(head + file.read(length))
                    connection.sendall(one)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}", received
        thread.join()


def send(address: str, path: Path, rate: float = 0.0) -> Sent:
    """Send a file's requests over one connection."""
    with Sender(address, 1, list(read(path))) as sender:
        return sender.send(rate)


def test_requests_are_written_and_read_as_they_are_sent(tmp_path: Path) -> None:
    """
    Given three transactions of ten payments each, a single one, and a question,
    when they are written as requests and read again,
    then batches hold two and one, and each request counts what is in it.
    """
    path = tmp_path / "requests"
    with path.open("wb") as file:
        write(file, [b"a.b.c", b"d.e.f", b"g.h.i"], 2, 10)
        write(file, [b"j.k.l"], 0)
        write_questions(file, [question("/v1")])
    found = list(read(path))
    assert [(one.transactions, one.payments) for one in found] == [(2, 20), (1, 10), (1, 1), (0, 1)]
    bodies = [bytes(one.data).partition(HEAD_END)[2] for one in found]
    assert bodies == [
        b'{"transactions":["a.b.c","d.e.f"]}',
        b'{"transactions":["g.h.i"]}',
        b"j.k.l",
        b"",
    ]


def test_what_the_node_had_no_room_for_is_sent_again(tmp_path: Path) -> None:
    """
    Given a node that is full, then applies one of two, then has applied both,
    when a request with two transactions is sent,
    then the same bytes are sent three times, and two payments are counted once.
    """
    path = tmp_path / "requests"
    with path.open("wb") as file:
        write(file, [b"a.b.c", b"d.e.f"], 2)
    answers = [answer("429 Too Many Requests", b"{}"), answer("200 OK", WAITS)]
    with answering([*answers, answer("200 OK", APPLIED)]) as (address, received):
        sent = send(address, path)
    assert (sent.payments, sent.sent_again, sent.places) == (2, 2, [0])
    assert len(received) == 3
    assert len(set(received)) == 1


def test_a_refused_payment_ends_the_measurement(tmp_path: Path) -> None:
    """
    Given a node that refuses one of two payments,
    when they are sent,
    then the sender stops and shows the answer, and counts nothing.
    """
    path = tmp_path / "requests"
    with path.open("wb") as file:
        write(file, [b"a.b.c", b"d.e.f"], 2)
    body = b'{"answers":[{"state":"applied"},{"state":"refused"}]}'
    with (
        answering([answer("200 OK", body)]) as (address, _),
        pytest.raises(AssertionError, match="refused"),
    ):
        send(address, path)


def test_a_rate_is_kept_and_each_waits_from_its_intended_moment(tmp_path: Path) -> None:
    """
    Given four questions at a hundred a second on one connection,
    when they are sent,
    then that takes the time of three intervals at least, and each answer has its place.
    """
    path = tmp_path / "requests"
    with path.open("wb") as file:
        write_questions(file, [question("/v1")] * 4)
    with answering([answer("200 OK", b"{}")] * 4) as (address, _):
        sent = send(address, path, 100.0)
    assert sent.seconds >= 0.03
    assert sent.places == [0, 1, 2, 3]
    assert all(waited >= 0 for waited in sent.waited_ms)


def test_an_index_lags_as_long_as_a_block_was_seen_without_it() -> None:
    """
    Given looks at a node, whose block 5 was seen 1.5 s before the index had it,
    when the lag is computed,
    then it is 1.5 s; and nothing while the index has all.
    """
    seen = [Seen(0.0, 4, 4), Seen(1.0, 5, 4), Seen(2.0, 6, 4), Seen(2.5, 6, 6)]
    assert worst_lag_s(seen) == 1.5
    assert worst_lag_s([Seen(0.0, 4, 4), Seen(1.0, 9, 9)]) == 0.0


def test_processes_are_named_by_what_they_run() -> None:
    """
    Given command lines of a node's processes,
    when their roles are asked for,
    then each is named by its module, and this process has memory.
    """
    lines = {
        b"python\0-m\0tongbao.node.processes.core\0x": "core",
        b"python\0-m\0tongbao.engines.verifier": "verifier",
        b"python\0-m\0tongbao.index.writer\0x": "index",
        b"/bin/cometbft\0start": "other",
    }
    assert {line: role_of(line) for line in lines} == lines
    assert resident_mb(int(Path("/proc/self").readlink().name)) > 1


@pytest.mark.parametrize("length", [1, 125, 126, 577, 65_535])
def test_a_message_is_framed_as_any_websocket_reads_it(length: int) -> None:
    """
    Given transactions of lengths on both sides of where the form of a frame changes,
    when they are framed for a WebSocket,
    then a WebSocket's own reader takes them out again whole.
    """
    wire = b"a" * length
    server = ServerProtocol(state=State.OPEN, max_size=None)
    server.receive_data(frame(wire))
    found = [one for one in server.events_received() if isinstance(one, Frame)]
    assert [(one.opcode, bytes(one.data)) for one in found] == [(Opcode.TEXT, wire)]
