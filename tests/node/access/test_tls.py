"""TLS: what is agreed on and what is not, slow hands, renewed certificates, callers' own."""

from __future__ import annotations

import select
import socket
import ssl
import threading
from pathlib import Path

import httpx2
import pytest

from tests.node.access.authority import Authority
from tests.node.conftest import Served, serving
from tongbao.node.access.tls import Contexts, account_of, make_context
from tongbao.node.settings import Settings, SettingsError, load
from tongbao.sdk.http import HttpChain

EVERYWHERE = "0.0.0.0"  # noqa: S104
OLD_CIPHERS = "AES128-SHA:AES256-GCM-SHA384"
"""Without authenticated encryption, and without forward secrecy."""


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    """An authority of this test's own."""
    return Authority(tmp_path)


def shake(served: Served, context: ssl.SSLContext) -> str | None:
    """Shake hands; the version that was agreed on."""
    with (
        served.connect() as plain,
        context.wrap_socket(plain, server_hostname="127.0.0.1") as safe,
    ):
        return safe.version()


def test_a_node_with_a_certificate_is_asked_over_tls_alone(authority: Authority) -> None:
    """
    Given a node with a certificate,
    when it is asked over TLS, paid, and asked in the clear,
    then it answers the first two as ever, and hangs up on the third.
    """
    trusted = authority.trusted()
    with serving(**authority.for_node().settings(), trusted=trusted) as served:
        with HttpChain(served.address, tls=trusted) as chain:
            assert chain.submit(served.fixed.pay("1.00")).height == 2
        assert served.address.startswith("https://")
        assert shake(served, trusted) == "TLSv1.3"
        with pytest.raises(httpx2.RequestError):
            httpx2.get(served.address.replace("https", "http") + "/v1")
        with pytest.raises(httpx2.ConnectError):
            httpx2.get(served.address + "/v1")  # by authorities that do not know ours


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion:DeprecationWarning")
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1_1])
def test_nobody_agrees_on_an_old_version(authority: Authority, version: ssl.TLSVersion) -> None:
    """
    Given a client that has no newer version than TLS 1.1,
    when it shakes hands, and then with TLS 1.2 as well,
    then the node does not, and does.
    """
    context = authority.trusted()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = version
    context.set_ciphers("ALL:@SECLEVEL=0")  # else the client would not even ask
    settings = authority.for_node().settings()
    with serving(**settings, trusted=authority.trusted()) as served:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake(served, context)
        context.maximum_version = ssl.TLSVersion.TLSv1_2
        assert shake(served, context) == "TLSv1.2"


def test_of_tls_1_2_only_sound_ciphers_are_taken(authority: Authority) -> None:
    """
    Given clients that speak TLS 1.2,
    when one has only ciphers without forward secrecy, and another has sound ones,
    then the node shakes hands with the second alone.
    """
    old, sound = authority.trusted(), authority.trusted()
    for context in (old, sound):
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    old.set_ciphers(OLD_CIPHERS)
    with serving(**authority.for_node().settings(), trusted=authority.trusted()) as served:
        with pytest.raises((ssl.SSLError, ConnectionError)):
            shake(served, old)
        assert shake(served, sound) == "TLSv1.2"


def test_who_shakes_hands_slowly_is_hung_up_on(authority: Authority) -> None:
    """
    Given a node that gives a request 200 ms,
    when somebody connects and says nothing, or stops in the middle of a handshake,
    then it hangs up on both, and answers others meanwhile.
    """
    pair = authority.for_node()
    with (
        serving(**pair.settings(), trusted=authority.trusted(), request_ms=200) as served,
        served.connect() as silent,
        served.connect() as half,
    ):
        half.sendall(b"\x16\x03\x01\x02\x00\x01")  # the beginning of a ClientHello
        assert served.client.get("/v1").status_code == 200
        for connection in (silent, half):
            assert is_hung_up_on(connection)


def is_hung_up_on(connection: socket.socket) -> bool:
    """Whether the other side ends a connection, with an alert before it or without."""
    try:
        while connection.recv(4_096):
            pass
    except ConnectionResetError:
        return True
    return True


def test_those_who_shake_hands_count_among_the_connections(authority: Authority) -> None:
    """
    Given a node that takes one connection (and 100 that ask for its health),
    when 150 connect and never shake hands,
    then those above its limit are hung up on at once, and not after their time.
    """
    pair = authority.for_node()
    with serving(**pair.settings(), trusted=authority.trusted(), connections=1) as served:
        served.client.close()
        waiting = [served.connect() for _ in range(150)]
        gone: set[int] = set()
        while len(gone) < 47:
            ready, _, _ = select.select(
                [one for one in waiting if one.fileno() not in gone], [], [], 5
            )
            assert ready, "connections above the limit stay open"
            gone |= {one.fileno() for one in ready}
        for one in waiting:
            one.close()


def test_a_renewed_certificate_is_shown_without_a_restart(authority: Authority) -> None:
    """
    Given the context of a node,
    when its certificate is being replaced, first the one file and then the other,
    then the one before goes on in between, and the new one is taken afterwards.
    """
    pair = authority.for_node()
    contexts = Contexts(Settings(**pair.settings()))
    before = contexts.now()
    renewed = authority.for_node("renewed")

    pair.certificate.write_bytes(renewed.certificate.read_bytes())
    assert not contexts.look()
    assert contexts.now() is before
    pair.key.write_bytes(renewed.key.read_bytes())
    assert contexts.look()
    assert contexts.now() is not before


def test_a_callers_certificate_names_who_calls(authority: Authority) -> None:
    """
    Given a node for members that knows an authority,
    when somebody calls with a certificate for Alice of it, of another authority, or without,
    then the first reads what is Alice's and not the shop's, the second can't connect, and the
    third is asked who calls, but may ask for the node's health.
    """
    other = Authority(authority.file.parent, "other")
    node = authority.for_node()
    settings = {**node.settings(), "tls_client_ca": str(authority.file), "read_policy": "members"}
    with serving(**settings, trusted=authority.trusted()) as served:
        fixed = served.fixed
        did = f"did:tongbao:{served.chain.id}:{fixed.alice}"
        known = authority.trusted(authority.for_caller(did))
        stranger = authority.trusted(other.for_caller(did, name="stranger"))
        with httpx2.Client(base_url=served.address, verify=known) as alice:
            assert alice.get(f"/v1/accounts/{fixed.alice}/holdings").status_code == 200
            assert alice.get(f"/v1/accounts/{fixed.shop}/holdings").status_code == 403
            assert alice.get(f"/accounts/{fixed.alice}").status_code == 200  # a page
        with pytest.raises(httpx2.RequestError):
            httpx2.get(f"{served.address}/v1", verify=stranger)
        assert served.client.get("/v1").status_code == 401
        assert served.client.get("/readyz").status_code == 200


def test_a_certificate_names_one_account_of_this_chain() -> None:
    """
    Given the names in verified certificates,
    when it is asked which account calls,
    then it is the one of this chain, and nobody where there is none, another chain's or several,
    or what no account has for a name.
    """
    first, second = "a1" * 20, "b2" * 20
    mine, others = f"did:tongbao:here:{first}", f"did:tongbao:there:{first}"

    def asked(*uris: str) -> str:
        return account_of({"subjectAltName": tuple(("URI", uri) for uri in uris)}, "here")

    assert asked(mine) == asked(mine, "https://bank.example") == first
    both = asked(mine, f"did:tongbao:here:{second}")
    assert [asked(), asked(others), both, account_of(None, "here")] == [""] * 4
    assert [asked(f"did:tongbao:here:{name}") for name in ("alice", "", f"{first}0")] == [""] * 3


@pytest.mark.parametrize(
    ("flags", "said"),
    [
        ({"tls_certificate": "node.crt"}, "go together"),
        ({"tls_key": "node.key"}, "go together"),
        ({"tls_client_ca": "ca.pem"}, "needs TLS"),
        ({"read_policy": "members", "host": EVERYWHERE}, "needs TLS"),
        ({"read_policy": "members", "host": "::"}, "needs TLS"),
        ({"read_policy": "members", "host": "ledger.example"}, "needs TLS"),
    ],
)
def test_settings_of_tls_that_do_not_go_together_are_refused(
    flags: dict[str, str], said: str
) -> None:
    """
    Given settings that lack what they need, or would send keys and tokens in the clear,
    when they are loaded,
    then they are refused with what to give; members on this machine, or behind a proxy, are not.
    """
    with pytest.raises(SettingsError, match=said):
        load(None, {}, flags)
    load(None, {}, {"read_policy": "members", "host": "::1"})
    load(None, {}, {"read_policy": "members", "host": EVERYWHERE, "behind_tls_proxy": "true"})


def test_files_that_are_no_certificate_are_told(authority: Authority, tmp_path: Path) -> None:
    """
    Given a file that is not there, one that is no PEM, and a key of another certificate,
    when a context is made of them,
    then the error names the files and says what to give.
    """
    good, other = authority.for_node(), authority.for_node("other-node")
    nonsense = tmp_path / "nonsense"
    nonsense.write_text("no certificate")
    for certificate, key in (
        (tmp_path / "missing", good.key),
        (nonsense, good.key),
        (good.certificate, other.key),
    ):
        given = Settings(tls_certificate=str(certificate), tls_key=str(key))
        with pytest.raises(SettingsError, match="give a PEM file"):
            make_context(given)


def test_many_shake_hands_at_once(authority: Authority) -> None:
    """
    Given a node that speaks TLS,
    when eight clients connect and ask at the same moment,
    then each has its answer, whatever came together with the end of a handshake.
    """
    trusted = authority.trusted()
    answers: list[int] = []
    with serving(**authority.for_node().settings(), trusted=trusted) as served:

        def ask() -> None:
            path = f"{served.address}/livez"
            answers.extend(httpx2.get(path, verify=trusted).status_code for _ in range(10))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    assert answers == [200] * 80
