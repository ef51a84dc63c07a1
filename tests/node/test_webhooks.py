"""Webhooks: signed, in order, at least once, and only to where it is allowed."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.key_service import Certificates
from tests.node.conftest import Served
from tests.node.hook_receiver import SECRET, Receiver
from tongbao.node.webhooks.addresses import NotAllowed, address_for, is_public
from tongbao.node.webhooks.delivering import resend, run_webhooks
from tongbao.node.webhooks.endpoints import (
    Endpoint,
    Target,
    WebhookError,
    Webhooks,
    context_of,
    read_webhooks,
    secret_of,
    target_of,
)
from tongbao.node.webhooks.kept import FOLDER, Kept
from tongbao.node.webhooks.posting import NotDelivered, Poster, signature_of
from tongbao.sdk.http import HttpChain
from tongbao.store.errors import FolderInUse

FAR_S: Final = 60


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """An endpoint that takes what comes."""
    receiver = Receiver()
    yield receiver
    receiver.stop()


def endpoint(place: Path, receiver: Receiver, **members: object) -> Endpoint:
    """The endpoint of a receiver, which begins with block 1 and asks again at once."""
    secret = place / "secret"
    secret.write_bytes(SECRET + b"\n")
    url = f"http://127.0.0.1:{receiver.port}/hooks?for=desk"
    usual = {"name": "desk", "url": url, "after": "0.0", "attempts": 3, "first_pause_ms": 10}
    return Endpoint(secret_file=str(secret), **(usual | members))  # type: ignore[arg-type]


def all_of(*endpoints: Endpoint) -> Webhooks:
    """Endpoints on this machine."""
    return Webhooks(endpoint=endpoints, private_hosts=("127.0.0.1",))


def connecting(served: Served) -> Callable[[], HttpChain]:
    """How a node is met."""
    return lambda: HttpChain(served.address)


@contextmanager
def delivering(place: Path, webhooks: Webhooks, served: Served) -> Iterator[None]:
    """Deliver until the `with` statement ends."""
    stop = threading.Event()
    with ThreadPoolExecutor(1) as pool:
        running = pool.submit(run_webhooks, place, webhooks, connecting(served), stop)
        try:
            yield
        finally:
            stop.set()
        running.result()


def streamed(served: Served) -> list[str]:
    """The cursors that the event stream tells from block 1 on."""
    height = served.chain.head().height
    cursors = []
    for happening in served.chain.happenings("0.0"):
        cursors.append(happening.cursor)
        if happening.height == height:
            return cursors
    raise AssertionError("the chain was closed")


def test_an_endpoint_is_told_what_the_stream_tells_signed_and_in_order(
    served: Served, receiver: Receiver, tmp_path: Path
) -> None:
    """
    Given a chain with payments, some before and some while it is posted,
    when an endpoint has been told,
    then it was told each thing that the event stream tells, in its order, signed with its secret.
    """
    served.send(served.fixed.pay("1.00"))
    with delivering(tmp_path, all_of(endpoint(tmp_path, receiver)), served):
        for _ in range(5):
            served.send(served.fixed.pay("0.10"))
        wanted = streamed(served)
        assert receiver.await_told(len(wanted)) == wanted
    assert (receiver.wrong, len(wanted)) == ([], 7)
    told = receiver.told[-1]
    assert (told.cursor, told.host) == (told.happening.cursor, f"127.0.0.1:{receiver.port}")
    assert abs(int(told.timestamp) - time.time()) < FAR_S


def test_filters_are_those_of_the_event_stream(
    served: Served, receiver: Receiver, tmp_path: Path
) -> None:
    """
    Given an endpoint that wants what mentions the shop and is a movement,
    when other things happen as well,
    then it is told of those payments alone.
    """
    shop = str(served.fixed.shop)
    wanted = endpoint(tmp_path, receiver, account=shop, type="asset.moved")
    with delivering(tmp_path, all_of(wanted), served):
        served.send(served.fixed.place("1.00", for_ms=3_000_000))
        served.send(served.fixed.pay("0.10"))
        receiver.await_told(1)
    assert {one.happening.sender for one in receiver.told} == {str(served.fixed.alice)}


def test_a_new_endpoint_begins_with_what_happens_from_now_on(
    served: Served, receiver: Receiver, tmp_path: Path
) -> None:
    """
    Given an endpoint that says no cursor,
    when it is delivered to for the first time, and something happens,
    then it is told that, and nothing of before.
    """
    now = endpoint(tmp_path, receiver, after="")
    with delivering(tmp_path, all_of(now), served):
        kept = Kept(tmp_path / FOLDER, "desk")
        until = time.monotonic() + FAR_S
        while kept.cursor is None:
            assert time.monotonic() < until
        served.send(served.fixed.pay("0.10"))
        assert receiver.await_told(1) == ["2.0"]


def test_what_was_not_taken_comes_again_after_a_restart_and_nothing_is_lost(
    served: Served, receiver: Receiver, tmp_path: Path
) -> None:
    """
    Given an endpoint that is down for a while,
    when delivering is stopped and begun again meanwhile,
    then afterwards it has been told everything, in order.
    """
    patient = all_of(endpoint(tmp_path, receiver, attempts=50))
    for _ in range(3):
        served.send(served.fixed.pay("0.10"))
    wanted = streamed(served)
    with delivering(tmp_path, patient, served):
        receiver.await_told(1)
        receiver.status = 500
        served.send(served.fixed.pay("0.20"))
        receiver.await_refused(2)
    wanted = streamed(served)
    receiver.status = 200
    with delivering(tmp_path, patient, served):
        receiver.await_told(len(wanted))
    assert list(dict.fromkeys(receiver.await_told(0))) == wanted
    assert receiver.wrong == []


@pytest.mark.parametrize("status", [302, 404, 500])
def test_what_is_never_taken_becomes_a_dead_letter_that_can_be_sent_again(
    served: Served, receiver: Receiver, tmp_path: Path, status: int
) -> None:
    """
    Given an endpoint that refuses everything, also by sending elsewhere,
    when each has been tried as often as it says, then it takes again and the letters are sent,
    then each was a letter with the reason, is taken in order, and none is left.
    """
    hooks = all_of(endpoint(tmp_path, receiver))
    receiver.status = status
    served.send(served.fixed.pay("0.10"))
    wanted = streamed(served)
    with delivering(tmp_path, hooks, served):
        receiver.await_refused(3 * len(wanted))
        kept = Kept(tmp_path / FOLDER, "desk")
        until = time.monotonic() + FAR_S
        while kept.cursor != wanted[-1]:
            assert time.monotonic() < until
    letters = kept.letters()
    assert [letter.cursor for letter in letters] == wanted
    assert {letter.why for letter in letters} == {f"answered with status {status}"}
    assert resend(tmp_path, hooks, hooks.endpoint[0])[0] == 0
    receiver.status = 200
    assert resend(tmp_path, hooks, hooks.endpoint[0]) == (len(wanted), [])
    assert (receiver.await_told(len(wanted)), kept.letters()) == (wanted, [])


def test_a_slow_or_dead_endpoint_delays_nobody_else(
    served: Served, receiver: Receiver, tmp_path: Path
) -> None:
    """
    Given two endpoints of which one is not there,
    when payments are made,
    then the other is told of all of them at once.
    """
    nowhere = Receiver()
    nowhere.stop()
    hooks = all_of(
        endpoint(tmp_path, nowhere, name="gone", attempts=50, first_pause_ms=60_000),
        endpoint(tmp_path, receiver),
    )
    with delivering(tmp_path, hooks, served):
        served.send(served.fixed.pay("0.10"))
        wanted = streamed(served)
        assert receiver.await_told(len(wanted)) == wanted
    assert Kept(tmp_path / FOLDER, "gone").cursor == "0.0"


def test_two_at_once_do_not_deliver(served: Served, receiver: Receiver, tmp_path: Path) -> None:
    """
    Given a process that delivers,
    when another one is started on its folder,
    then it is refused.
    """
    hooks = all_of(endpoint(tmp_path, receiver))
    with delivering(tmp_path, hooks, served):
        receiver.await_told(1)
        with pytest.raises(FolderInUse):
            run_webhooks(tmp_path, hooks, connecting(served), threading.Event())


def test_internal_addresses_are_refused_in_every_spelling() -> None:
    """
    Given addresses of loopback, private, link-local and other networks, in IPv4 and IPv6,
    when they are judged,
    then none is public; those of the internet are.
    """
    internal = (
        *("127.0.0.1", "127.8.9.1", "10.1.2.3", "172.16.0.1", "192.168.1.1"),
        *("169.254.169.254", "100.64.0.1", "224.0.0.1", "255.255.255.255", "192.0.2.1"),
        *("::1", "::", "fe80::1", "fe80::1%eth0", "fd00::1", "ff02::1", "::ffff:127.0.0.1"),
        *("::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::1", "2001:db8::1", "no address"),
        *("fec0::1", "::7f00:1", "::127.0.0.1", "::ffff:0:7f00:1", "::ffff:0:10.0.0.1", "4000::1"),
    )
    assert [address for address in internal if is_public(address)] == []
    assert all(map(is_public, ("1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1")))


def target(receiver: Receiver, *, is_private: bool = False) -> Target:
    """A receiver under the name of a host."""
    return Target("http", "hooks.example", receiver.port, "/hooks", is_private)


def test_a_name_that_leads_inside_is_not_posted_to(receiver: Receiver) -> None:
    """
    Given a host whose name has a public address and one of this machine,
    when something is posted to it,
    then nothing is sent; named in the settings, the host is posted to at its first address.
    """

    def resolve(host: str, port: int) -> list[str]:
        return ["127.0.0.1", "1.1.1.1"]

    with (
        closing(Poster(target(receiver), SECRET, resolve)) as poster,
        pytest.raises(NotDelivered, match="private_hosts"),
    ):
        poster.post("1.0", b"{}")
    with pytest.raises(NotAllowed):
        address_for(target(receiver), resolve)
    assert (receiver.told, receiver.wrong) == ([], [])
    body = b'{"cursor":"1.0","height":1,"time":2}'
    with closing(Poster(target(receiver, is_private=True), SECRET, resolve)) as poster:
        poster.post("1.0", body)
    assert [one.host for one in receiver.told] == [f"hooks.example:{receiver.port}"]


def test_the_address_that_was_judged_is_the_one_that_is_connected_to(receiver: Receiver) -> None:
    """
    Given a name that resolves to another address at each question,
    when something is posted,
    then it is asked for once a message, and what it answered then is connected to.
    """
    answers = iter(["127.0.0.1", "127.0.0.2"])
    asked = []

    def resolve(host: str, port: int) -> list[str]:
        asked.append((host, port))
        return [next(answers)]

    poster = Poster(target(receiver, is_private=True), SECRET, resolve)
    poster.post("1.0", b'{"cursor":"1.0","height":1,"time":2}')
    assert asked == [("hooks.example", receiver.port)]
    with pytest.raises(NotDelivered, match="no answer"):
        poster.post("1.1", b"{}")  # nobody listens at the second address
    assert len(receiver.told) == 1
    poster.close()


def test_the_certificate_is_judged_by_the_hosts_name(tmp_path: Path) -> None:
    """
    Given an endpoint with a certificate for its name, at an address that the resolver gives,
    when it is posted to by that name, by another one, and under other authorities,
    then only the first message arrives.
    """
    certificates = Certificates(tmp_path / "certificates")
    served = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    served.load_cert_chain(*certificates.issue("hooks.example"))
    receiver = Receiver(context=served)
    trusting = ssl.create_default_context(cafile=str(certificates.authorities))
    body = b'{"cursor":"1.0","height":1,"time":2}'

    def post(host: str, context: ssl.SSLContext | None) -> None:
        there = Target("https", host, receiver.port, "/", is_private=True)
        with closing(Poster(there, SECRET, lambda *_: ["127.0.0.1"], context=context)) as poster:
            poster.post("1.0", body)

    post("hooks.example", trusting)
    for host, context in (("other.example", trusting), ("hooks.example", None)):
        with pytest.raises(NotDelivered, match="no answer: ConnectError"):
            post(host, context)
    assert [one.host for one in receiver.told] == [f"hooks.example:{receiver.port}"]
    receiver.stop()


def test_a_signature_is_of_the_time_and_the_body() -> None:
    """
    Given a secret,
    when a message is signed,
    then the signature is HMAC-SHA256 as openssl computes it, and changes with time and body.
    """
    # printf '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
    signed = signature_of(b"0123456789abcdef", "1700000000", b"{}")
    assert signed == "v1=e4f8e2ecae2295b2ddb2f0b5584c8275e226c0ebe9b3b819e70156bb67122e3e"
    assert signed != signature_of(b"0123456789abcdef", "1700000001", b"{}")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "endpoint"),
        ("endpoint = []", "length >= 1"),
        ("[[endpoint]", "Expected"),
        ('[[endpoint]]\nname = "A"\nurl = "https://a.example/"\nsecret_file = "s"', "name"),
        ('[[endpoint]]\nname = "a"\nurl = "ftp://a.example/"\nsecret_file = "s"', "https://HOST"),
        ('[[endpoint]]\nname = "a"\nurl = "http://a.example/"\nsecret_file = "s"', "private_hosts"),
        ('[[endpoint]]\nname = "a"\nurl = "https://b@a.example"\nsecret_file = "s"', "no name"),
        ('[[endpoint]]\nname = "a"\nurl = "https://a:x/"\nsecret_file = "s"', "is none"),
        (
            '[[endpoint]]\nname = "a"\nurl = "https://a.example"\nsecret_file = "s"\nafter = "1"',
            "no cursor",
        ),
        ('[[endpoint]]\nname = "a"\nurl = "https://a.example"\nsecret_file = "s"\nx = 1', "x"),
        ('[[endpoint]]\nname = "a"\nurl = "https://a.example"\nsecret_file = "s"\n' * 2, "named a"),
    ],
)
def test_a_file_of_endpoints_is_checked_whole(tmp_path: Path, text: str, why: str) -> None:
    """
    Given a file of endpoints with something wrong in it,
    when it is read,
    then the error says what, and nothing is sent.
    """
    file = tmp_path / "webhooks.toml"
    file.write_text(text)
    with pytest.raises(WebhookError, match=why):
        read_webhooks(file)


@pytest.mark.parametrize("named", ["erp.Internal", "ERP.internal"])
@pytest.mark.parametrize("url", ["http://ERP.internal/", "http://erp.internal"])
def test_a_private_host_is_named_in_any_letters(url: str, named: str) -> None:
    """
    Given the url of a host within our own network,
    when private_hosts name it in other letters,
    then it may be posted to.
    """
    assert target_of(Endpoint(name="erp", url=url, secret_file="s"), (named,)).is_private


def test_a_secret_that_is_missing_or_short_is_told(tmp_path: Path, receiver: Receiver) -> None:
    """
    Given an endpoint whose secret is not there, or too short to be one,
    when it is read,
    then the error says what to write.
    """
    short = endpoint(tmp_path, receiver)
    Path(short.secret_file).write_text("secret\n")
    with pytest.raises(WebhookError, match="less than 16 bytes"):
        secret_of(short)
    Path(short.secret_file).unlink()
    with pytest.raises(WebhookError, match="No such file"):
        secret_of(short)
    with pytest.raises(WebhookError, match="can't be used"):
        context_of(endpoint(tmp_path, receiver, authorities=str(tmp_path / "nothing.pem")))
    with pytest.raises(WebhookError, match="check the path"):
        read_webhooks(tmp_path / "nothing.toml")
