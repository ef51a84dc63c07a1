"""The Compose file is one that Compose takes, and the image is made of what was tested."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.deploy.deployed import DEPLOY, ROOT, ended, unknown_settings, unknown_words
from tools.cometbft import VERSION

COMPOSE: Final = DEPLOY / "compose"
NODES: Final = ("one", "two", "three", "four", "follower")


def compose(*arguments: str | Path) -> tuple[int, str]:
    """What `docker-compose` says of the file; no Docker engine is asked."""
    return ended("docker-compose", "--file", COMPOSE / "compose.yaml", *arguments)


def nodes() -> dict[str, Any]:
    """The services that are nodes, with what they share."""
    services = yaml.safe_load((COMPOSE / "compose.yaml").read_text(encoding="utf-8"))["services"]
    return {name: service for name, service in services.items() if name in NODES}


@pytest.mark.needs("docker-compose")
def test_compose_takes_the_file() -> None:
    """
    Given the file of settings that is the example,
    when Compose reads the services by it,
    then there are four validators, a node that follows, and Prometheus.
    """
    code, says = compose("--env-file", COMPOSE / "example.env", "config", "--services")
    assert (code, sorted(says.split())) == (0, sorted([*NODES, "prometheus"]))


@pytest.mark.needs("docker-compose")
def test_without_the_ids_of_the_nodes_nothing_starts(tmp_path: Path) -> None:
    """Given no ids, when Compose reads the services, then it says where to find out about them."""
    empty = tmp_path / "empty.env"
    empty.touch()
    code, says = compose("--env-file", empty, "config", "--quiet")
    assert (code, "see README.md" in says) == (1, True)


def test_each_node_has_a_folder_and_settings_that_exist() -> None:
    """
    Given the nodes of the file,
    when their folders, ports and variables are read,
    then no two share a folder or a port, and each variable is a setting.
    """
    found = nodes()
    for member in ("volumes", "ports"):
        assert len({str(node[member]) for node in found.values()}) == len(NODES)
    assert [unknown_settings(list(node["environment"])) for node in found.values()] == [[]] * 5


def test_the_image_has_the_cometbft_that_was_tested_and_no_root() -> None:
    """
    Given the image's file,
    when its steps are read,
    then it builds the tested version, ends as a user who is not root, copies what is in the
    repository or built by it, and starts a command that exists.
    """
    text = (COMPOSE / "Dockerfile").read_text(encoding="utf-8")
    assert f"cmd/cometbft@v{VERSION}\n" in text
    users = re.findall(r"(?m)^USER (\d+)", text)
    assert users and "0" not in users
    copied = re.findall(r"(?m)^COPY (?!--from)(.*) \S+$", text)
    sources = [source for line in copied for source in line.split()]
    assert [source for source in sources if not list(ROOT.glob(source))] in ([], ["dist/*.whl"])
    (words,) = re.findall(r'(?m)^CMD \["(.*)"\]$', text.partition("ENTRYPOINT")[2])
    assert unknown_words(words.split('", "')) == []
