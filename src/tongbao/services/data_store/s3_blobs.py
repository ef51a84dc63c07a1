"""Blobs at a service that speaks S3: one object for each, `PREFIX SPACE/NAME` in one bucket.

The bucket keeps no versions: what is erased would else be there still. Which bucket stands in a
TOML file; the credentials come from the environment, and open none of what is kept.
"""

from __future__ import annotations

import os
import re
import tomllib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final
from urllib.parse import urlsplit

import httpx2
import msgspec
from msgspec import Meta, Struct

from tongbao.services.data_store.blobs import PIECE_BYTES
from tongbao.services.data_store.names import NAME, Kept
from tongbao.services.data_store.s3_signing import Credentials, canonical_query, signed_headers
from tongbao.services.serving.listening import is_loopback
from tongbao.services.serving.problems import Problem

TIMEOUT_S: Final = 60.0
ANSWER_BYTES_LIMIT: Final = 4_194_304
NOTHING: Final = sha256().hexdigest()
CONTENTS: Final = re.compile(r"<Contents>(.*?)</Contents>", re.DOTALL)
KEY: Final = re.compile(r"<Key>([^<&]*)</Key>")
SIZE: Final = re.compile(r"<Size>([0-9]{1,15})</Size>")
TRUNCATED: Final = "<IsTruncated>true</IsTruncated>"
VERSIONS: Final = re.compile(r"<Status>\s*(Enabled|Suspended)\s*</Status>")


class S3Error(Exception):
    """A bucket that can't be used, or a file that names none; the text says what to do."""

    exit_code = 78


class Bucket(Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """What stands in the TOML file. Addresses are written with the bucket in the path."""

    endpoint: Annotated[str, Meta(pattern=r"^https?://[^/?#\s]+/?\Z", max_length=300)]
    region: Annotated[str, Meta(pattern=r"^[a-z0-9-]{1,64}\Z")]
    bucket: Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]\Z")]
    prefix: Annotated[str, Meta(pattern=r"^(?:[a-z0-9-]{1,64}/)?\Z")] = ""


def read_bucket(file: Path) -> Bucket:
    """The bucket that a file names. Raises S3Error, OSError."""
    try:
        found = msgspec.convert(tomllib.loads(file.read_text(encoding="utf-8")), Bucket)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, UnicodeDecodeError) as error:
        raise S3Error(f"{file}: {error}: see docs/operate/data-store.md") from None
    parts = urlsplit(found.endpoint)
    if parts.scheme != "https" and not is_loopback(parts.hostname or ""):
        raise S3Error(f"{file}: {found.endpoint} is in the clear: give an https endpoint")
    return found


def credentials_of(environment: Mapping[str, str] = os.environ) -> Credentials:
    """Who asks, by the variables that all clients of S3 know. Raises S3Error."""
    try:
        return Credentials(
            environment["AWS_ACCESS_KEY_ID"],
            environment["AWS_SECRET_ACCESS_KEY"],
            environment.get("AWS_SESSION_TOKEN", ""),
        )
    except KeyError as error:
        raise S3Error(f"the variable {error.args[0]} is not set: give the credentials") from None


class S3Blobs:
    """The blobs of one bucket. Threads may share it."""

    def __init__(self, bucket: Bucket, credentials: Credentials) -> None:
        """Ask for nothing yet; `check` does."""
        self._bucket = bucket
        self._credentials = credentials
        parts = urlsplit(bucket.endpoint)
        self._base = f"{parts.scheme}://{parts.netloc}"
        self._host = parts.netloc
        self._client = httpx2.Client(timeout=TIMEOUT_S, follow_redirects=False)

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def check(self) -> None:
        """Whether the bucket is there and keeps no versions. Raises S3Error."""
        try:
            answer = self._ask("GET", "", {"versioning": ""})
            there = self._ask("GET", "", {"list-type": "2", "max-keys": "1"})
        except Problem as error:
            raise S3Error(f"{self._base}: {error.detail}") from None
        if there.status_code != HTTPStatus.OK:
            raise S3Error(
                f"the bucket {self._bucket.bucket} answers {there.status_code}: check its name, "
                "the region and the credentials"
            )
        # A service without versions says so by an error of its own.
        if VERSIONS.search(answer.text):
            raise S3Error(
                f"the bucket {self._bucket.bucket} keeps versions, so that nothing would ever be "
                "erased: take another one"
            )

    def put(self, space: str, name: str, spooled: Path) -> bool:
        """Send the file, unless there is an object."""
        digest = sha256()
        for piece in _pieces(spooled):
            digest.update(piece)
        headers = {"content-length": str(spooled.stat().st_size), "if-none-match": "*"}
        answer = self._ask(
            "PUT", self._key(space, name), {}, headers, _pieces(spooled), digest.hexdigest()
        )
        if answer.status_code == HTTPStatus.PRECONDITION_FAILED:
            return False
        _must_be(answer, HTTPStatus.OK)
        return True

    def size(self, space: str, name: str) -> int | None:
        """The size of the object."""
        answer = self._ask("HEAD", self._key(space, name), {})
        if answer.status_code == HTTPStatus.NOT_FOUND:
            return None
        _must_be(answer, HTTPStatus.OK)
        return int(answer.headers["content-length"])

    def read(self, space: str, name: str, start: int, count: int) -> Iterator[bytes]:
        """Read the object piece by piece, each asked for when it is wanted."""
        if self.size(space, name) is None:
            raise KeyError(name)
        return self._ranges(self._key(space, name), start, count)

    def _ranges(self, key: str, start: int, count: int) -> Iterator[bytes]:
        end = start + count
        for at in range(start, end, PIECE_BYTES):
            last = min(at + PIECE_BYTES, end) - 1
            answer = self._ask("GET", key, {}, {"range": f"bytes={at}-{last}"})
            _must_be(answer, HTTPStatus.PARTIAL_CONTENT)
            if len(answer.content) != last + 1 - at:
                raise _away("the storage gives another part than was asked for")
            yield answer.content

    def remove(self, space: str, name: str) -> None:
        """Delete the object."""
        answer = self._ask("DELETE", self._key(space, name), {})
        _must_be(answer, HTTPStatus.NO_CONTENT, HTTPStatus.OK, HTTPStatus.NOT_FOUND)

    def kept(self, space: str) -> list[Kept]:
        """The objects of the space."""
        prefix = self._key(space, "")
        found: list[Kept] = []
        query = {"list-type": "2", "prefix": prefix}
        while True:
            answer = self._ask("GET", "", query)
            _must_be(answer, HTTPStatus.OK)
            for one in CONTENTS.findall(answer.text):
                key, size = KEY.search(one), SIZE.search(one)
                if key is None or size is None or not key[1].startswith(prefix):
                    raise _away("the storage's list can't be read")
                name = key[1].removeprefix(prefix)
                if NAME.match(name):
                    found.append(Kept(name, int(size[1])))
            if TRUNCATED not in answer.text or not found:
                return sorted(found, key=lambda kept: kept.name)
            query["start-after"] = prefix + found[-1].name

    def _key(self, space: str, name: str) -> str:
        return f"{self._bucket.prefix}{space}/{name}"

    def _ask(
        self,
        method: str,
        key: str,
        parameters: Mapping[str, str],
        headers: Mapping[str, str] | None = None,
        body: Iterator[bytes] | None = None,
        payload_hash: str = NOTHING,
    ) -> httpx2.Response:
        """The answer to one request. Raises Problem where there is none."""
        path, query = f"/{self._bucket.bucket}/{key}", canonical_query(parameters)
        signed = signed_headers(
            self._credentials,
            self._bucket.region,
            method=method,
            host=self._host,
            path=path,
            query=query,
            payload_hash=payload_hash,
            now=datetime.now(UTC),
            further=headers,
        )
        url = f"{self._base}{path}" + (f"?{query}" if query else "")
        try:
            return self._client.request(method, url, headers=signed, content=body)
        except httpx2.TransportError as error:
            raise _away(f"the storage does not answer ({type(error).__name__})") from None


def open_bucket(file: Path) -> S3Blobs:
    """The blobs of the bucket that a file names, checked. Raises S3Error, OSError."""
    blobs = S3Blobs(read_bucket(file), credentials_of())
    blobs.check()
    return blobs


def _must_be(answer: httpx2.Response, *statuses: HTTPStatus) -> None:
    if answer.status_code not in statuses:
        raise _away(f"the storage answers {answer.status_code}")


def _away(what: str) -> Problem:
    return Problem(503, f"{what}: try again later", headers={"Retry-After": "5"})


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(PIECE_BYTES):
            yield piece
