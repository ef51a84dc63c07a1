"""Services over real sockets: who asks is known by a signature, once, in time and for this one."""

from __future__ import annotations

import socket
import ssl
import subprocess
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from tests.services.serving.served import served
from tongbao.sdk.request_checker import Asked
from tongbao.sdk.signed_requests import HEADER, SigningAuth, now_ms, sign_request
from tongbao.sdk.signer import SoftwareKey
from tongbao.services.serving.bodies import SPOOLED
from tongbao.services.serving.listening import InTheClear, run_service
from tongbao.services.serving.problems import Problem
from tongbao.services.serving.signed import signed, signed_file
from tongbao.services.serving.tls import Tls

KEY = SoftwareKey.from_seed(b"k" * 32)
STRANGER = SoftwareKey.from_seed(b"s" * 32)
ACCOUNT = "ab" * 20
LIMIT = 1_000


def has_key(account: str, kid: str) -> bool:
    """A ledger on which one key is one account's."""
    return (account, kid) == (ACCOUNT, KEY.key_id)


async def echo(request: Request) -> Response:
    """Who asks, and what."""
    who = await signed(request, LIMIT)
    return JSONResponse({"account": who.account, "key": who.key, "body": who.body.decode()})


async def break_down(request: Request) -> Response:
    """A bug."""
    raise ValueError("a secret of somebody")


async def disk(request: Request) -> Response:
    """A disk without space."""
    raise OSError(28, "No space left on device")


def refuse(asked: Asked) -> None:
    """Let nobody in."""
    raise Problem(403, "nobody may", number=7)


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    """Where large bodies are laid."""
    found = tmp_path / "spool"
    found.mkdir()
    return found


@pytest.fixture
def url(spool: Path) -> Iterator[str]:
    """A service that echoes."""

    async def large(request: Request) -> Response:
        """The size of a body that went into a file."""
        async with signed_file(request, 10_000_000, spool) as (who, spooled):
            assert spooled.path.stat().st_size == spooled.size
            return JSONResponse({"key": who.key, "size": spooled.size, "hash": spooled.hash.hex()})

    async def closed(request: Request) -> Response:
        """Nobody gets in here."""
        await signed(request, LIMIT, may=refuse)
        return Response()

    routes = [
        Route("/v1/echo", echo, methods=["GET", "POST", "PUT", "DELETE"]),
        Route("/v1/large", large, methods=["PUT"]),
        Route("/v1/closed", closed, methods=["GET"]),
        Route("/v1/broken", break_down),
        Route("/v1/full", disk),
    ]
    with served(routes, has_key=has_key) as found:
        yield found


def header(url: str, *, body: bytes = b"", method: str = "POST", late_ms: int = 0) -> str:
    """A header for one request."""
    return sign_request(
        KEY,
        method=method,
        url=url,
        body_hash=sha256(body).digest(),
        account=ACCOUNT,
        now_ms=now_ms() - late_ms,
    )


def post(url: str, text: str, body: bytes = b"") -> httpx2.Response:
    """A request with a header that was made before."""
    return httpx2.post(url, headers={HEADER: text}, content=body)


def test_a_service_knows_who_asks_by_the_signature(url: str) -> None:
    """Given a key of an account
    When it asks as the account, and as itself
    Then the service knows both, and the body that was signed.
    """
    with httpx2.Client(base_url=url, auth=SigningAuth(KEY, ACCOUNT)) as client:
        found = client.post("/v1/echo?q=1%2F2", content=b"hello").json()
    assert found == {"account": ACCOUNT, "key": KEY.public_key.hex(), "body": "hello"}
    with httpx2.Client(base_url=url, auth=SigningAuth(KEY)) as client:
        assert client.get("/v1/echo").json()["account"] is None


def test_a_request_is_carried_out_once(url: str) -> None:
    """Given a request that was answered
    When the same bytes are sent again
    Then they are refused, by 409.
    """
    at = url + "/v1/echo"
    text = header(at, body=b"x")
    assert post(at, text, b"x").status_code == 200
    again = post(at, text, b"x")
    assert again.status_code == 409
    assert again.headers["content-type"] == "application/problem+json"
    assert again.json()["title"] == "Conflict"


def test_what_was_altered_on_the_way_is_refused_and_the_true_one_still_taken(url: str) -> None:
    """Given a signed request
    When its body, method, query or signature is another one
    Then it is refused, and the request as it was signed is taken afterwards.
    """
    at = url + "/v1/echo"
    text = header(at, body=b"true")
    assert post(at, text, b"false").status_code == 401
    assert post(at + "?a=1", text, b"true").status_code == 401
    assert httpx2.put(at, headers={HEADER: text}, content=b"true").status_code == 401
    assert post(at, text[:-4] + "AAAA", b"true").status_code == 401
    assert post(at, "nonsense", b"true").status_code == 401
    assert post(at, text, b"true").status_code == 200


def test_a_request_is_good_in_its_time_and_at_its_service_alone(url: str) -> None:
    """Given requests that have ended, end too late, or are for another service
    When they are sent
    Then they are refused.
    """
    at = url + "/v1/echo"
    assert "has ended" in post(at, header(at, late_ms=60_001)).json()["detail"]
    assert "ends within" in post(at, header(at, late_ms=-300_000)).json()["detail"]
    other = header("https://other.example/v1/echo")
    assert "another service" in post(at, other).json()["detail"]


def test_a_key_that_is_not_the_account_s_is_refused(url: str) -> None:
    """Given a key that no account has
    When it asks as an account
    Then it is refused, and so is who signs nothing or twice.
    """
    with httpx2.Client(base_url=url, auth=SigningAuth(STRANGER, ACCOUNT)) as client:
        assert client.get("/v1/echo").status_code == 401
    assert httpx2.get(url + "/v1/echo").status_code == 401
    two = [(HEADER, header(url + "/v1/echo", method="GET")) for _ in range(2)]
    assert httpx2.get(url + "/v1/echo", headers=two).status_code == 401


def test_a_body_has_its_limit_told_or_not(url: str) -> None:
    """Given a limit of 1,000 bytes
    When a longer body is sent, with its length or in pieces
    Then it is refused by 413.
    """
    at = url + "/v1/echo"
    body = bytes(LIMIT + 1)
    assert post(at, header(at, body=body), body).status_code == 413
    text = header(at, body=body)
    parts = iter([body[:600], body[600:]])
    assert httpx2.post(at, headers={HEADER: text}, content=parts).status_code == 413


def test_a_large_body_goes_into_a_file_that_goes_with_the_request(url: str, spool: Path) -> None:
    """Given a body of 5 MB
    When it is sent, once as signed and once altered
    Then the service has it in a file, refuses the other, and no file stays.
    """
    at = url + "/v1/large"
    body = b"ab" * 2_500_000
    found = httpx2.put(at, headers={HEADER: header(at, body=body, method="PUT")}, content=body)
    assert found.json()["hash"] == sha256(body).hexdigest()
    text = header(at, body=body, method="PUT")
    assert httpx2.put(at, headers={HEADER: text}, content=body[:-1] + b"c").status_code == 401
    assert list(spool.glob(f"{SPOOLED}*")) == []


def test_errors_are_problem_documents_without_secrets(
    url: str, capfd: pytest.CaptureFixture[str]
) -> None:
    """Given handlers that break, refuse by a rule, or find the disk full
    When they are asked
    Then the answers are problem documents; no text of an error is told.
    """
    broken = httpx2.get(url + "/v1/broken")
    assert (broken.status_code, broken.json()["title"]) == (500, "Internal Server Error")
    assert "secret" not in broken.text
    assert httpx2.get(url + "/v1/full").status_code == 507
    assert httpx2.get(url + "/v1/nowhere").json()["status"] == 404
    with httpx2.Client(base_url=url, auth=SigningAuth(KEY)) as client:
        assert client.get("/v1/closed").json()["number"] == 7
    assert "tongbao-request-id" in broken.headers


def test_a_head_that_is_too_long_is_cut_off(url: str) -> None:
    """Given a connection
    When it sends headers without an end
    Then it is closed before they fill memory.
    """
    parts = urlsplit(url)
    with socket.create_connection((parts.hostname, parts.port), timeout=30) as raw:
        raw.sendall(b"GET /v1/echo HTTP/1.1\r\n")
        with pytest.raises(OSError, match=r"reset|Broken|aborted"):
            raw.sendall(b"x-a: " + b"a" * 50_000_000)


def test_nonces_outlive_a_restart(tmp_path: Path) -> None:
    """Given a service that keeps its nonces in a file
    When it is started anew under the same origin, and an old request is sent again
    Then it is refused.
    """
    routes = [Route("/v1/echo", echo, methods=["POST"])]
    keep = tmp_path / "nonces"
    with served(routes, has_key=has_key, nonces=keep) as first:
        text = header(first + "/v1/echo")
        assert post(first + "/v1/echo", text).status_code == 200
    origin = first
    with served(routes, has_key=has_key, nonces=keep, origin=origin) as second:
        assert post(second + "/v1/echo", text).status_code == 409


def test_other_machines_are_served_with_tls_alone(tmp_path: Path) -> None:
    """Given a certificate, and an address that others can reach
    When a service is begun there without it, and here with it
    Then the first is refused, and the second is reached by https.
    """
    with pytest.raises(InTheClear):
        run_service(None, "0.0.0.0")  # type: ignore[arg-type]  # noqa: S104
    certificate, key = tmp_path / "certificate.pem", tmp_path / "key.pem"
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=here",
         "-addext", "subjectAltName=IP:127.0.0.1"],
        check=True, capture_output=True,
    )  # fmt: skip
    trusted = ssl.create_default_context(cafile=certificate)
    routes = [Route("/v1/echo", echo, methods=["GET"])]
    with (
        served(routes, has_key=has_key, tls=Tls(certificate, key)) as url,
        httpx2.Client(base_url=url, auth=SigningAuth(KEY, ACCOUNT), verify=trusted) as client,
    ):
        assert url.startswith("https://")
        assert client.get("/v1/echo").json()["account"] == ACCOUNT
