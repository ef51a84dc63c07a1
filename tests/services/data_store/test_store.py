"""A store over HTTP, a process of its own: it keeps what a space's key has signed, and no more."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from tests.services.data_store.store_process import (
    OWNER,
    SPACE,
    STRANGER,
    StoreProcess,
    chunks,
    data_store,
    lay,
    name_of,
    running,
)
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.sdk.data.store_client import (
    StoreAway,
    StoreClient,
    StoreRefused,
    leave_parcel,
)
from tongbao.sdk.signed_requests import HEADER, SigningAuth, now_ms, sign_request

TOKEN = b"t" * 32
ONE, TWO = name_of(1), name_of(2)


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StoreProcess]:
    """A store for all tests that leave it as it was."""
    folder = lay(tmp_path_factory.mktemp("stores") / "store")
    with running(folder) as found:
        yield found


@pytest.fixture
def own(tmp_path: Path) -> Iterator[StoreProcess]:
    """A store for one test."""
    with running(lay(tmp_path / "store")) as found:
        yield found


def status_of(store: StoreProcess, method: str, path: str, body: bytes = b"") -> int:
    """What a request that the owner has signed as it is sent is answered."""
    url = store.url + path
    digest = sha256(body).digest()
    text = sign_request(OWNER, method=method, url=url, body_hash=digest, now_ms=now_ms())
    return httpx2.request(method, url, content=body, headers={HEADER: text}).status_code


def test_a_store_gives_back_what_it_was_given(own: StoreProcess, tmp_path: Path) -> None:
    """Given a blob, in memory and in a file, and a wrapped key.

    When their owner asks for them, whole, in parts, and by pages of names
    Then they are as they were given
    """
    blob = chunks(5)
    file = tmp_path / "blob"
    file.write_bytes(chunks(3, seed=1))
    with own.client() as client:
        assert client.put_blob(ONE, blob) is True
        assert client.put_blob(ONE, blob) is False
        assert client.put_blob(TWO, file) is True
        assert client.get_blob(ONE) == blob
        part = client.get_blob(ONE, 1, 2)
        assert part == blob[SEALED_CHUNK_BYTES : 3 * SEALED_CHUNK_BYTES]
        assert client.get_blob(ONE, 4, 9) == blob[4 * SEALED_CHUNK_BYTES :]
        assert client.get_blob(ONE, 5) == b""
        assert client.save_blob(TWO, tmp_path / "copy") == file.stat().st_size
        assert (tmp_path / "copy").read_bytes() == file.read_bytes()
        assert [(one.name, one.size) for one in client.blobs()] == [
            (ONE, 5 * SEALED_CHUNK_BYTES),
            (TWO, 3 * SEALED_CHUNK_BYTES),
        ]
        client.put_key(ONE, b"w" * 40)
        client.put_key(ONE, b"v" * 40)
        assert client.get_key(ONE) == b"v" * 40
    about = httpx2.get(own.url + "/v1").json()
    assert about["service"] == "tongbao-data-store"


def test_a_blob_never_changes(own: StoreProcess) -> None:
    """Given a kept blob.

    When other bytes are put under its name
    Then they are refused by 409, and it is as it was
    """
    with own.client() as client:
        client.put_blob(ONE, chunks(1))
        with pytest.raises(StoreRefused) as refused:
            client.put_blob(ONE, chunks(1, seed=2))
        assert refused.value.status == 409
        assert client.get_blob(ONE) == chunks(1)


def test_a_space_is_another_s_secret(store: StoreProcess) -> None:
    """Given a space with a blob.

    When another key asks about it, signs with it, or asks about a space of its own
    Then the answer is 404, as for what is not there
    """
    with store.client() as client, store.client(STRANGER) as stranger:
        client.put_blob(name_of(7), chunks(1))
        for ask in (lambda: stranger.get_blob(name_of(7)), lambda: list(stranger.blobs())):
            with pytest.raises(StoreRefused) as refused:
                ask()
            assert refused.value.status == 404
    url = f"{store.url}/v1/spaces/{SPACE}/blobs/{name_of(7)}"
    with httpx2.Client(auth=SigningAuth(STRANGER)) as other:
        assert other.get(url).status_code == 404
        assert other.put(url, content=chunks(1)).status_code == 404
        assert other.delete(url).status_code == 404
    with httpx2.Client(auth=SigningAuth(OWNER, "ab" * 20)) as accounts:
        assert accounts.get(url).status_code == 401


def test_a_request_that_was_sent_before_or_altered_is_refused(store: StoreProcess) -> None:
    """Given a signed request to keep a blob.

    When its body is altered, its time is over, it is for another store, or it comes again
    Then it is refused: 401, and 409 for what was carried out
    """
    url = f"{store.url}/v1/spaces/{SPACE}/blobs/{name_of(8)}"
    digest = sha256(chunks(1)).digest()

    def put(body: bytes, text: str) -> int:
        return httpx2.put(url, content=body, headers={HEADER: text}).status_code

    now = now_ms()
    text = sign_request(OWNER, method="PUT", url=url, body_hash=digest, now_ms=now)
    late = sign_request(OWNER, method="PUT", url=url, body_hash=digest, now_ms=now - 61_000)
    there = f"https://other.example/v1/spaces/{SPACE}/blobs/{name_of(8)}"
    other = sign_request(OWNER, method="PUT", url=there, body_hash=digest, now_ms=now)
    assert put(chunks(1, seed=3), text) == 401
    assert put(chunks(1), late) == 401
    assert put(chunks(1), other) == 401
    assert put(chunks(1), text) == 201
    assert put(chunks(1), text) == 409


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/v1/spaces/{space}/blobs/..%2f..%2fstore.json", 404),
        ("/v1/spaces/{space}/blobs/%2e%2e", 400),
        ("/v1/spaces/{space}/blobs/" + "G" * 64, 400),
        ("/v1/spaces/{space}/blobs/" + "A" * 64, 400),
        ("/v1/spaces/{space}/blobs/" + "a" * 63, 400),
        ("/v1/spaces/{space}/blobs/" + "a" * 64 + "%0a", 400),
        ("/v1/spaces/..%2e/blobs/" + "a" * 64, 400),
        ("/v1/spaces/{space}/store/" + "a" * 64, 404),
        ("/v1/spaces/{space}/blobs/{one}?from=-1", 400),
        ("/v1/spaces/{space}/blobs/{one}?from=01", 400),
        ("/v1/spaces/{space}/blobs/{one}?from=1&from=1", 400),
        ("/v1/spaces/{space}/blobs/{one}?more=1", 400),
        ("/v1/spaces/{space}/blobs/{one}?from=2", 416),
        ("/v1/spaces/{space}/blobs?after=..", 400),
    ],
)
def test_paths_lead_nowhere_else(store: StoreProcess, path: str, status: int) -> None:
    """Given a store.

    When paths, names and parameters are crooked
    Then each is refused, whoever has signed it
    """
    with store.client() as client:
        client.put_blob(name_of(9), chunks(1))
    asked = path.format(space=SPACE, one=name_of(9))
    assert status_of(store, "GET", asked) == status


def test_what_is_no_chunks_and_no_key_is_refused(store: StoreProcess) -> None:
    """Given a store.

    When a blob is not of whole chunks or empty, or a key has not 40 bytes
    Then each is refused
    """
    space = f"/v1/spaces/{SPACE}"
    assert status_of(store, "PUT", f"{space}/blobs/{name_of(10)}", b"") == 400
    assert status_of(store, "PUT", f"{space}/blobs/{name_of(10)}", bytes(100)) == 400
    assert status_of(store, "PUT", f"{space}/keys/{name_of(10)}", bytes(39)) == 400
    assert status_of(store, "PUT", f"{space}/keys/{name_of(10)}", bytes(41)) == 413
    assert status_of(store, "GET", f"{space}/blobs", b"body") == 413
    with store.client() as client, pytest.raises(StoreRefused, match="nothing here"):
        client.get_blob(name_of(10))


def test_a_quota_holds_for_bytes_and_for_names(tmp_path: Path) -> None:
    """Given a space that may keep four chunks and two names.

    When more is put, told by its length or only by its bytes
    Then it is refused by 507, and erasing makes room
    """
    folder = lay(tmp_path / "store")
    size = str(4 * SEALED_CHUNK_BYTES)
    data_store("space", "add", SPACE, "--bytes", size, "--names", "2", "--folder", str(folder))
    with running(folder) as store, store.client() as client:
        client.put_blob(ONE, chunks(3))
        for count in (2, 40):
            with pytest.raises(StoreRefused) as refused:
                client.put_blob(TWO, chunks(count))
            assert refused.value.status == 507
        client.put_blob(TWO, chunks(1))
        assert client.put_blob(ONE, chunks(3)) is False
        with pytest.raises(StoreRefused, match="507"):
            client.put_blob(name_of(3), chunks(1))
        client.delete_blob(ONE)
        client.put_blob(name_of(3), chunks(3))
        for number in (1_001, 1_002):
            client.put_key(name_of(number), b"k" * 40)
        with pytest.raises(StoreRefused, match="names"):
            client.put_key(name_of(1_003), b"k" * 40)


def test_two_clients_at_once_put_one_blob(own: StoreProcess) -> None:
    """Given two clients with different blobs for one name.

    When both put at once, many times
    Then one is kept whole each time, and the other refused
    """

    def put(number: int, seed: int) -> bool:
        with own.client() as client:
            try:
                return client.put_blob(name_of(number), chunks(4, seed))
            except StoreRefused as error:
                if error.status != 409:
                    raise
                return False

    with ThreadPoolExecutor(4) as pool, own.client() as client:
        for number in range(10):
            both = list(pool.map(put, [number, number], [1, 2]))
            assert sorted(both) == [False, True]
            assert client.get_blob(name_of(number)) == chunks(4, 1 + both.index(True))


def test_an_open_store_serves_every_space_and_a_listed_one_when_it_runs(tmp_path: Path) -> None:
    """Given an open store, and one that lists spaces.

    When a stranger puts a blob, and the operator takes a space off the list and on again
    Then the open one takes it; the other serves who is listed now
    """
    with (
        running(lay(tmp_path / "open", "--open")) as store,
        store.client(STRANGER) as stranger,
    ):
        assert stranger.put_blob(ONE, chunks(1))
    folder = lay(tmp_path / "listed")
    with running(folder) as store, store.client() as client:
        client.put_blob(ONE, chunks(1))
        data_store("space", "remove", SPACE, "--folder", str(folder))
        while True:  # it looks once a second
            try:
                client.get_blob(ONE)
            except StoreRefused as error:
                if error.status != 404:
                    raise
                break
        data_store("space", "add", SPACE, "--folder", str(folder))
        while True:
            try:
                assert client.get_blob(ONE) == chunks(1)
            except StoreRefused:
                continue
            break


def test_parcels_are_left_by_who_knows_the_token_and_fetched_by_the_owner(
    own: StoreProcess,
) -> None:
    """Given a token that the owner has allowed.

    When parcels are left, again, and fetched and removed
    Then each is there once, under its hash, and does not come back
    """
    parcel = b"sealed for one reader"
    name = sha256(parcel).hexdigest()
    with own.client() as client:
        client.allow_drop(TOKEN)
        client.allow_drop(TOKEN)
        assert leave_parcel(own.url, SPACE, TOKEN, parcel) == name
        assert leave_parcel(own.url, SPACE, TOKEN, parcel) == name
        assert [(one.name, one.size) for one in client.inbox()] == [(name, len(parcel))]
        assert client.get_parcel(name) == parcel
        assert client.delete_parcel(name).name == name
        assert list(client.inbox()) == []
        assert leave_parcel(own.url, SPACE, TOKEN, parcel) == name
        assert list(client.inbox()) == []


def test_a_wrong_or_withdrawn_token_leaves_nothing(own: StoreProcess) -> None:
    """Given a token that was withdrawn, another one, and a space that is not served.

    When somebody would leave a parcel by it, or fetch one
    Then it is refused by 403 each time, and a withdrawn token is never allowed again
    """
    other = STRANGER.public_key.hex()
    with own.client() as client:
        client.allow_drop(TOKEN)
        for space, token in ((SPACE, b"u" * 32), (other, TOKEN)):
            with pytest.raises(StoreRefused) as refused:
                leave_parcel(own.url, space, token, b"parcel")
            assert refused.value.status == 403
        receipt = client.forbid_drop(TOKEN)
        assert client.forbid_drop(TOKEN) == receipt
        with pytest.raises(StoreRefused, match="403"):
            leave_parcel(own.url, SPACE, TOKEN, b"parcel")
        with pytest.raises(StoreRefused, match="410"):
            client.allow_drop(TOKEN)
    headers = {"authorization": f"Drop {TOKEN.hex()}"}
    assert httpx2.get(f"{own.url}/v1/spaces/{SPACE}/inbox", headers=headers).status_code == 401


def test_an_inbox_has_half_of_a_quota(tmp_path: Path) -> None:
    """Given a space of 1,000 bytes.

    When parcels of 300 bytes are left
    Then the second is refused by 507 until the first is fetched
    """
    folder = lay(tmp_path / "store")
    data_store("space", "add", SPACE, "--bytes", "1000", "--folder", str(folder))
    with running(folder) as store, store.client() as client:
        client.allow_drop(TOKEN)
        first = leave_parcel(store.url, SPACE, TOKEN, b"a" * 300)
        with pytest.raises(StoreRefused, match="inbox is full"):
            leave_parcel(store.url, SPACE, TOKEN, b"b" * 300)
        client.delete_parcel(first)
        leave_parcel(store.url, SPACE, TOKEN, b"b" * 300)


def test_one_process_serves_a_folder(own: StoreProcess, tmp_path: Path) -> None:
    """Given a store that runs.

    When another process is to serve its folder
    Then that ends with an error, and the first goes on
    """
    second = StoreProcess(tmp_path / "store")
    assert second.end() == 66
    assert "another process serves" in second.text()
    with own.client() as client:
        assert client.put_blob(ONE, chunks(1))


def test_nobody_is_there() -> None:
    """Given an address where no store is.

    When a client asks there
    Then it says that the store is away
    """
    with StoreClient("http://127.0.0.1:9", OWNER) as client, pytest.raises(StoreAway):
        client.get_blob(ONE)
