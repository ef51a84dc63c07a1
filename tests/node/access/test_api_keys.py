"""API keys: made by an operator, told once, kept as hashes, looked at while a node runs."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from tests.fixed_chain import FixedChain, key
from tests.node.conftest import Served, serving
from tests.node.test_submitting import problem
from tongbao.node.access.api_keys import (
    FILE,
    KEYS_LIMIT,
    LONGEST_MS,
    ApiKey,
    KeyFile,
    KeysError,
    changing,
    new_key,
    read_keys,
)
from tongbao.node.access.callers import wall_clock_ms
from tongbao.node.access.needs import Scope
from tongbao.sdk.http import HttpChain

HOUR_MS = 3_600_000
ALICE, SHOP = FixedChain.alice, FixedChain.shop


def make(folder: Path, name: str, *scopes: Scope, **more: object) -> str:
    """A new key in a folder's file; its token."""
    options = {"now_ms": wall_clock_ms(), "life_ms": HOUR_MS, **more}
    made, token = new_key(name, scopes, **options)  # type: ignore[arg-type]
    with changing(folder) as keys:
        keys.append(made)
    return token


def asked(served: Served, token: str, path: str = "/v1") -> int:
    """What a node answers to a key."""
    headers = {"Authorization": f"Bearer {token}"}
    return served.client.get(path, headers=headers).status_code


def test_a_key_reads_what_its_scopes_say(tmp_path: Path) -> None:
    """
    Given keys with each of the scopes, and one with an account,
    when they ask for the chain, an account's holdings, and a whole block,
    then each has what its scope says, and the last one its account's as well.
    """
    tokens = [make(tmp_path, scope.value, scope) for scope in Scope]
    tokens.append(make(tmp_path, "alice", Scope.CHAIN, account=ALICE))
    mine, others = f"/v1/accounts/{ALICE}/holdings", f"/v1/accounts/{SHOP}/holdings"
    with serving(read_policy="members", keys=tmp_path / FILE) as served:
        paths = ("/v1", mine, others, "/v1/blocks/1")
        found = [[asked(served, token, path) for path in paths] for token in tokens]

    assert found == [
        [200, 403, 403, 403],
        [200, 200, 200, 403],
        [200, 200, 200, 200],
        [200, 200, 403, 403],
    ]


def test_a_key_works_from_when_it_is_made_until_it_is_revoked_or_ends(tmp_path: Path) -> None:
    """
    Given a node that runs,
    when a key is made, another one ends by the clock, and the first is revoked,
    then each is taken while it is good, and refused with the reason before and after.
    """
    clock = [wall_clock_ms()]
    file = KeyFile(tmp_path / FILE)
    first = make(tmp_path, "first", Scope.CHAIN)
    assert file.find(first) is not None

    second = make(tmp_path, "second", Scope.CHAIN, life_ms=60_000)
    settings = {"read_policy": "members", "keys": tmp_path / FILE}
    with serving(now_ms=lambda: clock[0], **settings) as served:  # type: ignore[arg-type]
        assert (asked(served, first), asked(served, second)) == (200, 200)
        clock[0] += 2 * 60_000
        assert (asked(served, first), asked(served, second)) == (200, 401)
    with changing(tmp_path) as keys:
        keys[:] = [one for one in keys if one.name != "first"]
    with serving(**settings) as served:  # type: ignore[arg-type]
        assert asked(served, first) == 401


def test_the_file_is_the_owners_and_has_no_secret(tmp_path: Path) -> None:
    """
    Given a key that was made,
    when its file is looked at,
    then only the owner may read it, and what is told of the key is not in it.
    """
    token = make(tmp_path, "auditor", Scope.LEDGER)
    file = tmp_path / FILE

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert token.rpartition("_")[2] not in file.read_text()
    assert len(token.removeprefix("tongbao_key_")) == 43  # 256 bits


@pytest.mark.parametrize(
    "given",
    [
        "",
        "Basic YTpi",
        "Bearer",
        "Bearer nonsense",
        "Bearer tongbao_key_short",
        f"Bearer tongbao_key_{'A' * 43}",
        f"Bearer tongbao_session_{'A' * 43}",
    ],
)
def test_what_is_no_key_is_refused_under_either_policy(given: str) -> None:
    """
    Given a node that answers everybody,
    when somebody sends what is no key or session of it,
    then it says so, rather than take the caller for nobody; without the header it answers.
    """
    with serving() as served:
        answer = served.client.get("/v1", headers={"Authorization": given})
        said = problem(answer, 401)
        assert 'error="invalid_token"' in answer.headers["www-authenticate"]
        assert "AAAA" not in json.dumps(said)
        assert served.client.get("/v1").status_code == 200


def test_a_key_has_a_rate_of_its_own(tmp_path: Path) -> None:
    """
    Given a node that takes two requests a second from an address, and a key with five,
    when the key asks for more at once, and then somebody without a key,
    then the key is told to wait after five, and the other one has had nothing taken away.
    """
    token = make(tmp_path, "slow", Scope.CHAIN, rate_per_s=5)
    with serving(keys=tmp_path / FILE, rate_per_s=2) as served:
        found = [asked(served, token) for _ in range(20)]
        assert found[:5] == [200] * 5
        assert 429 in found
        assert served.client.get("/v1").status_code == 200


def test_clients_say_who_they_are_by_a_key(tmp_path: Path) -> None:
    """
    Given a node for members and a key for the whole ledger,
    when a client is made with it, and another one without,
    then the first reads and follows everything, and the second is told that it is not known.
    """
    token = make(tmp_path, "watcher", Scope.LEDGER)
    with serving(read_policy="members", keys=tmp_path / FILE) as served:
        with HttpChain(served.address, api_key=token) as chain:
            assert chain.head().height == 1
            assert next(chain.happenings("0.0")).cursor == "1.0"
        with pytest.raises(Exception, match="answers those whom it knows"):
            HttpChain(served.address)
    with pytest.raises(ValueError, match="not both"):
        HttpChain("http://127.0.0.1:1", api_key=token, session=(ALICE, key("alice")))


def test_a_file_that_can_not_be_read_lets_nobody_in(tmp_path: Path) -> None:
    """
    Given a file of keys that somebody has broken,
    when a node and a command read it,
    then the node knows nobody by it, and the command says what is wrong.
    """
    token = make(tmp_path, "first", Scope.CHAIN)
    for content in ('{"keys": [', '{"keys": [{"id": "1"}]}', "[]", " " * 1_048_577):
        (tmp_path / FILE).write_text(content)
        assert KeyFile(tmp_path / FILE).find(token) is None
        with pytest.raises(KeysError):
            read_keys(tmp_path / FILE)


def test_keys_are_within_limits(tmp_path: Path) -> None:
    """
    Given names, lives and accounts that no key can have, and one key too many,
    when they are made,
    then each is refused, and the file stays as it was.
    """
    for name, more in (
        ("", {}),
        ("Auditor", {}),
        ("a" * 65, {}),
        ("late", {"life_ms": 0}),
        ("long", {"life_ms": LONGEST_MS + 1}),
        ("nobody", {"account": "nobody"}),
        ("slow", {"rate_per_s": 0}),
    ):
        with pytest.raises(KeysError):
            make(tmp_path, name, Scope.CHAIN, **more)
    assert read_keys(tmp_path / FILE) == ()
    one, _ = new_key("one", (Scope.CHAIN,), 0, HOUR_MS)
    with pytest.raises(KeysError, match="at most"), changing(tmp_path) as keys:
        keys.extend([one] * (KEYS_LIMIT + 1))
    assert not (tmp_path / FILE).exists()
    assert isinstance(one, ApiKey)
