"""A program that fills a real, very small disk under a store, and erases to make room.

`unshare -rm python small_disk_store.py FOLDER` lays a file system of 8 MB over FOLDER, where only
this process and those that it starts see it. Exit code 69: this machine lets nobody mount.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[3]))

from tests.services.data_store.store_process import chunks, lay, name_of, running
from tests.small_mount import CANNOT_MOUNT, fill, mount
from tongbao.sdk.data.store_client import StoreClient, StoreRefused

CHUNKS = 8


def fill_with_blobs(client: StoreClient) -> int:
    """Put blobs until the disk is full; how many were taken."""
    for number in range(1_000):
        try:
            client.put_blob(name_of(number), chunks(CHUNKS, number))
        except StoreRefused as error:
            if error.status != 507 or "disk is full" not in error.detail:
                raise
            return number
    raise AssertionError("the disk is not small")


def check(client: StoreClient, numbers: list[int]) -> None:
    """Every blob that was answered is there whole, and no other."""
    assert [one.name for one in client.blobs()] == [name_of(number) for number in numbers]
    for number in numbers:
        assert client.get_blob(name_of(number)) == chunks(CHUNKS, number)


def main(folder: Path) -> int:
    """Fill, erase, put, and start again."""
    if not mount(folder, "8m"):
        return CANNOT_MOUNT
    store = lay(folder / "store")
    with running(store) as process, process.client() as client:
        taken = fill_with_blobs(client)
        assert taken > 3, taken
        check(client, list(range(taken)))
        fill(folder / "filler")
        with pytest.raises(StoreRefused, match="507"):
            client.put_key(name_of(0), b"k" * 40)
        receipt = client.delete_blob(name_of(1))  # there is no room to write it down before
        assert client.delete_blob(name_of(1)) == receipt
        client.put_key(name_of(0), b"k" * 40)
        (folder / "filler").unlink()
        left = [0, *range(2, taken)]
        check(client, left)
    with running(store) as process, process.client() as client:
        check(client, left)
        assert client.put_blob(name_of(taken), chunks(CHUNKS, taken))
        check(client, [*left, taken])
        with pytest.raises(StoreRefused, match="410"):
            client.put_blob(name_of(1), chunks(CHUNKS, 1))
    assert list((store / "incoming").iterdir()) == []
    print(f"{taken} blobs were taken, and none was lost")
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
