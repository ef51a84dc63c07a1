"""The manifests are what the API of Kubernetes takes, and no pod has more rights than it needs."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tests.deploy.deployed import DEPLOY, ended, unknown_settings, unknown_words

MANIFESTS: Final = DEPLOY / "kubernetes/tongbao.yaml"
VERSIONS: Final = ("1.31", "1.34", "1.37")


def validated(file: Path, version: str) -> tuple[int, str]:
    """What the API's schemas of a version say about a file, unknown members included."""
    program = Path(sys.executable).with_name("kubernetes-validate")
    return ended(program, "--strict", "--kubernetes-version", version, file)


def resources() -> dict[str, dict[str, Any]]:
    """Each resource by kind and name."""
    documents = yaml.safe_load_all(MANIFESTS.read_text(encoding="utf-8"))
    return {f"{one['kind']}/{one['metadata']['name']}": one for one in documents}


@pytest.mark.parametrize("version", VERSIONS)
def test_the_api_takes_the_manifests(version: str) -> None:
    """Given a version of the API, when the manifests are validated, then nothing is unknown."""
    code, says = validated(MANIFESTS, version)
    assert (code, says.count(" passed ")) == (0, len(resources())), says


def test_a_misspelt_member_is_noticed(tmp_path: Path) -> None:
    """Given one misspelt member, when validated, then it is named."""
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(MANIFESTS.read_text().replace("minReadySeconds", "minReadySecs"))
    code, says = validated(wrong, VERSIONS[-1])
    assert (code, "minReadySecs" in says) == (1, True)


def test_the_resources_fit_one_another() -> None:
    """
    Given the resources,
    when what one says of another is followed,
    then services, budget and policy select the pods, ports have the names of the containers', the
    budget leaves three of four, and settings and command exist.
    """
    found = resources()
    nodes = found["StatefulSet/tongbao"]["spec"]
    pod = nodes["template"]
    labels = pod["metadata"]["labels"]
    (node,) = pod["spec"]["containers"]
    ports = {port["name"]: port["containerPort"] for port in node["ports"]}
    services = [found["Service/tongbao"], found["Service/tongbao-nodes"]]

    assert [service["spec"]["selector"] for service in services] == [labels, labels]
    for service in services:
        for port in service["spec"]["ports"]:
            assert ports[port["targetPort"]] == port["port"]
    policy = found["NetworkPolicy/tongbao"]["spec"]
    named = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
    assert named == set(ports)
    assert policy["podSelector"]["matchLabels"] == labels
    budget = found["PodDisruptionBudget/tongbao"]["spec"]
    assert (budget["maxUnavailable"], nodes["replicas"]) == (1, 4)
    assert budget["selector"]["matchLabels"] == labels
    assert nodes["serviceName"] == "tongbao-nodes"
    assert unknown_settings(list(found["ConfigMap/tongbao"]["data"])) == []
    assert unknown_words(node["args"]) == []


def test_no_container_may_do_more_than_it_needs() -> None:
    """
    Given the containers of a pod,
    when their rights are read,
    then none is root, writes to its image, keeps a capability or is given a token of the cluster.
    """
    pod = resources()["StatefulSet/tongbao"]["spec"]["template"]["spec"]
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
    for container in (*pod["initContainers"], *pod["containers"]):
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert "memory" in container["resources"]["limits"]
