"""The agent's space of a data store."""

from __future__ import annotations

from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path

from tongbao.sdk.data.store_client import StoreClient, StoreRefused
from tongbao.sdk.signer import Signer


class StoredBlobs:
    """Blobs in the space of a key. Any thread may call."""

    def __init__(self, url: str, space: Signer) -> None:
        """Name the store; nothing is sent."""
        self._client = StoreClient(url, space)

    def put(self, name: str, file: Path) -> None:
        """Keep the bytes of a file."""
        self._client.put_blob(name, file)

    def get(self, name: str, first: int, count: int) -> bytes:
        """So many chunks from one on."""
        return self._client.get_blob(name, first, count)

    def delete(self, name: str) -> None:
        """Destroy a blob; no fault where there is none."""
        try:
            self._client.delete_blob(name)
        except StoreRefused as error:
            if error.status != HTTPStatus.NOT_FOUND:
                raise

    def names(self) -> Iterator[str]:
        """All blobs that are there."""
        return (one.name for one in self._client.blobs())

    def close(self) -> None:
        """End its connections."""
        self._client.close()
