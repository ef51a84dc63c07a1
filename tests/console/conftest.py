"""A node whose chain has something to show on every page, and a browser to look at it."""

from __future__ import annotations

import asyncio
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import httpx2
import pytest
from playwright.sync_api import Browser, sync_playwright
from starlette.applications import Starlette

from tests.fixed_chain import BEGIN, HOUR
from tests.node.conftest import Served, serving
from tongbao.console import Console
from tongbao.kernel import Amount, AssetCode, AssetId, Hash, Reference, Small, Time
from tongbao.modules import asset, hold


class Shown:
    """A served chain with payments, a refusal, a hold and two assets, and where each is shown."""

    def __init__(self, served: Served) -> None:
        """Make the chain's history."""
        fixed = served.fixed
        self.served = served
        self.fixed = fixed
        self.capped = AssetId(f"GOLD.{fixed.bank}")
        self.paid = self.send(fixed.pay("12.50"))
        self.refused = self.send(fixed.pay("999999.00"))
        self.held = self.send(
            fixed.signed(
                "alice",
                hold.Place(
                    asset=fixed.cny,
                    amount=Amount("20.00"),
                    payee=fixed.shop,
                    expires_at=Time(BEGIN + 2 * HOUR),
                ),
            )
        )
        self.several = self.send(
            fixed.signed(
                "bank",
                asset.Define(
                    code=AssetCode("GOLD"),
                    scale=Small(4),
                    cap=Amount("1000000.0000"),
                    metadata_hash=Hash("ab" * 32),
                ),
                *(
                    asset.Issue(
                        asset=self.capped,
                        amount=Amount("1250.0000"),
                        payee=fixed.alice,
                        reference=Reference(f"vault-{place}"),
                    )
                    for place in range(3)
                ),
            )
        )

        served.client.get(
            f"/v1/accounts/{fixed.alice}/movements",
            params={"min_height": served.chain.head().height},
        ).raise_for_status()

    def send(self, wire: bytes) -> str:
        """Submit a transaction and give its id."""
        answer = self.served.send(wire).json()
        return str(answer["id"])

    @property
    def pages(self) -> dict[str, str]:
        """A path of every kind of page."""
        return {
            "overview": "/",
            "blocks": "/blocks",
            "block": "/blocks/2",
            "genesis": "/blocks/0",
            "transaction": f"/transactions/{self.paid}",
            "refused": f"/transactions/{self.refused}",
            "several": f"/transactions/{self.several}",
            "unknown": f"/transactions/{'ab' * 32}",
            "account": f"/accounts/{self.fixed.alice}",
            "issuer": f"/accounts/{self.fixed.bank}",
            "vault": f"/accounts/{hold.module.vault}",
            "statement": f"/accounts/{self.fixed.alice}/statement?asset={self.fixed.cny}",
            "history": f"/accounts/{self.fixed.alice}/history",
            "asset": f"/assets/{self.fixed.cny}",
            "capped": f"/assets/{self.capped}",
            "search": "/search",
            "nothing": "/search?q=coffee",
            "odd": "/blocks/-1",
            "missing": "/no/such/page",
        }

    def get(self, path: str, language: str = "en", **headers: str) -> str:
        """The HTML of a page."""
        asked = {"accept": "text/html", "accept-language": language, **headers}
        answer = self.served.client.get(path, headers=asked)
        assert answer.headers["content-type"] == "text/html; charset=utf-8", answer.text
        return answer.text


class Largest(Shown):
    """A served chain with the widest codes and the largest amounts, and where each is shown."""

    def __init__(self, served: Served) -> None:
        """Make the chain's history: each amount is issued, moved, and the whole one put on hold."""
        super().__init__(served)
        fixed = served.fixed
        self.whole = AssetId(f"{'M' * 12}.{fixed.bank}")
        self.divided = AssetId(f"{'W' * 12}.{fixed.bank}")
        self.moves = []
        for asset_id, scale, amount in (
            (self.whole, 0, Amount("9223372036854775807")),
            (self.divided, 18, Amount("9.223372036854775807")),
        ):
            code = AssetCode(asset_id.partition(".")[0])
            define = asset.Define(code=code, scale=Small(scale), cap=amount)
            reference = Reference("first")
            issue = asset.Issue(
                asset=asset_id, amount=amount, payee=fixed.alice, reference=reference
            )
            give = asset.Transfer(asset=asset_id, amount=amount, payee=fixed.shop)
            self.moves.append(self.send(fixed.signed("bank", define, issue)))
            self.moves.append(self.send(fixed.signed("alice", give)))
            back = asset.Transfer(asset=asset_id, amount=amount, payee=fixed.alice)
            self.moves.append(self.send(fixed.signed("shop", back)))
        place = hold.Place(
            asset=self.whole,
            amount=Amount("9223372036854775807"),
            payee=fixed.shop,
            expires_at=Time(BEGIN + 2 * HOUR),
        )
        self.moves.append(self.send(fixed.signed("alice", place)))
        served.client.get(
            f"/v1/accounts/{fixed.alice}/movements",
            params={"min_height": served.chain.head().height},
        ).raise_for_status()

    @property
    def pages(self) -> dict[str, str]:
        """A path of every page with an amount."""
        fixed = self.fixed
        places = {
            "alice": f"/accounts/{fixed.alice}",
            "shop": f"/accounts/{fixed.shop}",
            "issuer": f"/accounts/{fixed.bank}",
            "vault": f"/accounts/{hold.module.vault}",
            "statement": f"/accounts/{fixed.alice}/statement?asset={self.whole}",
            "divided-statement": f"/accounts/{fixed.alice}/statement?asset={self.divided}",
            "whole": f"/assets/{self.whole}",
            "divided": f"/assets/{self.divided}",
        }
        moved = {f"move-{place}": f"/transactions/{one}" for place, one in enumerate(self.moves)}
        return places | moved


def read(console: Console, path: str, status: int = 200) -> str:
    """A page without a node around it."""

    async def ask() -> httpx2.Response:
        transport = httpx2.ASGITransport(Starlette(routes=console.routes()))
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as client:
            return await client.get(path)

    answer = asyncio.run(ask())
    assert answer.status_code == status, answer.text
    return answer.text


@contextmanager
def showing() -> Iterator[Shown]:
    """Serve the chain until the `with` statement ends."""
    with serving() as served:
        yield Shown(served)


@pytest.fixture(scope="session")
def shown() -> Iterator[Shown]:
    """One chain for all tests that only look."""
    with showing() as found:
        yield found


@pytest.fixture(scope="session")
def largest() -> Iterator[Largest]:
    """One chain of the largest values for all tests that only look."""
    with serving() as served:
        yield Largest(served)


@contextmanager
def browsing() -> Iterator[Browser]:
    """Debian's Chromium, without a window."""
    path = shutil.which("chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """One browser for a file of tests; without one they are skipped, and fail in CI.

    It ends with its file: while it runs, this thread has an event loop, and no other test could
    begin one.
    """
    if shutil.which("chromium") is None:
        reason = "NOT TESTED: chromium is not installed: apt-get install chromium"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    with browsing() as found:
        yield found
