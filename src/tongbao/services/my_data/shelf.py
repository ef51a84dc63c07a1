"""What lies at the store: batches as the data formats say, and the newest state of the notebook.

A batch's key is put before the batch, and taken again after a crash: so a batch that was put half
is put whole under the same key, to the same bytes. A state of the notebook has a random name, and a
key that follows from it: no key ever seals two texts.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from typing import Final

from tongbao.rights.at_rest import StoredBatch, load_batch, unwrap_key, wrap_key
from tongbao.rights.batch import Batch, commitment_of
from tongbao.rights.batch_text import batch_text
from tongbao.rights.chunks import DoesNotOpen, chunk_count, open_chunks, seal_chunks
from tongbao.rights.limits import CHUNKS_LIMIT, KEY_BYTES, SEALED_CHUNK_BYTES
from tongbao.sdk.data.store_client import StoreAway, StoreClient, StoreLied, StoreRefused
from tongbao.services.my_data.keys import PersonKeys
from tongbao.services.my_data.notebook import (
    NOTEBOOK_BYTES_LIMIT,
    BadNotebook,
    Notebook,
    read_notebook,
    write_notebook,
)

NOTE_CONTEXT: Final = b"tongbao/mydata/notebook/1"
NOTE_BYTES_LIMIT: Final = 2 * NOTEBOOK_BYTES_LIMIT
NOTES_LIMIT: Final = 1_000
"""Blobs that are looked at for a notebook when a folder is made again."""


STORE_ERRORS: Final = (StoreAway, StoreLied, StoreRefused)
"""What a store that can't be reached, refuses or lies raises."""

GONE: Final = (404, 410)


class NotAtStore(Exception):
    """The store does not have what it had; the text names it."""

    exit_code = 65
    advice = "let the source send it again, or import an archive that has it"


class Shelf:
    """The person's space at the store."""

    def __init__(self, store: StoreClient, keys: PersonKeys) -> None:
        """Use a client that signs for the person's space."""
        self._store = store
        self._keys = keys

    # Batches

    def keep(self, batch: Batch) -> None:
        """Put a batch; the same again is no change. Raises StoreAway, StoreRefused, StoreLied."""
        commitment = commitment_of(batch.header)
        name = commitment.hex()
        if name in self.names():
            try:
                self.fetch(name)
            except (DoesNotOpen, NotAtStore):
                pass  # It is put again: the store tells if it has other bytes of that name.
            else:
                return
        key = self._key_for(commitment)
        text = batch_text(batch)
        chunks = seal_chunks(key, commitment, (text,), len(text), chunk_count(len(text)))
        self._store.put_blob(name, b"".join(chunks))

    def _key_for(self, commitment: bytes) -> bytes:
        """The key of a batch that is on its way: the one that is there, else a new one."""
        name = commitment.hex()
        wrapped = _there(lambda: self._store.get_key(name))
        if wrapped is not None:
            return unwrap_key(self._keys.owner_key, commitment, wrapped)
        key = secrets.token_bytes(KEY_BYTES)
        self._store.put_key(name, wrap_key(self._keys.owner_key, commitment, key))
        return key

    def fetch(self, name: str) -> Batch:
        """The batch of a commitment, held to it: older or other bytes are found out.

        Raises NotAtStore, DoesNotOpen, and what the store's client raises.
        """
        wrapped = _there(lambda: self._store.get_key(name))
        body = _there(lambda: self._store.get_blob(name))
        if wrapped is None or body is None:
            raise NotAtStore(f"the store has lost the batch of commitment {name}")
        stored = StoredBatch(
            commitment=bytes.fromhex(name), wrapped_key=wrapped, chunks=_chunks(body)
        )
        return load_batch(stored, self._keys.owner_key)

    def destroy(self, name: str) -> dict[str, str | int]:
        """Let blob and key of a commitment be destroyed for good: the receipt."""
        receipt = self._store.delete_blob(name)
        return {"erased_at": receipt.erased_at, "name": receipt.name, "space": receipt.space}

    def names(self) -> frozenset[str]:
        """All names in the space."""
        return frozenset(one.name for one in self._store.blobs())

    # The notebook

    def new_name(self) -> str:
        """A name for the next state of the notebook."""
        return secrets.token_hex(KEY_BYTES)

    def put_note(self, name: str, notebook: Notebook) -> None:
        """Put a state of the notebook under a new name."""
        text = write_notebook(notebook)
        key = self._keys.note_key(bytes.fromhex(name))
        chunks = seal_chunks(key, NOTE_CONTEXT, (text,), len(text), chunk_count(len(text)))
        self._store.put_blob(name, b"".join(chunks))

    def remove(self, name: str) -> None:
        """Remove a state of the notebook."""
        self._store.delete_blob(name)

    def newest_note(self) -> tuple[Notebook | None, tuple[str, ...]]:
        """The newest state that the store has, and the names of all."""
        newest: Notebook | None = None
        names: list[str] = []
        for one in self._store.blobs():
            name = one.name
            if one.size > NOTE_BYTES_LIMIT or self._has_key(name):
                continue
            if len(names) >= NOTES_LIMIT:
                break
            found = self._note(name)
            if found is not None:
                names.append(name)
                if newest is None or found.number > newest.number:
                    newest = found
        return newest, tuple(names)

    def _has_key(self, name: str) -> bool:
        """Whether a name is a batch's, whose key is kept; that of a notebook is not."""
        return _there(lambda: self._store.get_key(name)) is not None

    def _note(self, name: str) -> Notebook | None:
        key = self._keys.note_key(bytes.fromhex(name))
        try:
            body = _there(lambda: self._store.get_blob(name)) or b""
            return read_notebook(b"".join(open_chunks(key, NOTE_CONTEXT, _chunks(body))))
        except (DoesNotOpen, BadNotebook):
            return None

    # The inbox

    def inbox(self) -> list[str]:
        """The names of the parcels that were left."""
        return [one.name for one in self._store.inbox()]

    def parcel(self, name: str) -> bytes:
        """A parcel that was left."""
        return self._store.get_parcel(name)

    def remove_parcel(self, name: str) -> None:
        """Remove a parcel: it was taken, or never will be."""
        self._store.delete_parcel(name)

    def allow_drop(self, token: bytes) -> None:
        """Let whoever knows the token leave parcels."""
        self._store.allow_drop(token)

    def forbid_drop(self, token: bytes) -> None:
        """Let nobody leave parcels by the token any more, for good."""
        self._store.forbid_drop(token)


def _there(ask: Callable[[], bytes]) -> bytes | None:
    """What the store has, None where it has it no more or never had."""
    try:
        return ask()
    except StoreRefused as error:
        if error.status not in GONE:
            raise
        return None


def _chunks(body: bytes) -> tuple[bytes, ...]:
    """The sealed chunks of a blob. Raises DoesNotOpen."""
    count, rest = divmod(len(body), SEALED_CHUNK_BYTES)
    if rest or not 1 <= count <= CHUNKS_LIMIT:
        raise DoesNotOpen("a blob is whole chunks")
    places = range(0, len(body), SEALED_CHUNK_BYTES)
    return tuple(body[place : place + SEALED_CHUNK_BYTES] for place in places)
