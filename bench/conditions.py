"""Under which conditions figures were measured: what stands beside them in every file."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path
from typing import Any

from tongbao import __version__

DURABILITY = "fdatasync of the block log before each answer"


def cpu_name() -> str:
    """The processor's name as Linux tells it."""
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


def build() -> str:
    """Whether the modules that decide are interpreted or compiled."""
    kernel = sys.modules["tongbao.kernel"].__file__ or ""
    return "pure Python" if kernel.endswith(".py") else "compiled"


def conditions() -> dict[str, Any]:
    """The machine, how busy others keep it, and what runs on it."""
    return {
        "version": __version__,
        "build": build(),
        "durability": DURABILITY,
        "cpu": cpu_name(),
        "cores": len(os.sched_getaffinity(0)),
        "load_before": os.getloadavg()[0],
        "python": platform.python_version(),
    }
