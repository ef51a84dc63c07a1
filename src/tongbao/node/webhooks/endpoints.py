"""Which endpoints there are: one TOML file, checked whole before anything is sent."""

from __future__ import annotations

import ssl
import tomllib
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import msgspec
from msgspec import Meta, Struct

from tongbao.sdk.place import FILTERS, place_of

SECRET_BYTES_LEAST: Final = 16
SECRET_BYTES_MOST: Final = 4_096
FILE_BYTES_LIMIT: Final = 1_048_576


class WebhookError(Exception):
    """A file of endpoints, an endpoint or a letter that can't be used; the text says what to do."""

    exit_code = 78
    advice = "see docs/operate/webhooks.md"


class Endpoint(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where one follower is told, and of what. Empty filters let everything through.

    `after` is the cursor behind which a new endpoint begins; empty for what happens from now on.
    `authorities` is a file of PEM with who may certify its host; empty for the system's.
    """

    name: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,62}\Z")]
    url: Annotated[str, Meta(min_length=1, max_length=2_000)]
    secret_file: str
    account: str = ""
    asset: str = ""
    thing: str = ""
    type: str = ""
    after: str = ""
    authorities: str = ""
    attempts: Annotated[int, Meta(ge=1, le=50)] = 10
    first_pause_ms: Annotated[int, Meta(ge=10, le=60_000)] = 1_000

    @property
    def filters(self) -> dict[str, str]:
        """The filters of the event stream that are set."""
        found = {name: getattr(self, name) for name in FILTERS}
        return {name: value for name, value in found.items() if value}


class Webhooks(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All endpoints, and the hosts within our own network that may be posted to."""

    endpoint: Annotated[tuple[Endpoint, ...], Meta(min_length=1, max_length=64)]
    private_hosts: Annotated[tuple[str, ...], Meta(max_length=64)] = ()


class Target(Struct, frozen=True):
    """Where an endpoint is: the parts of its URL, and whether it may be within our network."""

    scheme: str
    host: str
    port: int
    path: str
    is_private: bool


def read_webhooks(file: Path) -> Webhooks:
    """The endpoints of a file. Raises WebhookError."""
    try:
        with file.open("rb") as opened:
            text = opened.read(FILE_BYTES_LIMIT).decode()
        found = msgspec.convert(tomllib.loads(text), Webhooks)
    except OSError as error:
        raise WebhookError(f"{file}: {error.strerror}: check the path") from error
    except (ValueError, msgspec.ValidationError) as error:  # TOML's and UTF-8's are ValueErrors
        raise WebhookError(f"{file}: {error}") from error
    names = [one.name for one in found.endpoint]
    for one in found.endpoint:
        if names.count(one.name) > 1:
            raise WebhookError(f"{file}: two endpoints are named {one.name}: give each its own")
        target_of(one, found.private_hosts)
        if one.after:
            try:
                place_of(one.after)
            except ValueError as error:
                raise WebhookError(f"{file}: {one.name}: after: {error}") from error
    return found


def target_of(endpoint: Endpoint, private_hosts: tuple[str, ...]) -> Target:
    """The parts of an endpoint's URL. Raises WebhookError."""
    name = endpoint.name
    try:
        parts = urlsplit(endpoint.url)
        host, port = parts.hostname or "", parts.port
    except ValueError as error:
        raise WebhookError(f"{name}: the url is none ({error})") from error
    is_private = host in {named.strip("[]").lower() for named in private_hosts}
    if parts.scheme not in ("https", "http") or not host or port == 0:
        raise WebhookError(f"{name}: a url is https://HOST/PATH")
    if parts.scheme == "http" and not is_private:
        raise WebhookError(
            f"{name}: a url begins with https://; plain http is for hosts of private_hosts alone"
        )
    if "@" in parts.netloc or parts.fragment:
        raise WebhookError(
            f"{name}: a url has no name, password or #: the signature says who we are"
        )
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    default = 443 if parts.scheme == "https" else 80
    return Target(parts.scheme, host, port or default, path, is_private)


def context_of(endpoint: Endpoint) -> ssl.SSLContext:
    """How an endpoint's host proves itself. Raises WebhookError."""
    try:
        return ssl.create_default_context(cafile=endpoint.authorities or None)
    except OSError as error:  # also what TLS says
        raise WebhookError(
            f"{endpoint.name}: {endpoint.authorities} can't be used ({error.strerror or error}): "
            "it is a PEM file"
        ) from error


def secret_of(endpoint: Endpoint) -> bytes:
    """The secret that signs: the first line of the endpoint's file. Raises WebhookError."""
    file = Path(endpoint.secret_file)
    try:
        with file.open("rb") as opened:
            found = opened.read(SECRET_BYTES_MOST).partition(b"\n")[0].rstrip(b"\r")
    except OSError as error:
        raise WebhookError(f"{endpoint.name}: {file}: {error.strerror}") from error
    if len(found) < SECRET_BYTES_LEAST:
        raise WebhookError(
            f"{endpoint.name}: the secret in {file} has less than {SECRET_BYTES_LEAST} bytes: "
            "write one by `openssl rand -hex 32`"
        )
    return found
