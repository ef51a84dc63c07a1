"""Frozen results: changing one is an act of its own, TONGBAO_GOLDEN=rewrite, seen in review."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

_FOLDER = Path(__file__).resolve().parent / "golden"


def check_golden(name: str, section: str, found: Any) -> None:
    """Compare `found` (plain JSON values) with one section of a golden file."""
    file = _FOLDER / name
    kept: dict[str, Any] = json.loads(file.read_text()) if file.exists() else {}
    if os.environ.get("TONGBAO_GOLDEN") == "rewrite":
        kept[section] = found
        file.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n")
        return
    assert kept.get(section) == found, f"{name}: an encoding changed, which forks every ledger"
