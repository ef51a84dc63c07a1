"""The owner's side of an agent: hand over copies, take them back, and ask who asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Annotated, Any, Final

import httpx2
import msgspec
from msgspec import Meta, Struct

from tongbao.kernel import Address, ChainId
from tongbao.sdk.client import Client
from tongbao.sdk.exchange_keys import ledger_exchange_key
from tongbao.sdk.signed_requests import SigningAuth
from tongbao.sdk.signer import Signer

TIMEOUT_S: Final = 30.0
PATIENCE_S: Final = 120.0
"""How long one answer may take altogether: one that drips holds up nobody."""
ANSWER_BYTES_LIMIT: Final = 16_777_216
PAGES_LIMIT: Final = 1_000
PAGES_BYTES_LIMIT: Final = 134_217_728
"""What the pages of one list may have altogether."""

Cursor = Annotated[str, Meta(pattern=r"^[0-9a-zA-Z._-]{1,100}\Z")]


class AgentError(Exception):
    """An agent does not answer, or not as it must; the text says what."""

    exit_code = 75
    advice = "try again when the agent answers; nothing else is undone"


class AgentRefuses(AgentError):
    """An agent answers that it does not do this; the next may be done."""


class About(Struct, frozen=True, kw_only=True):
    """Who an agent says it is."""

    account: Address
    chain: ChainId
    service: str
    version: str


class AgentDoor:
    """One agent, asked as the owner of rows. Close it."""

    def __init__(self, url: str, signer: Signer, account: str) -> None:
        """Name the agent; nothing is asked yet."""
        self.url = url.rstrip("/")
        self._client = httpx2.Client(
            base_url=self.url, timeout=TIMEOUT_S, auth=SigningAuth(signer, account)
        )

    def about(self, chain: Client) -> About:
        """Which account the agent acts for. Raises AgentError for one of another chain."""
        found: About = _decoded(self._ask("GET", "/v1"), About)
        if found.service != "tongbao-data-agent" or found.chain != chain.id:
            raise AgentError(f"{self.url} is no agent of this chain: {found.chain}")
        return found

    def key(self, chain: Client, account: str, now_ms: int) -> bytes:
        """The key to write to, signed by the agent's account on the ledger."""
        try:
            return ledger_exchange_key(chain, self._ask("GET", "/v1/key"), account, now_ms)
        except ValueError as error:
            raise AgentError(f"{self.url} has no key to write to: {error}") from None

    def put_copy(self, batch: str, parcel: bytes) -> None:
        """Hand over a copy; the same again is no change."""
        self._ask("PUT", f"/v1/copies/{batch}", parcel)

    def delete_copy(self, batch: str) -> dict[str, str | int]:
        """Let a copy and its key be destroyed; the receipt. Without a copy it is empty."""
        answer = self._ask("DELETE", f"/v1/copies/{batch}", may_miss=True)
        return _decoded(answer, dict[str, str | int]) if answer else {}

    def copies(self) -> dict[str, tuple[str, ...]]:
        """The batches that the agent has, each with the fields that are open in it."""
        return {one.batch: one.fields for one in self._pages("/v1/copies", _Copies, "copies")}

    def requests(self) -> list[dict[str, Any]]:
        """Everything that was asked about the owner, the oldest first."""
        return list(self._pages("/v1/requests", _Asked, "requests"))

    def receipt(self, order: str) -> bytes:
        """The receipt of a grant; empty where the agent has none."""
        return self._ask("GET", f"/v1/receipts/{order}", may_miss=True)

    def _pages(self, path: str, kind: type[_Page], member: str) -> Iterator[Any]:
        """What all pages have. Raises AgentError for an agent that goes on answering."""
        after, left = "", PAGES_BYTES_LIMIT
        for _ in range(PAGES_LIMIT):
            text = self._ask("GET", f"{path}?after={after}" if after else path)
            left -= len(text)
            if left < 0:
                break
            page = _decoded(text, kind)
            found = getattr(page, member)
            yield from found
            if not found or not page.next or page.next == after:
                return
            after = page.next
        raise AgentError(f"{self.url} goes on answering pages")

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def _ask(self, method: str, path: str, body: bytes = b"", may_miss: bool = False) -> bytes:
        ends = time.monotonic() + PATIENCE_S
        try:
            with self._client.stream(method, path, content=body) as answer:
                text = bytearray()
                for piece in answer.iter_bytes():
                    text += piece
                    if len(text) > ANSWER_BYTES_LIMIT or time.monotonic() > ends:
                        raise AgentError(f"{self.url} answers too much, or too slowly")
        except httpx2.RequestError as error:
            raise AgentError(f"{self.url} does not answer: {type(error).__name__}") from None
        if may_miss and answer.status_code == 404:
            return b""
        if answer.status_code >= 300:
            raise AgentRefuses(f"{self.url} refuses with {answer.status_code}: {_detail(text)}")
        return bytes(text)


class _Copy(Struct, frozen=True, kw_only=True):
    batch: str
    fields: tuple[str, ...]


class _Page(Struct, frozen=True, kw_only=True):
    next: Cursor | None = None


class _Copies(_Page, frozen=True, kw_only=True):
    copies: tuple[_Copy, ...]


class _Asked(_Page, frozen=True, kw_only=True):
    requests: tuple[dict[str, Any], ...]


class _Problem(Struct, frozen=True):
    detail: Annotated[str, Meta(max_length=2_000)] = ""


def shown(text: str) -> str:
    """A text of somebody else's, without what would move or turn what stands after it."""
    return "".join(letter if letter.isprintable() else "?" for letter in text)


def _decoded(text: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(text, type=kind)
    except (msgspec.DecodeError, ValueError, RecursionError) as error:
        raise AgentError(f"the agent's answer can't be read: {error}") from None


def _detail(text: bytearray) -> str:
    try:
        return shown(msgspec.json.decode(bytes(text), type=_Problem).detail)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return "it does not say why"
