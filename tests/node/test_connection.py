"""Connections that are held, filled or confused on purpose."""

from __future__ import annotations

import gzip
import time
import zlib

import pytest

from tests.node.conftest import Served, serving
from tests.node.flood import request
from tests.node.test_door import talk
from tests.node.test_submitting import problem

CHUNKED = (
    b"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose\r\n"
    b"Transfer-Encoding: chunked\r\n\r\n"
)


@pytest.mark.parametrize(
    "drip",
    [
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n\r\n",
        CHUNKED + b"1\r\nx\r\n0\r\nX-Trailer: ",
        CHUNKED + b"1;extension=",
        b"GET /livez HTTP/1.1\r\nHost: localhost\r\n\r\n\r\n",
    ],
    ids=["body that nobody wants", "trailer", "chunk extension", "empty lines"],
)
def test_a_request_that_never_ends_is_cut_off(drip: bytes) -> None:
    """
    Given a node that waits 200 ms for a head, and a client whose request has begun and never ends,
    however much or little of it keeps coming,
    when three times that has passed,
    then the connection is closed.
    """
    with serving(request_ms=200) as served, served.connect() as connection:
        connection.sendall(drip)
        connection.settimeout(0.05)
        for _ in range(100):
            try:
                connection.sendall(b"\r\n" if drip.endswith(b"\n\r\n\r\n") else b"x")
                if not connection.recv(65_536):
                    return
            except TimeoutError:
                continue
            except OSError:
                return
        raise AssertionError("the connection was still open after five seconds")


@pytest.mark.parametrize(
    "flood",
    [
        CHUNKED + b"1\r\nx\r\n0\r\n" + b"X-Trailer: y\r\n" * 10_000,
        CHUNKED + b"1\r\nx\r\n0\r\nX-Trailer: " + b"y" * 200_000,
        CHUNKED + b"1;extension=" + b"y" * 200_000,
        CHUNKED + b"0" * 200_000,
    ],
    ids=["trailers", "one trailer", "chunk extension", "chunk size"],
)
def test_what_surrounds_a_body_is_limited_as_a_head_is(served: Served, flood: bytes) -> None:
    """
    Given a body in chunks with trailers or extensions without end,
    when they pass the limit of a head,
    then the connection is closed with 4xx, and others are served.
    """
    with served.connect() as connection:
        answer = talk(connection, flood)
    assert answer[:10] in (b"HTTP/1.1 4", b""), answer[:100]
    assert served.client.get("/livez").status_code == 200


def test_thousands_of_requests_in_one_piece_are_no_flood_of_headers(served: Served) -> None:
    """
    Given 2,000 small requests that a client sends in one piece, far more than a head may be long,
    when they arrive,
    then each is answered.
    """
    last = request("/livez", None, "Connection: close")
    with served.connect() as connection:
        answers = talk(connection, request("/livez") * 1_999 + last)
    assert answers.count(b"HTTP/1.1 200 OK") == 2_000


@pytest.mark.parametrize("coding", ["gzip", "deflate", "br", "zstd", "gzip, gzip", "x-unknown"])
def test_packed_bodies_are_refused_before_they_are_unpacked(served: Served, coding: str) -> None:
    """
    Given megabytes of nothing that are packed to kilobytes,
    when they are posted with any content coding,
    then the answer is 415 at once: nothing is unpacked.
    """
    nothing = bytes(100_000_000)
    bomb = zlib.compress(nothing, 1) if coding == "deflate" else gzip.compress(nothing[:1_000_000])
    headers = {"content-type": "application/jose", "content-encoding": coding}
    for path in ("/v1/transactions", "/v1/dry-runs"):
        kind = "application/json" if path.endswith("runs") else "application/jose"
        answer = served.client.post(path, content=bomb, headers=headers | {"content-type": kind})
        problem(answer, 415)


def test_a_packed_transfer_is_no_http_that_a_node_speaks(served: Served) -> None:
    """
    Given a request with the transfer coding gzip, or with a length and chunks at once,
    when it arrives,
    then it is refused with 400 and the connection closed: two readers could disagree on its end.
    """
    head = (
        b"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/jose\r\n"
    )
    for lines in (
        b"Transfer-Encoding: chunked, gzip\r\n\r\nx",
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello!",
    ):
        with served.connect() as connection:
            assert talk(connection, head + lines).startswith(b"HTTP/1.1 400 "), lines


def test_a_body_that_is_too_long_ends_the_connection() -> None:
    """
    Given a node that takes bodies of 1,000 bytes,
    when a client says that it will send a gigabyte,
    then it is told 413 after the first bytes too many, and nobody reads the rest.
    """
    with serving(body_bytes=1_000) as served, served.connect() as connection:
        head = (
            b"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: application/jose\r\nContent-Length: 1000000000\r\n\r\n"
        )
        answer = talk(connection, head + b"x" * 2_000)
    assert answer.startswith(b"HTTP/1.1 413 ")
    assert b"connection: close" in answer.lower()


def test_an_answer_that_nobody_reads_is_given_up() -> None:
    """
    Given a node that waits 100 ms for requests, and a client that asks for far more than buffers
    hold and reads nothing,
    when six times that has passed, in which others were served,
    then the node has cut it off: not all that it asked for comes any more.
    """
    with serving(request_ms=100) as served, served.connect() as connection:
        asked = 400
        connection.sendall(request("/openapi.json") * asked)
        until = time.monotonic() + 2
        while time.monotonic() < until:
            assert served.client.get("/livez").status_code == 200
        assert talk(connection, b"").count(b"HTTP/1.1 200 OK") < asked


def test_methods_are_answered_by_the_book(served: Served) -> None:
    """
    Given paths of reads, of writing and of a stream,
    when they are asked with HEAD, OPTIONS, TRACE and an invented method,
    then HEAD is GET without a body and ends even for a stream, and others name what is allowed.
    """
    for path in ("/v1", "/v1/events", "/livez", "/metrics", "/openapi.json"):
        head = served.client.head(path)
        assert (head.status_code, head.content) == (200, b""), path
        assert head.headers["content-type"]
    for method in ("OPTIONS", "TRACE", "BREW", "PUT"):
        with served.connect() as connection:
            line = f"{method} /v1/transactions HTTP/1.1\r\nHost: localhost\r\n"
            answer = talk(connection, f"{line}Connection: close\r\n\r\n".encode())
        status = int(answer.split(b" ")[1])
        assert status == (400 if method == "BREW" else 405), answer
        if status == 405:
            assert b"allow: POST\r\n" in answer
    assert served.client.options("/v1/blocks").headers["allow"] == "GET, HEAD"


def test_what_never_changes_is_sent_once(served: Served) -> None:
    """
    Given a block, a transaction's proof, the genesis file and the OpenAPI document,
    when they are asked for again with their ETag,
    then the answer is 304 without a body; and what changes may not be stored at all.
    """
    paid = served.send(served.fixed.pay("1.00")).json()["id"]
    for path in ("/v1/blocks/1", f"/v1/transactions/{paid}/proof", "/v1/genesis", "/openapi.json"):
        first = served.client.get(path)
        again = served.client.get(path, headers={"if-none-match": f'"x", {first.headers["etag"]}'})
        assert (first.status_code, first.headers["cache-control"]) == (200, "no-cache")
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["etag"] == first.headers["etag"]
    changing = served.client.get("/v1").headers
    assert changing["cache-control"] == "no-store" and "etag" not in changing
