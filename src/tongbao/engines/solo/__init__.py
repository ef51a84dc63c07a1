"""One authority orders and signs: embedded, in one process, durable before it answers."""

from tongbao.engines.solo.engine import Answer, Busy, EngineStopped, Options, SoloEngine
from tongbao.engines.solo.header import Header, HeaderError, read_header
from tongbao.engines.solo.producer import Producer

__all__ = [
    "Answer",
    "Busy",
    "EngineStopped",
    "Header",
    "HeaderError",
    "Options",
    "Producer",
    "SoloEngine",
    "read_header",
]
