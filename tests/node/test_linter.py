"""The OpenAPI document, judged by Redocly's linter."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Final

import pytest

from tests.node.conftest import Served

LINTER: Final = Path(__file__).parent / "linter"
ACCEPTED: Final = [
    {
        # A WebSocket's good answer is 101; OpenAPI 3.1 has no other way to speak of one.
        "rule": "operation-2xx-response",
        "severity": "warn",
        "message": "Operation must have at least one `2XX` response.",
        "at": f"#/paths/~1v1~1{subject}~1socket/get/responses",
    }
    for subject in ("transactions", "events")
]
"""What the linter says that stays, each with its reason."""


def install() -> None:
    """Install what package-lock.json names, unless it is there already."""
    installed = LINTER / "node_modules" / ".package-lock.json"
    lock = LINTER / "package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
        subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=LINTER, check=True)


def lint(document: str) -> object:
    """What the linter says of a document."""
    run = subprocess.run(
        ["node", "lint.mjs"], cwd=LINTER, input=document, capture_output=True, text=True, check=True
    )
    return json.loads(run.stdout)


@pytest.mark.needs("node", "npm")
def test_the_document_keeps_the_rules_of_a_linter(served: Served) -> None:
    """
    Given the OpenAPI document of a node,
    when Redocly's linter judges it, and a document without licence, answers and tag,
    then it finds nothing in the first but what is accepted with a reason, and much in the second.
    """
    install()
    text = served.client.get("/openapi.json").text
    broken = json.loads(text)
    del broken["info"]["license"]
    broken["paths"]["/livez"]["get"] = {"responses": {}}

    assert lint(text) == ACCEPTED
    found = lint(json.dumps(broken))
    assert isinstance(found, list)
    rules = {line["rule"] for line in found}
    assert {"info-license", "operation-operationId", "operation-4xx-response"} <= rules
