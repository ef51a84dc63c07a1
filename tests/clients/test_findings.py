"""Findings have the same numbers, names and advice in every client."""

import re
from pathlib import Path

from tongbao.sdk.verification import Finding

SOURCE = Path(__file__).parents[2] / "clients" / "typescript" / "src" / "verification_error.ts"
LINE = re.compile(r'([A-Z_]+): \[\s*([0-9]+),\s*"([^"]*)",?\s*\]')


def test_the_typescript_client_names_the_same_findings() -> None:
    """
    Given the list of findings of the TypeScript client,
    when it is compared with the one in Python,
    then names, numbers and advice are the same.
    """
    found = LINE.findall(SOURCE.read_text())
    assert found == [(one.name, str(one.number), one.advice) for one in Finding]
