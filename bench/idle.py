"""What a node costs while nobody asks anything: CPU and memory of all its processes."""

from __future__ import annotations

from pathlib import Path
from threading import Event

from bench.node import running
from bench.processes import difference
from bench.workload import Workload

SECONDS = 20.0
SETTLED_S = 2.0


def measure(folder: Path, seconds: float = SECONDS) -> dict[str, float]:
    """Percent of one core, and resident MB without LMDB's map, of a node on a new chain."""
    Workload(folder, 1).lay_out()
    never = Event()
    with running(folder) as node:
        never.wait(SETTLED_S)
        before = node.cpu_s()
        never.wait(seconds)
        used = sum(difference(node.cpu_s(), before).values())
        return {"idle_cpu_percent": 100 * used / seconds, "idle_rss_mb": node.all_rss_mb()}
