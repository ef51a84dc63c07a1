"""Build wheel and sdist, install the wheel where nothing else is, and use it there.

The fresh environment holds only what `requirements/verify.txt` locks: it shows that the command
line starts, and that a proof is verified, without a store or anything else of a node. A second one
is that of a stranger who writes a module: see `check_module.py`.
"""

from __future__ import annotations

import json
import shutil
import sys
import tarfile
import tempfile
import zipfile
from pathlib import Path
from typing import Any

import tongbao
from tools.check_module import check_module
from tools.running import ROOT, WheelError, make_environment, run

DIST = ROOT / "dist"
LOCK = ROOT / "requirements" / "verify.txt"
GOLDEN = ROOT / "tests" / "golden"
ENGINES = ("solo", "cometbft")
PROOFS = ("holding", "absence", "transaction")
OF_A_NODE = ("cryptography", "lmdb", "rich")
NEEDED = (
    "LICENSE",
    "tongbao/py.typed",
    "tongbao/console/static/console.css",
    "tongbao/console/templates/base.html",
    "tongbao/console/control_words.toml",
    "tongbao/console/words.toml",
)
NOT_LOADED = ("tongbao.node", "tongbao.store", "tongbao.engines.solo.engine")


def build() -> tuple[Path, Path]:
    """Build the sdist, and the wheel out of it; returns the wheel and the sdist."""
    shutil.rmtree(DIST, ignore_errors=True)
    run(sys.executable, "-m", "build", "--no-isolation", "--outdir", DIST)
    (wheel,) = DIST.glob("*.whl")
    (sdist,) = DIST.glob("*.tar.gz")
    return wheel, sdist


def check_contents(wheel: Path, sdist: Path) -> None:
    """Both hold the licence, the mark of types, and what pages load. Raises WheelError."""
    with zipfile.ZipFile(wheel) as packed:
        inside = {wheel: packed.namelist()}
    with tarfile.open(sdist) as archive:
        inside[sdist] = archive.getnames()
    for path, names in inside.items():
        for needed in NEEDED:
            if not any(name.endswith(needed) for name in names):
                raise WheelError(f"{path.name} holds no {needed}")


def check_programs(programs: Path, folder: Path) -> list[str]:
    """Use what was installed from another folder; returns what was shown."""
    python = programs / "python"
    script = (
        "from importlib.util import find_spec\n"
        f"print(*[name for name in {OF_A_NODE} if find_spec(name)])"
    )
    if brought := run(python, "-c", script, folder=folder).strip():
        raise WheelError(f"{LOCK.name} brings what only a node needs: {brought}")
    script = (
        "import sys, tongbao.sdk.verification\n"
        f"print(*[name for name in {NOT_LOADED} if name in sys.modules])"
    )
    if loaded := run(python, "-c", script, folder=folder).strip():
        raise WheelError(f"the verifier loads what only a node needs: {loaded}")
    version = run(programs / "tongbao", "version", folder=folder)
    if tongbao.__version__ not in version:
        raise WheelError(f"tongbao version says {version.strip()}, not {tongbao.__version__}")
    run(programs / "tongbao", "--help", folder=folder)
    for engine in ENGINES:
        check_proofs(programs, folder, json.loads((GOLDEN / f"{engine}.json").read_text()))
    return ["version", "--help", "verify"]


def check_proofs(programs: Path, folder: Path, golden: dict[str, Any]) -> None:
    """The golden proofs of an engine are believed, as of the time that they were made for."""
    trust = folder / "trust.json"
    trust.write_text(json.dumps(golden["trust"]))
    then = ("--at", str(golden["at"])) if "at" in golden else ()
    for name in PROOFS:
        proof = folder / f"{name}.json"
        proof.write_text(json.dumps(golden[name]))
        run(programs / "tongbao", "verify", proof, "--trust", trust, *then, folder=folder)


def main() -> int:
    """Build and try; the last line is the verdict."""
    try:
        wheel, sdist = build()
        check_contents(wheel, sdist)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            fresh = make_environment(folder / "fresh", LOCK, wheel)
            shown = check_programs(fresh, folder)
            stranger = folder / "stranger"
            stranger.mkdir()
            beside = check_module(wheel, stranger)
    except WheelError as error:
        print(f"{error}\nwheel: FAILED: read the lines above")
        return 1
    alone = f"{', '.join(shown)} work alone"
    print(f"wheel: {wheel.name} and {sdist.name} are built; {alone}; {'; '.join(beside)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
