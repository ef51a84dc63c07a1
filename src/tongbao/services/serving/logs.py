"""The log: one line for each thing worth knowing, on standard error; never a person or content."""

from __future__ import annotations

import logging
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from typing import Any, Final

import structlog

from tongbao.store.errors import StoreError

QUIET: Final = ("uvicorn", "websockets", "httpx2", "httpcore2")
"""Loggers of libraries that tell who asks for what, and where, as soon as they tell more than
warnings: the address of a webhook is often its secret."""
SPEAKING: Final = (OSError, StoreError)
"""Errors whose text is of files and disks; texts of others may quote what a caller sent."""


def send_log(level_name: str = "info", form: str = "json") -> None:
    """Send everything that is logged in this process to standard error; `form` is json or text."""
    level = getattr(logging, level_name.upper())
    render: structlog.types.Processor = (
        structlog.processors.JSONRenderer()
        if form == "json"
        else structlog.dev.ConsoleRenderer(colors=False)
    )
    shared: list[structlog.types.Processor] = [
        structlog.stdlib.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.stdlib.add_logger_name,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared, first_line],
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                where,
                render,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def first_line(logger: Any, name: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Of what a library says only the first line: later ones show its objects."""
    said["event"] = str(said["event"]).partition("\n")[0]
    return said


def where(logger: Any, name: str, said: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """An exception's kind and the places that it came through; its text only where it is safe."""
    info = said.pop("exc_info", None)
    error = info[1] if isinstance(info, tuple) else info
    if isinstance(error, BaseException):
        frames = traceback.extract_tb(error.__traceback__)
        said["error"] = type(error).__name__
        said["places"] = [f"{Path(at.filename).name}:{at.lineno} {at.name}" for at in frames]
        if isinstance(error, SPEAKING):
            said["why"] = str(error)
    return said
