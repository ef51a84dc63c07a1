"""Opening and ending sessions over HTTP."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct
from starlette.requests import HTTPConnection, Request

from tongbao.kernel import ed25519
from tongbao.node.access.account_keys import has_key
from tongbao.node.access.callers import CALLER, Caller, unauthorized
from tongbao.node.access.sessions import SessionsFull
from tongbao.node.api import Api
from tongbao.node.operations import Nothing
from tongbao.node.problems import bad_request, unavailable
from tongbao.sdk.sessions import (
    MEDIA_TYPE,
    Challenge,
    ChallengeAsked,
    SessionAnswer,
    SessionError,
    SessionsEnded,
    origin_of,
    read_signed,
)

_asked = msgspec.json.Decoder(ChallengeAsked)


class OfEnd(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which sessions to end: the one that asks, or every one of its account."""

    which: Literal["this", "all"] = "this"


async def challenge(api: Api, request: Request, asked: Nothing) -> Challenge:
    """A challenge for a key of an account to sign, good for a minute and for one session."""
    body = await api.body(request, ("application/json",))
    try:
        account = _asked.decode(body).account
    except (msgspec.DecodeError, ValueError) as error:
        raise bad_request(f'send {{"account": "..."}}: {error}') from error
    return api.callers.challenges.make(account, _origin(api, request))


async def open_session(api: Api, request: Request, asked: Nothing) -> SessionAnswer:
    """Open a session by a signed challenge; its token is told once."""
    body = await api.body(request, (MEDIA_TYPE,))
    try:
        answered, signature = read_signed(body)
    except SessionError as error:
        raise bad_request(str(error)) from error
    challenges, sessions = api.callers.challenges, api.callers.sessions
    try:
        challenges.check(answered)
        if answered.origin != _origin(api, request):
            raise SessionError("the challenge is of another origin")
        if not ed25519.verify(signature.public_key, signature.signed, signature.signature):
            raise SessionError("the challenge's signature is wrong")
        if not await has_key(api, answered.account, signature.kid):
            raise SessionError("the key is none of an open account of that address")
        challenges.take(answered)
    except SessionError as error:
        raise unauthorized(str(error)) from error
    try:
        session, token = sessions.open(answered.account, signature.kid)
    except SessionsFull:
        raise unavailable("all sessions that the node takes are open: see sessions") from None
    return SessionAnswer(answered.account, session.ends, token)


async def end_session(api: Api, request: Request, asked: OfEnd) -> SessionsEnded:
    """End the session whose token is sent, or all of its account."""
    caller: Caller | None = request.scope.get(CALLER)
    session = None if caller is None else caller.session
    if session is None:
        raise unauthorized("send the token of the session to end as `Authorization: Bearer`")
    await api.any_body(request)
    sessions = api.callers.sessions
    if asked.which == "all":
        return SessionsEnded(sessions.end_all(session.account))
    return SessionsEnded(sessions.end(session))


def _origin(api: Api, request: HTTPConnection) -> str:
    """The origin under which a caller knows this node. Raises ProblemError, 400."""
    is_safe = request.scope["scheme"] == "https" or api.settings.behind_tls_proxy
    scheme = "https" if is_safe else "http"
    try:
        return origin_of(f"{scheme}://{request.headers['host']}")
    except ValueError as error:
        raise bad_request(f"the header Host names no host and port: {error}") from error
