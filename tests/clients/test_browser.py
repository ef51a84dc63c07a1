"""The TypeScript client in Debian's Chromium: a page pays with a key of its own, and verifies."""

from __future__ import annotations

import functools
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.clients.conftest import HERE, told
from tests.node.conftest import serving
from tools.client import CLIENT

pytestmark = [pytest.mark.needs("chromium", "node", "npm"), pytest.mark.usefixtures("built")]

CHROMIUM: Final = "chromium"
PAGES: Final = ("browser.html", "browser.mjs")


class Files(SimpleHTTPRequestHandler):
    """The compiled client, its dependencies, and the page of this folder."""

    def translate_path(self, path: str) -> str:
        """The page lies here, everything else in the client's folder."""
        name = path.removeprefix("/")
        return str(HERE / name) if name in PAGES else super().translate_path(path)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: the browser tells what it did not get."""


@contextmanager
def pages() -> Iterator[str]:
    """The origin of a server of these files."""
    handler = functools.partial(Files, directory=CLIENT)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def chromium() -> Iterator[Browser]:
    """The system's browser, without a window."""
    with sync_playwright() as playwright:
        program = shutil.which(CHROMIUM)
        browser = playwright.chromium.launch(executable_path=program, args=["--no-sandbox"])
        try:
            yield browser
        finally:
            browser.close()


def told_by(browser: Browser, origin: str, maker: str) -> Any:
    """What the page found on a chain that lets its origin in."""
    with serving(allowed_origins=(origin,)) as served:
        page = browser.new_page()
        failures: list[str] = []
        page.on("pageerror", lambda error: failures.append(str(error)))
        page.goto(f"{origin}/{PAGES[0]}")
        page.wait_for_function("globalThis.story !== undefined")
        found = page.evaluate("given => story(given)", told(served) | {"maker": maker})
        assert not failures
        return found


@pytest.mark.parametrize("maker", ["webcrypto", "noble"])
def test_a_page_pays_with_its_own_key_and_verifies(maker: str) -> None:
    """
    Given a page in Chromium with a trust file, and a key made by WebCrypto or by the library,
    when it opens an account for the key, pays, is refused, follows and verifies,
    then everything is as the chain has it, absence, inclusion and a bundle are proven, lies are
    not, and the library was loaded only where it was asked for.
    """
    with pages() as origin, chromium() as browser:
        assert told_by(browser, origin, maker) == {
            "decided": "webcrypto",
            "loaded": maker == "noble",
            "before": [None, True],
            "after": "3.75",
            "refused": 2013,
            "proof": [True, True],
            "lie": "TRANSACTION_IS_NOT_PROVEN",
            "bundle": [2, "3.75", "BUNDLE_IS_UNREADABLE"],
            "seen": [[2, 0], [3, 0], [4, 0], [5, 2013]],
        }
