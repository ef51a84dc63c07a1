"""One authority orders and signs: embedded, in one process, durable before it answers.

Names are loaded when they are first used: a verifier needs `header.py` and no store.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tongbao.engines.solo.engine import Busy, EngineStopped, Options, SoloEngine
    from tongbao.engines.solo.header import Header, HeaderError, read_header
    from tongbao.engines.solo.producer import Producer
    from tongbao.engines.solo.ticket import Answer, Ticket

_HOMES = {
    "Answer": "ticket",
    "Busy": "engine",
    "EngineStopped": "engine",
    "Header": "header",
    "HeaderError": "header",
    "Options": "engine",
    "Producer": "producer",
    "SoloEngine": "engine",
    "Ticket": "ticket",
    "read_header": "header",
}

__all__ = [
    "Answer",
    "Busy",
    "EngineStopped",
    "Header",
    "HeaderError",
    "Options",
    "Producer",
    "SoloEngine",
    "Ticket",
    "read_header",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    if name not in _HOMES:
        raise AttributeError(f"tongbao.engines.solo has no {name}")
    return getattr(import_module(f"tongbao.engines.solo.{_HOMES[name]}"), name)
