"""A store whose blobs are at a service that speaks S3, a real one, under the same protocol."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from hashlib import sha256
from pathlib import Path

import httpx2
import pytest

from tests.services.data_store.s3_server import BUCKET, REGION, S3Server, environment, s3_server
from tests.services.data_store.store_process import (
    SPACE,
    StoreProcess,
    chunks,
    lay,
    name_of,
    running,
)
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.sdk.data.store_client import StoreRefused
from tongbao.services.data_store.names import Kept
from tongbao.services.data_store.s3_blobs import (
    S3Blobs,
    S3Error,
    credentials_of,
    open_bucket,
    read_bucket,
)
from tongbao.services.data_store.s3_signing import Credentials, canonical_query, signed_headers

ONE, TWO = name_of(1), name_of(2)


def blobs_of(server: S3Server) -> S3Blobs:
    """The bucket of a server."""
    found = S3Blobs(read_bucket(server.file), credentials_of(environment()))
    found.check()
    return found


def keep_versions(server: S3Server) -> None:
    """Let the server keep versions of the bucket's objects."""
    body = (
        b'<VersioningConfiguration xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        b"<Status>Enabled</Status></VersioningConfiguration>"
    )
    headers = signed_headers(
        credentials_of(environment()),
        REGION,
        method="PUT",
        host=server.endpoint.removeprefix("http://"),
        path=f"/{BUCKET}",
        query="versioning=",
        payload_hash=sha256(body).hexdigest(),
        now=datetime.now(UTC),
    )
    url = f"{server.endpoint}/{BUCKET}?versioning="
    assert httpx2.put(url, content=body, headers=headers).status_code == 200


def objects(server: S3Server) -> list[str]:
    """The names of all objects, as the server keeps them in files."""
    return sorted(path.name for path in server.folder.rglob("*") if path.is_file())


def test_a_store_over_s3_keeps_gives_and_erases(tmp_path: Path) -> None:
    """Given a store that was made for S3, and a real server of it.

    When blobs are put, again, otherwise, read in parts, listed and erased, across a restart
    Then all is as with files, and an erased blob is no object any more
    """
    with s3_server(tmp_path) as server:
        folder = lay(tmp_path / "store", "--storage", "s3")
        flags = ("--s3", str(server.file))
        with running(folder, *flags, environment=environment()) as store, store.client() as client:
            assert client.put_blob(ONE, chunks(20)) is True
            assert client.put_blob(ONE, chunks(20)) is False
            with pytest.raises(StoreRefused, match="409"):
                client.put_blob(ONE, chunks(1))
            client.put_blob(TWO, chunks(2, 2))
            part = client.get_blob(ONE, 17, 2)
            assert part == chunks(20)[17 * SEALED_CHUNK_BYTES : 19 * SEALED_CHUNK_BYTES]
            client.put_key(ONE, b"k" * 40)
            client.delete_blob(TWO)
            assert objects(server) == [ONE]
        with running(folder, *flags, environment=environment()) as store, store.client() as client:
            assert client.get_blob(ONE) == chunks(20)
            assert [one.name for one in client.blobs()] == [ONE]
            with pytest.raises(StoreRefused, match="410"):
                client.get_blob(TWO)


def test_a_bucket_that_was_restored_brings_nothing_back(tmp_path: Path) -> None:
    """Given a bucket into which an erased object was put again, behind the store's back.

    When the store is started
    Then the object is gone
    """
    with s3_server(tmp_path) as server:
        folder = lay(tmp_path / "store", "--storage", "s3")
        flags = ("--s3", str(server.file))
        with running(folder, *flags, environment=environment()) as store, store.client() as client:
            client.put_blob(ONE, chunks(1))
            client.delete_blob(ONE)
        spooled = tmp_path / "spooled"
        spooled.write_bytes(chunks(1))
        assert blobs_of(server).put(SPACE, ONE, spooled)
        with running(folder, *flags, environment=environment()):
            assert objects(server) == []


def test_an_object_is_put_once_and_lists_go_over_pages(tmp_path: Path) -> None:
    """Given a bucket.

    When one name is put twice, and more objects are there than a page has
    Then the second is not taken, and the list has all of them in order
    """
    with s3_server(tmp_path) as server:
        blobs = blobs_of(server)
        spooled = tmp_path / "spooled"
        spooled.write_bytes(b"a")
        for number in range(1_003):
            assert blobs.put(SPACE, name_of(number), spooled)
        spooled.write_bytes(b"bb")
        assert not blobs.put(SPACE, ONE, spooled)
        assert b"".join(blobs.read(SPACE, ONE, 0, 1)) == b"a"
        assert blobs.kept(SPACE) == [Kept(name_of(number), 1) for number in range(1_003)]
        blobs.remove(SPACE, ONE)
        blobs.remove(SPACE, ONE)
        assert blobs.size(SPACE, ONE) is None
        with pytest.raises(KeyError):
            blobs.read(SPACE, ONE, 0, 1)


def test_a_bucket_that_can_t_be_used_is_told_at_the_start(tmp_path: Path) -> None:
    """Given wrong credentials, a bucket that is not there, one that keeps versions, or no S3.

    When the store is started
    Then it ends, with what to do
    """
    with s3_server(tmp_path) as server:
        wrong = S3Blobs(read_bucket(server.file), credentials_of(environment("another secret")))
        with pytest.raises(S3Error, match="403"):
            wrong.check()
        shutil.rmtree(server.folder)
        with pytest.raises(S3Error, match="404"):
            blobs_of(server)
        folder = lay(tmp_path / "store", "--storage", "s3")
        store = StoreProcess(folder)
        assert store.end() == 66
        assert "--s3 FILE" in store.text()
        store = StoreProcess(folder, "--s3", str(server.file))
        assert store.end() == 78
        assert "AWS_ACCESS_KEY_ID" in store.text()
        file = server.file
    with pytest.raises(S3Error, match="does not answer"):
        S3Blobs(read_bucket(file), credentials_of(environment())).check()
    file.write_text('endpoint = "http://s3.example"\nregion = "here"\nbucket = "blobs"\n')
    with pytest.raises(S3Error, match="in the clear"):
        read_bucket(file)
    file.write_text('endpoint = "https://s3.example"\nregion = "here"\nbucket = "blobs"\nkey = 1')
    with pytest.raises(S3Error, match="key"):
        open_bucket(file)


def test_a_bucket_with_versions_is_refused(tmp_path: Path) -> None:
    """Given a bucket on which versions are kept.

    When a store would use it
    Then it is refused: nothing would ever be erased
    """
    versions = tmp_path / "versions"
    versions.mkdir()
    with s3_server(tmp_path, "--versioning-dir", str(versions)) as server:
        blobs = blobs_of(server)
        keep_versions(server)
        with pytest.raises(S3Error, match="keeps versions"):
            blobs.check()


def test_signatures_are_those_of_the_published_example() -> None:
    """Given the example "GET Object" of the Amazon S3 API reference.

    When the request is signed
    Then the signature is the published one
    """
    headers = signed_headers(
        Credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"),
        "us-east-1",
        method="GET",
        host="examplebucket.s3.amazonaws.com",
        path="/test.txt",
        query="",
        payload_hash="e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        now=datetime(2013, 5, 24, tzinfo=UTC),
        further={"range": "bytes=0-9"},
    )
    assert headers["authorization"].endswith(
        "SignedHeaders=host;range;x-amz-content-sha256;x-amz-date, "
        "Signature=f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"
    )
    assert canonical_query({"prefix": "a/b c", "list-type": "2"}) == "list-type=2&prefix=a%2Fb%20c"
    assert "EXAMPLEKEY" not in repr(Credentials("A", "EXAMPLEKEY"))
