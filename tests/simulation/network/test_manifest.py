"""Manifests: those that are here can be played, and others are told what is wrong with them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tongbao.simulation.network.__main__ import SEEDS
from tongbao.simulation.network.campaign import ACTS, offset_of, steps_of
from tongbao.simulation.network.faults import STORE_POINTS
from tongbao.simulation.network.manifest import (
    FOLDER,
    LONG,
    QUICK,
    Fault,
    ManifestError,
    read_manifest,
)
from tongbao.simulation.network.report import Line, Report, verdict, wanted_points


def test_the_long_lane_has_every_fault() -> None:
    """
    Given the manifests of the long lane,
    when their steps are taken together,
    then every fault that there is comes in one of them, and each can be done.
    """
    manifests = [read_manifest(name) for name in LONG]
    assert {step.fault for each in manifests for step in each.steps} == set(Fault) == set(ACTS)
    assert {each.stem for each in FOLDER.glob("*.toml")} == {*LONG, QUICK}


def test_a_seed_decides_the_order() -> None:
    """
    Given a manifest that is shuffled,
    when it is laid out for seeds,
    then the same seed gives the same order, another one another, and who joins comes before who
    leaves.
    """
    manifest = read_manifest(LONG[0])
    assert steps_of(manifest, 1) == steps_of(manifest, 1) != steps_of(manifest, 2)
    assert len(steps_of(manifest, 1)) == sum(step.times for step in manifest.steps)
    for seed in range(20):
        order = [step.fault for step in steps_of(manifest, seed)]
        assert order.index(Fault.LATE_JOINER) < order.index(Fault.LEAVER)


def test_the_seeds_of_the_long_lane_go_through_every_write_site() -> None:
    """
    Given the manifest with write sites, and the seeds of the long lane,
    when each seed takes those whose turn it is,
    then none is left out.
    """
    manifest = read_manifest(LONG[0])
    (times,) = (step.times for step in manifest.steps if step.fault is Fault.STORE_SITE)
    turns = {
        (offset_of(manifest, seed) + count) % len(STORE_POINTS)
        for seed in range(1, SEEDS + 1)
        for count in range(times)
    }
    assert turns == set(range(len(STORE_POINTS)))


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("", "about"),
        ('about = "x"\nsteps = []', "length >= 1"),
        ('about = "x"\nsteps = [{ fault = "meteor" }]', "meteor"),
        ('about = "x"\nsteps = [{ fault = "ring", hours = 1 }]', "hours"),
        ('about = "x"\nvalidators = 3\nsteps = [{ fault = "ring" }]', ">= 4"),
        ("about = ", "Invalid value"),
    ],
)
def test_a_wrong_manifest_is_told_why(tmp_path: Path, text: str, sign: str) -> None:
    """
    Given a file that is no manifest,
    when it is read,
    then the error names the file and what is wrong.
    """
    path = tmp_path / "own.toml"
    path.write_text(text)
    with pytest.raises(ManifestError, match=r"own\.toml") as raised:
        read_manifest(str(path))
    assert sign in str(raised.value)


def test_a_manifest_that_is_not_there_is_told_with_those_that_are() -> None:
    """
    Given no file of a name,
    when it is asked for,
    then the error names the manifests that are here.
    """
    with pytest.raises(ManifestError, match=r"links, namespaces, quick, skew"):
        read_manifest("nothing")


def test_a_report_fails_for_a_finding_and_for_what_was_never_reached() -> None:
    """
    Given reports of campaigns,
    when something was found, or a fault was never reached in the long lane,
    then the verdict fails and says which; the command that plays it again is in the report.
    """
    report = Report("quick", 7, lines=[Line("ring", "a-b-c-d", 1.0, 2.0, 9)])
    assert verdict([report], must_reach_all=False)[0]
    is_good, text = verdict([report], must_reach_all=True)
    assert not is_good and "never reached: kill_node" in text
    report.counts.update(wanted_points())
    assert verdict([report], must_reach_all=True)[0]
    report.findings.append("5e is lost")
    assert verdict([report], must_reach_all=False) == (False, "jepsen: FAILED: 5e is lost")
    assert report.replay.endswith("--manifest quick --seed 7")
