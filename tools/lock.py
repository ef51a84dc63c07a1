"""Lock what pyproject.toml asks for: `requirements/*.txt`, with hashes and no index's address.

`python -m tools.lock` takes the newest versions; then run `make test` before committing.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
NODE = ("--extra", "node", "--constraint", "requirements/dev.txt")
LOCKS = (
    # The order matters: the others take the versions of dev.txt, so that all are tested.
    ("requirements/dev.txt", ("--all-extras", "--group", "dev")),
    ("requirements/node.txt", NODE),
    ("requirements/pkcs11.txt", (*NODE, "--extra", "pkcs11")),
    ("requirements/verify.txt", ("--constraint", "requirements/dev.txt")),
)


def arguments(target: str, scope: tuple[str, ...]) -> list[str]:
    """How uv is called for one lock."""
    return [
        *(sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", *scope),
        *("--universal", "--python-version", "3.11", "--upgrade", "--generate-hashes"),
        *("--no-emit-index-url", "--no-emit-find-links", "--quiet"),
        *("--custom-compile-command", "make lock", "--output-file", target),
    ]


def main() -> int:
    """Write every lock; the last line says how many packages each holds."""
    counts = []
    for target, scope in LOCKS:
        if subprocess.run(arguments(target, scope), cwd=ROOT, check=False).returncode:
            print(f"lock: FAILED at {target}: read the lines above")
            return 1
        lines = (ROOT / target).read_text().splitlines()
        counts.append(f"{target} {sum('==' in line for line in lines)}")
    print(f"lock: {', '.join(counts)} packages; now: make setup test")
    return 0


if __name__ == "__main__":
    sys.exit(main())
