"""Who a client over HTTP is: an API key, or a session that is opened again when it has ended.

One class serves both clients: httpx2 takes the same flow with and without `await`.
"""

from __future__ import annotations

import threading
from collections.abc import AsyncGenerator, Callable, Generator
from typing import Final

import httpx2
import msgspec

from tongbao.kernel import Address, jcs
from tongbao.sdk.asking import LATER
from tongbao.sdk.sessions import (
    CHALLENGE_PATH,
    MEDIA_TYPE,
    SESSIONS_PATH,
    Challenge,
    ChallengeAsked,
    SessionAnswer,
    SessionError,
    check_challenge,
    sign_challenge,
)
from tongbao.sdk.signer import Signer

UNAUTHORIZED: Final = 401
OK: Final = 200
Flow = Generator[httpx2.Request, httpx2.Response, None]


class ApiKeyAuth(httpx2.Auth):
    """Every request with an API key (RFC 6750 section 2.1)."""

    def __init__(self, api_key: str) -> None:
        """Send this key."""
        self._header = f"Bearer {api_key}"

    def auth_flow(self, request: httpx2.Request) -> Flow:
        """Send one request with the key."""
        request.headers["Authorization"] = self._header
        yield request


class LocalAuth(httpx2.Auth):
    """Requests to a node of this machine, with what it has written into its chain's folder.

    Only a node that asks who calls is told, and what it has written is read again when it was
    started anew meanwhile.
    """

    def __init__(self, read: Callable[[], str]) -> None:
        """`read` is what the node has written now; empty where there is nothing."""
        self._read = read
        self._token = ""

    def auth_flow(self, request: httpx2.Request) -> Flow:
        """Send a request; with the node's token where it asks for one."""
        token = self._token
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code == UNAUTHORIZED:
            self._token = self._read()
            if self._token not in ("", token):
                request.headers["Authorization"] = f"Bearer {self._token}"
                yield request


class SessionAuth(httpx2.Auth):
    """Every request in a session of an account; opened when a node asks who calls.

    A node that refuses the session gets its answer through to the caller. Raises SessionError
    where a challenge is not of the node that was asked.
    """

    def __init__(self, account: str, signer: Signer) -> None:
        """Sign challenges with a key of an account."""
        self._account = Address(account)
        self._signer = signer
        self._token = ""
        self._lock = threading.Lock()

    @property
    def token(self) -> str:
        """The token of the session that is open now; empty before the first."""
        return self._token

    def auth_flow(self, request: httpx2.Request) -> Flow:
        """Send a request; when its session has ended, open another one and send it once more."""
        token = self._token
        if token:
            request.headers["Authorization"] = f"Bearer {token}"
        answer = yield request
        if answer.status_code != UNAUTHORIZED:
            return
        if self._token == token:  # else another thread has opened one meanwhile
            opened = yield from self._open(request)
            if not opened:
                return
        request.headers["Authorization"] = f"Bearer {self._token}"
        yield request

    def _open(self, request: httpx2.Request) -> Generator[httpx2.Request, httpx2.Response, bool]:
        """Open a session at the node that a request is for; whether it did, rather than "later"."""
        asked = jcs.encode(ChallengeAsked(self._account))
        found = yield _post(request.url, CHALLENGE_PATH, asked, "application/json")
        if found.status_code != OK:
            return False
        try:
            challenge = msgspec.json.decode(found.content, type=Challenge)
        except (msgspec.MsgspecError, ValueError) as error:
            raise SessionError(f"the node's challenge can't be read: {error}") from error
        check_challenge(challenge, str(request.url), self._account)
        signed = sign_challenge(challenge, self._signer)
        answer = yield _post(request.url, SESSIONS_PATH, signed, MEDIA_TYPE)
        if answer.status_code in LATER:
            return False
        if answer.status_code != OK:
            raise SessionError(f"the node opens no session: {answer.text[:300]}")
        try:
            token = msgspec.json.decode(answer.content, type=SessionAnswer).token
        except (msgspec.MsgspecError, ValueError) as error:
            raise SessionError(f"the node's session can't be read: {error}") from error
        with self._lock:
            self._token = token
        return True

    def sync_auth_flow(self, request: httpx2.Request) -> Flow:
        """As `auth_flow`; only the answers that open a session are read here."""
        flow = self.auth_flow(request)
        asked = next(flow)
        while True:
            answer = yield asked
            if asked is not request or answer.status_code == UNAUTHORIZED:
                answer.read()
            try:
                asked = flow.send(answer)
            except StopIteration:
                return

    async def async_auth_flow(
        self, request: httpx2.Request
    ) -> AsyncGenerator[httpx2.Request, httpx2.Response]:
        """As `sync_auth_flow`, with `await`."""
        flow = self.auth_flow(request)
        asked = next(flow)
        while True:
            answer = yield asked
            if asked is not request or answer.status_code == UNAUTHORIZED:
                await answer.aread()
            try:
                asked = flow.send(answer)
            except StopIteration:
                return


def _post(url: httpx2.URL, path: str, body: bytes, media_type: str) -> httpx2.Request:
    """A request to the same node that opens a session."""
    headers = {"content-type": media_type}
    return httpx2.Request(
        "POST", url.copy_with(raw_path=path.encode()), content=body, headers=headers
    )


def auth_of(api_key: str | None, session: tuple[str, Signer] | None) -> httpx2.Auth | None:
    """How a client says who it is; None for nobody. Raises ValueError for both ways at once."""
    if api_key is not None and session is not None:
        raise ValueError("give an api_key or a session, not both")
    if api_key is not None:
        return ApiKeyAuth(api_key)
    return None if session is None else SessionAuth(*session)
