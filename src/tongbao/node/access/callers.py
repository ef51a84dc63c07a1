"""Who calls: found out once for each request, by its token or its certificate."""

from __future__ import annotations

import time
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from starlette.types import Scope as Request

from tongbao.node.access.api_keys import KeyFile
from tongbao.node.access.challenges import Challenges
from tongbao.node.access.needs import ORDER, Scope, with_implied
from tongbao.node.access.sessions import Session, Sessions
from tongbao.node.access.tokens import KEY, SESSION, digest_of, is_token, same
from tongbao.node.problems import ProblemError, problem
from tongbao.node.settings import Settings

if TYPE_CHECKING:
    from tongbao.node.access.recorder import Recorder

CALLER: Final = "tongbao.caller"
"""In a request's scope: who calls, where that is known."""
CERTIFICATE: Final = "tongbao.certificate"
"""In the `state` of a request's scope: the account that a client certificate names, or ""."""
NS_PER_MS: Final = 1_000_000
REALM: Final = 'Bearer realm="tongbao"'


class Caller(Struct, frozen=True):
    """Somebody who is known. `name` is what the rate is counted under; never logged.

    `account` is whose own may be read, besides what `scopes` allow. A caller with a `rate_per_s` of
    its own is counted by that alone, others by their address as well.
    """

    name: str
    account: str | None
    scopes: frozenset[Scope]
    rate_per_s: int | None = None
    session: Session | None = None
    key_id: str | None = None


def unauthorized(detail: str, *, is_invalid: bool = False) -> ProblemError:
    """Who calls is not known (RFC 9110 section 15.5.2, RFC 6750 section 3)."""
    said = f'{REALM}, error="invalid_token"' if is_invalid else REALM
    return problem(HTTPStatus.UNAUTHORIZED, detail, {"WWW-Authenticate": said})


def wall_clock_ms() -> int:
    """The time in ms UTC."""
    return time.time_ns() // NS_PER_MS


class Callers:
    """Everybody whom a node knows: by keys in a file, by sessions, by certificates."""

    def __init__(
        self,
        settings: Settings,
        chain: str,
        keys: Path | None = None,
        local_token: str = "",
        now_ms: Callable[[], int] = wall_clock_ms,
        recorder: Recorder | None = None,
    ) -> None:
        """`keys` is the file of API keys; who has `local_token` is of this machine, and reads all.

        `now_ms` is the clock. The `recorder` keeps what supervisors read; without one they don't.
        """
        self.recorder = recorder
        self.now_ms = now_ms
        self.challenges = Challenges(chain, now_ms)
        self.sessions = Sessions(settings.session_ms, settings.sessions, now_ms)
        self._keys = KeyFile(keys)
        self._local = digest_of(local_token) if local_token else ""
        self._scopes = with_implied(tuple(map(Scope, settings.member_scopes)))

    def of(self, scope: Request) -> Caller | None:
        """Who sends a request; None where it says nothing of that. Raises ProblemError, 401."""
        given = [value for name, value in scope["headers"] if name == b"authorization"]
        if given:
            return self._bearer(given)
        account = scope.get("state", {}).get(CERTIFICATE, "")
        return Caller(f"account {account}", account, self._scopes) if account else None

    def _bearer(self, given: list[bytes]) -> Caller:
        scheme, _, token = given[0].decode("latin-1").partition(" ")
        token = token.strip()
        if len(given) > 1 or scheme.lower() != "bearer" or not is_token(token):
            raise unauthorized(
                "send `Authorization: Bearer` with an API key or a session's token, once",
                is_invalid=True,
            )
        if token.startswith(SESSION):
            return self._of_session(self.sessions.find(token))
        assert token.startswith(KEY)
        if self._local and same(digest_of(token), self._local):
            return Caller("local", None, frozenset(ORDER))
        return self._of_key(token)

    def _of_session(self, session: Session | None) -> Caller:
        if session is None:
            raise unauthorized("the session has ended: open another one", is_invalid=True)
        name = f"account {session.account}"
        return Caller(name, session.account, self._scopes, session=session)

    def _of_key(self, token: str) -> Caller:
        found = self._keys.find(token)
        if found is None:
            raise unauthorized("there is no such API key, or it was revoked", is_invalid=True)
        if found.ends <= self.now_ms():
            raise unauthorized("the API key has ended: have another one made", is_invalid=True)
        scopes = with_implied(found.scopes)
        name = f"key {found.id}"
        return Caller(name, found.account, scopes, found.rate_per_s, key_id=found.id)

    def is_still(self, caller: Caller | None) -> bool:
        """Whether a caller is still known: for answers that go on for long."""
        if caller is None or (caller.session is None and caller.key_id is None):
            return True
        if caller.session is not None:
            return self.sessions.is_open(caller.session)
        found = self._keys.known(caller.key_id or "")
        return found is not None and found.ends > self.now_ms()
