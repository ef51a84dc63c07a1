"""Open sessions, in the memory of the process that has the sockets: it asks for each request.

A table rather than tokens that say it all themselves: there is one such process, so a session that
is ended is ended at once, and nothing has to be kept of those that were. When the process ends,
sessions end with it, and clients open others by themselves.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from tongbao.node.access.tokens import SESSION, digest_of, new_token

OF_ACCOUNT: Final = 16
"""Sessions of one account at once; one more ends the oldest."""


class SessionsFull(Exception):
    """As many sessions are open as the setting `sessions` allows."""


class Session(Struct):
    """An open session of an account.

    `public` is the key that opened it, and `seen_ms` when that was last known to be the account's.
    """

    digest: str
    account: str
    public: str
    ends: int
    seen_ms: int


class Sessions:
    """All open sessions, the oldest first, which end in that order."""

    def __init__(self, life_ms: int, limit: int, now_ms: Callable[[], int]) -> None:
        """Sessions of `life_ms`, at most `limit` at once."""
        self._life_ms = life_ms
        self._limit = limit
        self._now_ms = now_ms
        self._open: OrderedDict[str, Session] = OrderedDict()
        self._of_account: dict[str, OrderedDict[str, None]] = {}

    def __len__(self) -> int:
        """How many sessions are open."""
        self._forget_ended()
        return len(self._open)

    def open(self, account: str, public: str) -> tuple[Session, str]:
        """A new session of an account, and its token. Raises SessionsFull."""
        self._forget_ended()
        own = self._of_account.get(account, OrderedDict[str, None]())
        if len(own) >= OF_ACCOUNT:
            self._drop(next(iter(own)))
        if len(self._open) >= self._limit:
            raise SessionsFull
        token = new_token(SESSION)
        now = self._now_ms()
        session = Session(digest_of(token), account, public, now + self._life_ms, now)
        self._open[session.digest] = session
        self._of_account.setdefault(account, OrderedDict())[session.digest] = None
        return session, token

    def find(self, token: str) -> Session | None:
        """The open session of a token.

        It is found by its hash: how long that takes says nothing about any token.
        """
        session = self._open.get(digest_of(token))
        return session if session is not None and self.is_open(session) else None

    def is_open(self, session: Session) -> bool:
        """Whether a session is neither over nor ended."""
        return session.digest in self._open and session.ends > self._now_ms()

    def end(self, session: Session) -> int:
        """End a session; 1, or 0 where it has ended already."""
        return int(self._drop(session.digest))

    def end_all(self, account: str) -> int:
        """End all sessions of an account; how many there were."""
        return sum(map(self._drop, list(self._of_account.get(account, ()))))

    def _drop(self, digest: str) -> bool:
        session = self._open.pop(digest, None)
        if session is None:
            return False
        own = self._of_account[session.account]
        del own[digest]
        if not own:
            del self._of_account[session.account]
        return True

    def _forget_ended(self) -> None:
        now = self._now_ms()
        while self._open:
            oldest = next(iter(self._open.values()))
            if oldest.ends > now:
                return
            self._drop(oldest.digest)
