"""`python -m tongbao.simulation.network`: a network of real nodes, fault after fault, compared."""

from __future__ import annotations

import argparse
import os
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from msgspec.structs import replace

from tongbao.simulation.network.campaign import run_campaign
from tongbao.simulation.network.fabric import Fabric, Namespaces, enter_namespaces
from tongbao.simulation.network.links import Links
from tongbao.simulation.network.manifest import LONG, QUICK, Fault, ManifestError, read_manifest
from tongbao.simulation.network.page import write_page
from tongbao.simulation.network.report import Report, verdict

PREFIX: Final = "tongbao-jepsen-"
KEPT: Final = "tongbao-kept-"
SEEDS: Final = 3


def arguments() -> argparse.Namespace:
    """The command's options."""
    parser = argparse.ArgumentParser(
        prog="python -m tongbao.simulation.network", description=__doc__
    )
    which = parser.add_mutually_exclusive_group()
    which.add_argument("--manifest", help="one manifest, by its name or path")
    which.add_argument("--quick", action="store_true", help="the quick lane")
    parser.add_argument("--seed", type=int, help="one seed, instead of several")
    parser.add_argument(
        "--seeds", type=int, default=SEEDS, metavar="N", help="seeds of the long lane"
    )
    parser.add_argument("--keep", action="store_true", help="keep the nodes' folders")
    parser.add_argument(
        "--out", type=Path, default=Path("build/jepsen"), help="folder of the report page"
    )
    return parser.parse_args()


def plays_of(told: argparse.Namespace) -> list[tuple[str, int]]:
    """The manifests to play, each with its seed."""
    if told.quick:
        return [(QUICK, 1 if told.seed is None else told.seed)]
    if told.manifest:
        seed = read_manifest(told.manifest).seed if told.seed is None else told.seed
        return [(told.manifest, seed)]
    seeds = range(1, told.seeds + 1) if told.seed is None else [told.seed]
    return [(name, seed) for seed in seeds for name in LONG]


def clean(place: Path) -> None:
    """Remove what campaigns have left that were killed; their processes have ended with them."""
    for folder in place.glob(f"{PREFIX}*"):
        pid = folder.name.removeprefix(PREFIX)
        if not Path("/proc", pid).exists():
            shutil.rmtree(folder, ignore_errors=True)


def play(name: str, seed: int, home: Path, *, has_namespaces: bool) -> Report:
    """One campaign in a folder of its own."""
    manifest = read_manifest(name)
    wants_links = manifest.fabric == "links" or not has_namespaces
    fabric: Fabric = Links() if wants_links else Namespaces()
    print(f"{name}, seed {seed}, over {fabric.name}: {manifest.about}", flush=True)
    if not has_namespaces and any(step.fault is Fault.DISK_FULL for step in manifest.steps):
        print("  NOT TRIED: disk_full: this machine lets nobody mount (unshare -rnm)", flush=True)
        steps = tuple(step for step in manifest.steps if step.fault is not Fault.DISK_FULL)
        manifest = replace(manifest, steps=steps)
    folder = home / f"{Path(name).stem}-{seed}"
    return run_campaign(
        manifest, name, seed, folder, fabric, lambda text: print(f"  {text}", flush=True)
    )


def main() -> int:
    """Play, write the page, print and judge; 1 when something is wrong or was never reached."""
    told = arguments()
    try:
        plays = plays_of(told)
    except ManifestError as error:
        print(error, file=sys.stderr)
        return 2
    has_namespaces = enter_namespaces(sys.argv[1:])
    place = Path(tempfile.gettempdir())
    clean(place)
    home = place / f"{PREFIX}{os.getpid()}"
    sockets = home / "s"
    sockets.mkdir(parents=True)
    os.environ["TMPDIR"] = str(sockets)
    reports: list[Report] = []
    must_reach_all = not (told.quick or told.manifest or told.seed is not None)
    try:
        for name, seed in plays:
            reports.append(play(name, seed, home, has_namespaces=has_namespaces))
            write_page(reports, told.out, must_reach_all=must_reach_all)
            if reports[-1].findings:
                break
    finally:
        if told.keep:
            print(f"kept: {home.rename(place / f'{KEPT}{os.getpid()}')}")
        shutil.rmtree(home, ignore_errors=True)
    return _judge(reports, told, must_reach_all=must_reach_all)


def _judge(reports: list[Report], told: argparse.Namespace, *, must_reach_all: bool) -> int:
    print(f"report: {told.out / 'index.html'}")
    for report in reports:
        for finding in report.findings:
            print(f"{report.manifest}, seed {report.seed}: {finding}", file=sys.stderr)
        if report.findings:
            print(f"to play it again: {report.replay}", file=sys.stderr)
    is_good, text = verdict(reports, must_reach_all=must_reach_all)
    print(text)
    return 0 if is_good else 1


if __name__ == "__main__":
    sys.exit(main())
