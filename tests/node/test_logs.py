"""The log's lines: kinds and places of errors, but no text that may quote somebody."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Final

PROGRAM: Final = """
import logging
from tongbao.node.logs import configure_log
from tongbao.node.settings import Settings

configure_log(Settings(log_level="debug"))
for error in (ValueError("Wilhelmina"), OSError(28, "No space left on device")):
    try:
        raise error
    except Exception:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application\\n")
logging.getLogger("asyncio").error("Task exception was never retrieved\\nfuture: <Wilhelmina>")
logging.getLogger("uvicorn.error").info('127.0.0.1 - "WebSocket /?account=Wilhelmina" [accepted]')
logging.getLogger("websockets.server").debug("< GET /?account=Wilhelmina HTTP/1.1")
"""


def test_an_error_is_logged_by_its_kind_and_place() -> None:
    """
    Given a process that logs all it can,
    when errors that quote a caller are logged, one of the disk, and what libraries say of requests,
    then each error is a line with its kind and the places it came through; only the disk's has its
    text, of libraries' texts the first line is there, and of their talk about requests nothing.
    """
    run = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=True
    )
    lines = [json.loads(line) for line in run.stderr.splitlines()]

    assert "Wilhelmina" not in run.stderr
    assert [line["event"] for line in lines] == [
        "Exception in ASGI application",
        "Exception in ASGI application",
        "Task exception was never retrieved",
    ]
    assert [line.get("error") for line in lines] == ["ValueError", "OSError", None]
    assert [line.get("why") for line in lines] == [None, "[Errno 28] No space left on device", None]
    assert lines[0]["places"] == ["<string>:9 <module>"]
