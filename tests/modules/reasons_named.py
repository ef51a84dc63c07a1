"""Which reasons of a module its tests name, for the test that none is forgotten."""

from __future__ import annotations

import re
from pathlib import Path

from tongbao.kernel import Module


def unnamed_reasons(module: Module, tests: Path) -> list[str]:
    """The reasons that no test file beside `tests` expects: `Why.NAME`, or `module.Why.NAME`."""
    text = "".join(file.read_text() for file in sorted(tests.parent.glob("test_*.py")))
    named = set(re.findall(rf"refuses\((?:{module.name}\.)?Why\.([A-Z_]+)\)", text))
    return [reason.name for reason in module.reasons or () if reason.name not in named]
