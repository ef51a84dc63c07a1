"""The page of the first day is done word for word, by four nodes in a network of their own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from tests.deploy.deployed import ROOT
from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.real import PROGRAM

PAGE: Final = ROOT / "docs" / "operate" / "first-day.md"
PROGRAMS: Final = (
    *("unshare", "ip", "openssl", "curl", "jq"),
    *("softhsm2-util", "pkcs11-tool", "prometheus", "promtool"),
)
ALONE: Final = ("unshare", "-rn", "--pid", "--fork", "--kill-child", "--mount-proc")
"""A network and processes of its own: ports are free, and nothing outlives the test."""
PATIENCE_S: Final = 900


@pytest.mark.needs(*PROGRAMS)
def test_the_first_day_of_a_network_goes_as_the_page_says(tmp_path: Path) -> None:
    """
    Given a machine with CometBFT, SoftHSM and Prometheus, and no network,
    when every block of the page is done, by three institutions on four hosts,
    then each does what the page says: a genesis of all parts, roles, an asset, a backup that is
    restored, an alert for a host that is lost, and its end once the host is back.
    """
    if not PROGRAM.is_file():
        not_tested(str(PROGRAM))
    run = f"ip link set lo up && exec {sys.executable} -m tools.tutorials {PAGE}"
    found = subprocess.run(
        [*ALONE, "sh", "-c", run],
        cwd=ROOT,
        env={**os.environ, "HOSTS": str(tmp_path / "hosts")},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=PATIENCE_S,
    )
    assert found.returncode == 0, found.stdout[-8_000:] + found.stderr


def test_what_the_page_has_installed_is_what_ci_and_the_unit_have() -> None:
    """
    Given the one step that the test above does not do, as it needs empty hosts,
    when its packages are looked up in what CI installs, and its other lines in the unit's page,
    then CI has all but curl's and OpenSSL's own, and the lines are there.
    """
    step = PAGE.read_text(encoding="utf-8").split("## 1.")[1].split("## 2.")[0]
    packages = set(
        re.findall(r"[a-z0-9-]+", " ".join(re.findall("apt-get install ([^\n`]+)", step)))
    )
    installed = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert len(packages) > 6
    assert [name for name in sorted(packages) if not re.search(rf"\b{name}\b", installed)] == []

    unit = (ROOT / "deploy" / "README.md").read_text(encoding="utf-8")
    for line in re.findall(r"(?m)^    (\S*(?:pip|python3) .*)$", step):
        assert line.replace("tongbao-*", "dist/tongbao-*") in unit, line
    for name in re.findall(r"`(requirements/\S+\.txt)`", step):
        assert (ROOT / name).is_file()
