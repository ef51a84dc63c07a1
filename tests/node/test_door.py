"""Who is let in: hosts, origins, slow and endless heads, and what every answer carries."""

from __future__ import annotations

import socket

import pytest

from tests.node.conftest import Served, serving
from tests.node.test_submitting import problem

EVIL = "https://evil.example"
FRIEND = "https://bank.example"


def talk(connection: socket.socket, sent: bytes) -> bytes:
    """Send bytes and read until the other side hangs up."""
    connection.sendall(sent)
    found = b""
    try:
        while part := connection.recv(65_536):
            found += part
    except ConnectionResetError:
        return found
    return found


@pytest.mark.parametrize(
    "host", ["evil.example", "localhost.evil.example:80", "", "127.0.0.1@evil"]
)
def test_a_request_for_another_host_is_misdirected(served: Served, host: str) -> None:
    """
    Given a request that names another host, as a rebound DNS name would,
    when it comes,
    then it is refused.
    """
    problem(served.client.get("/v1", headers={"host": host}), 421)


def test_pages_of_other_origins_neither_send_nor_read(served: Served) -> None:
    """
    Given a page of another origin,
    when it posts, reads, or asks beforehand,
    then posting is forbidden, and no answer may be read by it.
    """
    headers = {"origin": EVIL, "content-type": "application/jose"}
    posted = served.client.post("/v1/transactions", content=b"x", headers=headers)
    read = served.client.get("/v1", headers={"origin": EVIL})

    problem(posted, 403)
    assert "access-control-allow-origin" not in read.headers


def test_an_allowed_origin_may_ask_and_send() -> None:
    """
    Given a node that allows one origin,
    when a page of it asks beforehand and then posts,
    then both are let through, and the answer may be read by that origin alone.
    """
    with serving(allowed_origins=[FRIEND]) as served:
        asked = served.client.options(
            "/v1/transactions",
            headers={"origin": FRIEND, "access-control-request-method": "POST"},
        )
        headers = {"origin": FRIEND, "content-type": "application/jose"}
        posted = served.client.post(
            "/v1/transactions", content=served.fixed.pay("1.00"), headers=headers
        )

        assert asked.status_code == 204
        assert asked.headers["access-control-allow-methods"] == "GET, POST"
        assert posted.status_code == 200
        assert posted.headers["access-control-allow-origin"] == FRIEND


def test_every_answer_is_guarded(served: Served) -> None:
    """
    Given good and bad requests,
    when they are answered,
    then browsers are told to load and guess nothing, and nobody which server it is.
    """
    for path in ("/v1", "/nope", "/livez"):
        headers = served.client.get(path).headers
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["content-security-policy"].startswith("default-src 'none'")
        assert "server" not in headers


def test_a_head_without_end_is_cut_off(served: Served) -> None:
    """
    Given headers that never end, one long one, many short ones, or a long path,
    when they pass the limit,
    then the connection is answered 431 and closed.
    """
    begin = b"GET /v1 HTTP/1.1\r\nHost: localhost\r\n"
    floods = (
        begin + b"X: " + b"a" * 100_000,
        begin + b"X-Y: z\r\n" * 10_000,
        begin + b"X-Y: z\r\n" * 4_000 + b"\r\n",
        b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n",
    )
    for flood in floods:
        with served.connect() as connection:
            assert talk(connection, flood).startswith(b"HTTP/1.1 431 ")


def test_a_slow_head_is_hung_up_on() -> None:
    """
    Given a node that waits 200 ms for a head, and clients that send half of one, or nothing,
    when that time has passed,
    then the connections are closed, and others were served all the while.
    """
    with serving(request_ms=200) as served:
        slow = [served.connect() for _ in range(50)]
        for connection in slow[::2]:
            connection.sendall(b"GET /v1 HTTP/1.1\r\nHost: local")
        assert served.client.get("/livez").status_code == 200
        for connection in slow:
            assert talk(connection, b"") == b""
            connection.close()


def test_a_slow_body_is_told_so() -> None:
    """
    Given a node that waits 200 ms for a body, and a client that sends half of one,
    when that time has passed,
    then the answer is 408.
    """
    with serving(request_ms=200) as served, served.connect() as connection:
        connection.sendall(
            b"POST /v1/transactions HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100\r\n"
            b"Content-Type: application/jose\r\n\r\nhalf"
        )
        assert connection.recv(65_536).startswith(b"HTTP/1.1 408 ")


@pytest.mark.parametrize(
    "sent",
    [
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost: localhost\r\nContent-Length: x\r\n\r\n",
        b"GET /v1 HTTP/1.1\r\nHost : localhost\r\n\r\n",
        b"\r\n\r\n\x00\x00",
    ],
)
def test_what_is_no_http_is_refused(served: Served, sent: bytes) -> None:
    """
    Given bytes that are no HTTP request,
    when they come,
    then the answer is 400, and the node goes on.
    """
    with served.connect() as connection:
        assert talk(connection, sent).startswith(b"HTTP/1.1 400 ")
    assert served.client.get("/livez").status_code == 200
