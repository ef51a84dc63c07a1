"""Parcels that others leave in a space: whoever knows a token that its owner has allowed."""

from __future__ import annotations

from hashlib import sha256
from typing import BinaryIO, Final

from tongbao.sdk.folder import write_private
from tongbao.services.data_store.durable import link_file, remove_file, sizes_in
from tongbao.services.data_store.keeping import Body, Spaces, page
from tongbao.services.data_store.names import (
    DROPS_LIMIT,
    INBOX_LIMIT,
    NAME,
    PARCEL_BYTES_LIMIT,
    Kept,
    Kind,
    Quota,
    Receipt,
)
from tongbao.services.serving.problems import Problem, not_found

SCHEME: Final = "Drop "


class Inbox:
    """Drops and parcels of spaces. Every method may be called from any thread."""

    def __init__(self, spaces: Spaces) -> None:
        """Keep in these spaces."""
        self._spaces = spaces
        self._erasures = spaces.erasures

    def allow(self, space: str, digest: str) -> bool:
        """Let whoever knows the token with this SHA-256 leave parcels; False where they may.

        Raises Problem, OSError.
        """
        with self._spaces.locked(space) as usage:
            if self._erasures.find(space, Kind.DROP, digest) is not None:
                raise Problem(410, "that token was withdrawn for good: make another one")
            if self._spaces.path(space, Kind.DROP, digest).exists():
                return False
            if usage.drops >= DROPS_LIMIT:
                raise Problem(507, f"a space has at most {DROPS_LIMIT} tokens: withdraw some")
            write_private(self._spaces.within(space, Kind.DROP) / digest, b"")
            usage.drops += 1
            return True

    def forbid(self, space: str, digest: str) -> Receipt:
        """Withdraw a token for good. Raises OSError."""
        with self._spaces.locked(space) as usage:
            receipt = self._erasures.write(space, Kind.DROP, digest)
            path = self._spaces.path(space, Kind.DROP, digest)
            if path.exists() and remove_file(path):
                usage.drops -= 1
            return receipt

    def check_token(self, space: str, authorization: str) -> str:
        """The hash of the token that a header brings, if it lets in. Raises Problem.

        What is wrong is not told: neither of tokens nor of spaces.
        """
        token = authorization.removeprefix(SCHEME)
        if authorization.startswith(SCHEME) and NAME.match(token):
            digest = sha256(bytes.fromhex(token)).hexdigest()
            if self._is_allowed(space, digest):
                return digest
        raise Problem(403, "nothing may be left here with that token: leave nothing any more")

    def _is_allowed(self, space: str, digest: str) -> bool:
        return (
            self._spaces.path(space, Kind.DROP, digest).exists()
            and self._erasures.find(space, Kind.DROP, digest) is None
        )

    def room(self, space: str, quota: Quota) -> int:
        """The longest parcel that would be taken now."""
        with self._spaces.locked(space) as usage:
            left = min(quota.bytes - usage.bytes, quota.bytes // 2 - usage.parcel_bytes)
            return max(0, min(PARCEL_BYTES_LIMIT, left))

    def leave(self, space: str, digest: str, body: Body, quota: Quota) -> str:
        """Leave a parcel under its hash, its name; once, also when it was fetched since.

        Raises Problem, OSError.
        """
        name = body.hash.hex()
        with self._spaces.locked(space) as usage:
            if not self._is_allowed(space, digest):  # it was withdrawn meanwhile
                raise Problem(403, "nothing may be left here with that token any more")
            if self._erasures.find(space, Kind.PARCEL, name) is not None:
                return name
            if self._spaces.path(space, Kind.PARCEL, name).exists():
                return name
            too_many = usage.parcels >= INBOX_LIMIT
            half = usage.parcel_bytes + body.size > quota.bytes // 2
            if too_many or half or usage.bytes + body.size > quota.bytes:
                raise inbox_full()
            if link_file(self._spaces.within(space, Kind.PARCEL) / name, body.path):
                usage.parcel_bytes += body.size
                usage.parcels += 1
        return name

    def waiting(self, space: str, after: str) -> list[Kept]:
        """Names after one, a page of them and one more where there are more."""
        found = sizes_in(self._spaces.folder / space / Kind.PARCEL)
        return page([Kept(name, size) for name, size in found], after)

    def take(self, space: str, name: str) -> tuple[int, BinaryIO]:
        """A parcel: its size and its file. Raises Problem."""
        if self._erasures.find(space, Kind.PARCEL, name) is not None:
            raise Problem(410, "the parcel was removed for good")
        try:
            file = self._spaces.path(space, Kind.PARCEL, name).open("rb")
        except FileNotFoundError:
            raise not_found() from None
        return file.seek(0, 2), file

    def remove(self, space: str, name: str) -> Receipt:
        """Remove a parcel for good, when its content is kept elsewhere. Raises OSError."""
        with self._spaces.locked(space) as usage:
            receipt = self._erasures.write(space, Kind.PARCEL, name)
            path = self._spaces.path(space, Kind.PARCEL, name)
            if path.exists():
                size = path.stat().st_size
                if remove_file(path):
                    usage.parcel_bytes -= size
                    usage.parcels -= 1
            return receipt


def inbox_full() -> Problem:
    """What is answered where an inbox takes no more."""
    return Problem(507, "the inbox is full: try again when its owner has looked")
