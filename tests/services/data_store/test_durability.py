"""A store that is killed, full, restored or looked into: nothing is half, lost, back or read."""

from __future__ import annotations

import shutil
import signal
import socket
import stat
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from itertools import count
from pathlib import Path
from threading import Timer
from urllib.parse import urlsplit

import pytest

from tests.rights.material import NOTE, batch, fixed
from tests.services.data_store import small_disk_store
from tests.services.data_store.store_process import (
    OWNER,
    SPACE,
    StoreProcess,
    chunks,
    lay,
    name_of,
    running,
)
from tests.small_mount import play
from tongbao.rights.at_rest import StoredBatch, load_batch, store_batch
from tongbao.rights.limits import SEALED_CHUNK_BYTES
from tongbao.sdk.data.store_client import StoreAway, StoreClient, StoreRefused, leave_parcel
from tongbao.sdk.signed_requests import HEADER, now_ms, sign_request

BATCH, OWNER_KEY = batch(), fixed("owner's key of a store")
TOKEN = b"t" * 32
KEY = b"w" * 40
ONE, TWO = name_of(1), name_of(2)


def test_a_kill_in_the_middle_of_a_blob_leaves_nothing_half(tmp_path: Path) -> None:
    """Given a store that has half of a blob's bytes.

    When it is killed, and started again
    Then there is no blob, no file of it, and the whole blob is taken
    """
    folder = lay(tmp_path / "store")
    blob = chunks(20)
    store = StoreProcess(folder)
    url = f"{store.url}/v1/spaces/{SPACE}/blobs/{ONE}"
    digest = sha256(blob).digest()
    text = sign_request(OWNER, method="PUT", url=url, body_hash=digest, now_ms=now_ms())
    parts = urlsplit(url)
    head = (
        f"PUT {parts.path} HTTP/1.1\r\nHost: {parts.netloc}\r\n{HEADER}: {text}\r\n"
        f"Content-Length: {len(blob)}\r\n\r\n"
    )
    with socket.create_connection((parts.hostname, parts.port)) as raw:
        raw.sendall(head.encode() + blob[: len(blob) // 2])
        while not any(path.stat().st_size for path in (folder / "incoming").iterdir()):
            pass
        store.end(signal.SIGKILL)
    assert list((folder / "incoming").iterdir())
    with running(folder) as again, again.client() as client:
        assert list((folder / "incoming").iterdir()) == []
        assert list(client.blobs()) == []
        assert client.put_blob(ONE, blob)


def put_and_erase(client: StoreClient, kept: set[int], erased: set[int]) -> None:
    """Put blobs and erase every third, without an end."""
    for number in count():
        client.put_blob(name_of(number), chunks(2, number))
        kept.add(number)
        if number % 3 == 2:
            kept.discard(number - 1)
            client.delete_blob(name_of(number - 1))
            erased.add(number - 1)


@pytest.mark.parametrize("after_ms", [20, 60, 110, 170])
def test_whenever_a_store_is_killed_what_it_has_is_whole(tmp_path: Path, after_ms: int) -> None:
    """Given a client that puts and erases blobs as fast as it can.

    When the store is killed at some moment, and started again
    Then each blob that was answered is there whole, and each that was erased is not
    """
    folder = lay(tmp_path / "store")
    store = StoreProcess(folder)
    kept: set[int] = set()
    erased: set[int] = set()
    with store.client() as client:
        timer = Timer(after_ms / 1000, store.process.kill)
        timer.start()
        with pytest.raises(StoreAway):
            put_and_erase(client, kept, erased)
        timer.join()
    store.end()
    with running(folder) as again, again.client() as client:
        there = {int(one.name, 16) for one in client.blobs()}
        assert kept <= there
        assert not there & erased
        for number in there:
            assert client.get_blob(name_of(number)) == chunks(2, number)


def test_a_full_disk_is_told_and_nothing_is_lost(tmp_path: Path) -> None:
    """Given a store on a real file system of 8 MB.

    When blobs are put until there is no space, and some are erased
    Then each refusal is 507, what was answered is there, and erasing works without any space
    """
    assert "none was lost" in play(small_disk_store, str(tmp_path))


def test_a_restored_backup_brings_nothing_back(tmp_path: Path) -> None:
    """Given a backup of a store's folder, and things that were erased after it.

    When the backup is restored, and the store started
    Then what was erased is gone from the disk before anything is answered, the rest is there
    """
    folder, backup = lay(tmp_path / "store"), tmp_path / "backup"
    with running(folder) as store, store.client() as client:
        for name in (ONE, TWO):
            client.put_blob(name, chunks(1))
            client.put_key(name, KEY)
        client.allow_drop(TOKEN)
        parcel = leave_parcel(store.url, SPACE, TOKEN, b"a parcel")
        shutil.copytree(folder, backup)
        receipt = client.delete_blob(ONE)
        client.delete_parcel(parcel)
        client.forbid_drop(TOKEN)
    shutil.rmtree(folder)
    backup.rename(folder)
    assert (folder / "spaces" / SPACE / "blobs" / ONE).exists()
    with running(folder) as store, store.client() as client:
        for kind, name in (("blobs", ONE), ("keys", ONE), ("inbox", parcel)):
            assert not (folder / "spaces" / SPACE / kind / name).exists()
        assert "had come back" in store.text()
        assert [one.name for one in client.blobs()] == [TWO]
        assert client.get_key(TWO) == KEY
        asks: list[Callable[[], object]] = [
            lambda: client.get_blob(ONE),
            lambda: client.get_key(ONE),
            lambda: client.put_blob(ONE, chunks(1)),
            lambda: client.put_key(ONE, KEY),
        ]
        for ask in asks:
            with pytest.raises(StoreRefused, match="410"):
                ask()
        assert client.delete_blob(ONE) == receipt
        with pytest.raises(StoreRefused, match="403"):
            leave_parcel(store.url, SPACE, TOKEN, b"another parcel")


def test_what_was_erased_before_it_came_is_never_taken(tmp_path: Path) -> None:
    """Given a name that the store has nothing under.

    When its owner erases it
    Then there is a receipt, and what comes later under the name is refused
    """
    with running(lay(tmp_path / "store")) as store, store.client() as client:
        receipt = client.delete_blob(ONE)
        assert (receipt.name, receipt.space) == (ONE, SPACE)
        with pytest.raises(StoreRefused, match="410"):
            client.put_blob(ONE, chunks(1))


def test_without_its_erasures_a_store_serves_nothing(tmp_path: Path) -> None:
    """Given a store whose folder of erasures is gone, or another store's.

    When it is started
    Then it ends with what to do; begun anew, it serves
    """
    folder, other = lay(tmp_path / "store"), lay(tmp_path / "other")
    shutil.rmtree(tmp_path / "store.erased")
    for flags in ((), ("--erasures", f"{other}.erased")):
        store = StoreProcess(folder, *flags)
        assert store.end() == 78
        assert "--new-erasures" in store.text()
    with running(folder, "--new-erasures") as store, store.client() as client:
        assert client.put_blob(ONE, chunks(1))


def test_neither_memory_nor_folder_of_a_store_hold_what_is_sealed(tmp_path: Path) -> None:
    """Given a batch that was put into a store, fetched and opened by its owner.

    When all memory of the store's process and all of its files are looked through
    Then they hold the ciphertext, and neither the rows, the secret nor the owner's key
    """
    folder = lay(tmp_path / "store")
    stored = store_batch(BATCH, OWNER_KEY)
    name = stored.commitment.hex()
    blob = b"".join(stored.chunks)
    with running(folder) as store, store.client() as client:
        client.put_blob(name, blob)
        client.put_key(name, stored.wrapped_key)
        found = client.get_blob(name)
        parts = tuple(
            found[at : at + SEALED_CHUNK_BYTES] for at in range(0, len(found), SEALED_CHUNK_BYTES)
        )
        back = StoredBatch(
            commitment=stored.commitment, wrapped_key=client.get_key(name), chunks=parts
        )
        assert load_batch(back, OWNER_KEY) == BATCH
        memory = memory_of(store.process.pid)
    assert SPACE.encode() in memory or OWNER.public_key in memory, "it was looked into nothing"
    places = [memory, *(path.read_bytes() for path in folder.rglob("*") if path.is_file())]
    event = bytes.fromhex(BATCH.rows[0].event)
    for secret in (BATCH.secret, OWNER_KEY, OWNER.seed, event, NOTE.encode()):
        forms = (secret, secret.hex().encode(), b64encode(secret), NOTE.encode("utf-16-le"))
        for form in forms:
            assert not any(form in place for place in places)
    assert any(blob[:64] in place for place in places[1:])


def test_a_store_s_folders_are_its_user_s_alone(tmp_path: Path) -> None:
    """Given a store with a blob, a key and an erasure.

    When modes are looked at
    Then nobody else may read or enter anything
    """
    folder = lay(tmp_path / "store")
    with running(folder) as store, store.client() as client:
        client.put_blob(ONE, chunks(1))
        client.put_key(ONE, KEY)
        client.delete_blob(TWO)
    for root in (folder, tmp_path / "store.erased"):
        for path in (root, *root.rglob("*")):
            assert not stat.S_IMODE(path.stat().st_mode) & 0o077, path


def memory_of(pid: int) -> bytes:
    """All memory of a process that it may read and write."""
    found = bytearray()
    with Path(f"/proc/{pid}/maps").open() as maps, Path(f"/proc/{pid}/mem").open("rb") as memory:
        for line in maps:
            span, mode = line.split()[:2]
            start, end = (int(part, 16) for part in span.split("-"))
            if mode.startswith("rw"):
                try:
                    memory.seek(start)
                    found += memory.read(end - start)
                except (OSError, ValueError):
                    continue  # what the kernel shows nobody
    return bytes(found)
