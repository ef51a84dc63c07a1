"""What callers write is never taken for markup, for lines of a log, or for names of files."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Final

import httpx2
import pytest
from websockets.exceptions import InvalidStatus
from websockets.sync.client import connect
from websockets.typing import Origin

from tests.node.conftest import Served, serving
from tests.node.process import Ground, lay, running
from tests.node.test_door import talk
from tests.node.test_submitting import problem
from tests.sdk.kept_chain import CNY
from tongbao.node.problems import DETAIL_LIMIT

CANARY: Final = "Wilhelmina-Canary-1969"
SCRIPT: Final = "<script>alert(1)</script>"
NASTY: Final = (
    SCRIPT,
    '"><img src=x onerror=alert(1)>',
    "=cmd|' /C calc'!A0",
    "a\r\nSet-Cookie: x=1",
    '\n{"event": "forged", "level": "info"}',
    "\u202egnp.exe\u2066",
    "\x1b[31mred\x1b[0m",
    "..%2f..%2fetc%2fpasswd",
    "' OR 1=1 --",
    "${jndi:ldap://x}",
    "{{7*7}}",
    "\x00",
    "<b>" * 500,
)


@pytest.mark.parametrize("text", NASTY)
def test_nothing_that_a_caller_writes_comes_back_as_markup(served: Served, text: str) -> None:
    """
    Given markup, formulas, line ends, control and bidirectional characters, paths and templates,
    when they stand in paths, parameters, cursors, headers and bodies,
    then each answer is a problem in JSON that no browser takes for a page, its headers are its
    own, and text of the caller's in it is short and escaped.
    """
    get, post = served.client.get, served.client.post
    bank = served.fixed.bank
    jose = {"content-type": "application/jose"}
    plain = text.encode("ascii", "replace").decode().translate(dict.fromkeys(range(32), "_"))
    answers = [
        get("/v1/rows/asset.holdings", params={"key": [text, text]}),
        get("/v1/reasons/1", params={text: "1"}),
        get("/v1/asset/held-by", params={"account": text}),
        get("/v1/asset/held-by", params={"account": bank, "after": text}),
        get("/v1/events", params={"after": text}),
        get("/v1/events", params={"type": text}),
        get("/v1/events", headers={"last-event-id": plain}),
        get("/v1/blocks", params={"before": text}),
        post("/v1/transactions", content=text.encode(), headers=jose),
        post("/v1/transactions", content=text.encode(), headers={"content-type": plain}),
        post("/v1/transactions", params={"wait": text}, content=b"x", headers=jose),
        post("/v1/transactions", json={"transactions": [text], text: 1}),
        post("/v1/dry-runs", json={text: text}),
    ]
    for answer in answers:
        assert 400 <= answer.status_code < 500, (answer.url, answer.text)
        problem(answer, answer.status_code)
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert "set-cookie" not in answer.headers
        assert answer.text.isascii() and answer.text.isprintable()
        assert not set("<>&") & set(answer.text)
        assert len(answer.json().get("detail", "")) <= DETAIL_LIMIT + len("...")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/../etc/passwd",
        "/v1/%2e%2e/%2e%2e/etc/passwd",
        "//evil.example/v1",
        "/v1/blocks/1/../../../metrics",
        "/v1/blocks/1%2f..%2f2",
        "/v1/rows/kernel.nonces%00.txt?key=x",
        "/v1;/blocks",
        "/v1/blocks/1;x=1",
        "/v1/blocks/%D9%A1",
        "/V1",
        "/v1/blocks/01",
        "/v1/blocks/+1",
        "/v1/blocks/1?before=1",
        "/v1/blocks?limit=1&limit=1",
        "/v1/blocks?height=1",
        "/v1/events?after=1.0&after=2.0",
        "/v1/events?after=%D9%A1.0",
        "/v1/events?after=-1.0",
        "/v1/events?after=1.00000000000",
        "/v1/events?after=99999999999999999999.0",
        "/v1?min_height=9007199254740992",
        "/v1?min_height=1.0",
        "/v1?min_height=true",
    ],
)
def test_paths_and_parameters_have_one_spelling(served: Served, path: str) -> None:
    """
    Given a path that climbs or hides, or a parameter in another spelling, twice or out of place,
    when it is asked for as it stands,
    then it is 400 or 404, and nothing else is shown.
    """
    with served.connect() as connection:
        head = f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
        answer = talk(connection, head.encode())
    assert answer[:12] in (b"HTTP/1.1 400", b"HTTP/1.1 404"), answer
    assert b"application/problem+json" in answer


def test_a_cursor_of_another_query_or_changed_is_refused(served: Served) -> None:
    """
    Given cursors: another query's, one with a changed byte, a cut one, one of another account,
    when a page is asked for with them,
    then each is refused or begins a page of the asked account alone; nobody reads past the query.
    """
    fixed = served.fixed
    held = f"/v1/accounts/{fixed.alice}/holdings"
    place = served.client.get(held).json()["rows"][0]["key"]
    for cursor in ("00", "ff" * 30, fixed.alice, fixed.alice[:-2] + "zz", "ab" * 600, "AB" * 20):
        answer = served.client.get(held, params={"after": cursor})
        if answer.status_code == 200:
            assert all(row["key"][0] == place[0] for row in answer.json()["rows"])
        else:
            problem(answer, 400)


def test_hosts_and_origins_of_others_are_kept_out() -> None:
    """
    Given a node that allows one origin,
    when requests name two hosts, a host with a user or a strange port, the origin `null`, or an
    origin that begins or ends like ours, over HTTP or a WebSocket,
    then none of them gets in, and no answer may be read by such a page.
    """
    friend = "https://bank.example"
    with serving(allowed_origins=[friend]) as served:
        for hosts in ("localhost\r\nHost: localhost", "localhost\r\nHost: evil.example"):
            with served.connect() as connection:
                head = f"GET /v1 HTTP/1.1\r\nHost: {hosts}\r\nConnection: close\r\n\r\n"
                assert talk(connection, head.encode()).startswith(b"HTTP/1.1 400 ")
        for host in ("localhost:80@evil.example", "localhost:x", "x.localhost", "[::1", "127.1"):
            problem(served.client.get("/v1", headers={"host": host}), 421)
        own = served.address.removeprefix("http://")
        for origin in (
            "null",
            "",
            f"{friend}.evil.example",
            "https://evil-bank.example",
            "file://",
        ):
            headers = {"origin": origin, "content-type": "application/jose"}
            problem(served.client.post("/v1/transactions", content=b"x", headers=headers), 403)
            read = served.client.get("/v1", headers={"origin": origin})
            asked = {"origin": origin, "access-control-request-method": "POST"}
            preflight = served.client.options("/v1/transactions", headers=asked)
            for answer in (read, preflight):
                assert "access-control-allow-origin" not in answer.headers
                assert answer.headers["vary"] == "Origin"
            with pytest.raises(InvalidStatus) as refused:
                connect(f"ws://{own}/v1/events/socket", origin=Origin(origin))
            assert refused.value.response.status_code == 403
        with connect(f"ws://{own}/v1/events/socket", origin=Origin(friend)):
            pass


@pytest.fixture
def ground(tmp_path: Path) -> Ground:
    """A folder with a chain, closed."""
    return lay(tmp_path / "chain")


def test_logs_and_metrics_tell_nothing_of_anybody(ground: Ground) -> None:
    """
    Given a node that logs all it can,
    when names, addresses, markup and line ends stand in paths, parameters, headers, references,
    bodies and WebSockets of good and bad requests,
    then each line of the log is one JSON object with known members, and neither the log nor the
    metrics hold anything of what was sent, an account, or a caller's address.
    """
    reference = "Wilhelmina-Canary-1969"
    with running(ground.folder, "--log-level", "debug") as node:
        paid = node.send(ground.payment(0, 1, reference)).json()["id"]
        assert CANARY in node.client.get(f"/v1/transactions/{paid}").text
        for text in (*NASTY, CANARY):
            plain = text.encode("ascii", "replace").decode().translate(dict.fromkeys(range(32)))
            nasty = {"user-agent": plain + CANARY, "x-forwarded-for": CANARY, "referer": plain}
            account = {"account": text + CANARY}
            node.client.get("/v1/asset/held-by", params=account, headers=nasty)
            node.client.get(f"/{CANARY}", headers=nasty | {"cookie": CANARY})
            node.client.post("/v1/transactions", content=(text + CANARY).encode(), headers=nasty)
            node.send(text.encode() + CANARY.encode())
        socket = node.address.replace("http", "ws") + "/v1/events/socket"
        with connect(f"{socket}?account={ground.shop}", user_agent_header=CANARY) as listening:
            listening.send(CANARY)
            listening.send(CANARY.encode())
        with pytest.raises(InvalidStatus):
            connect(f"{socket}?after={CANARY}")
        with httpx2.Client(base_url=node.address) as raw:
            raw.get(f"/v1/accounts/{ground.shop}/did")
        metrics = node.client.get("/metrics").text
        assert node.stop() == 0
        log = node.log()
        lines = [line for line in node.text().splitlines() if not line.startswith("{")]

    starts = [line.split()[0] for line in lines]  # what it says to a person, not to a log
    assert starts == ["chain", "look"]
    known = {"event", "logger", "level", "timestamp", "operation", "status", "ms"}
    assert len(log) > 40
    assert {name for line in log for name in line} <= known
    assert {line["event"] for line in log} >= {"request"}
    told = json.dumps(log) + metrics
    for secret in ("anary", "127.0.0.1", "localhost", *ground.payers, ground.shop, CNY, paid):
        assert secret not in told
    assert "forged" not in told and "script" not in told and "\u202e" not in told
