"""Network namespaces: what is cut apart, and what is not."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from tests.simulation.network import cut_network


def test_members_in_namespaces_are_cut_apart_and_healed() -> None:
    """
    Given three members in network namespaces on a bridge,
    when two of them are cut apart,
    then they don't reach each other and the third reaches both; healed, they do again.
    And once it was taken down the same program can lay another one.
    """
    flags = "-nm" if os.geteuid() == 0 else "-rnm"
    ended = subprocess.run(
        ["unshare", flags, sys.executable, str(cut_network.__file__)],
        capture_output=True,
        text=True,
        check=False,
    )
    if ended.returncode == 1 and "Traceback" not in ended.stderr:
        reason = "NOT TESTED: this machine lets nobody make network namespaces (unshare -rnm)"
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)
    told = "before True\ncut False\nthird True\nhealed True\nagain 3\n"
    assert ended.stdout == told, ended.stderr
