"""`make examples`: run every example; the last line says how many ran."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
JAVASCRIPT = HERE / "javascript"
DATA_BUYER = HERE / "typescript" / "data_buyer"
EXAMPLES = (
    "open_pay_verify.py",
    "follow_asynchronously.py",
    "pay_over_http.py",
    "foreign_wallets.py",
    "sell_data.py",
    "buy_in_typescript.py",
)
NEEDS_NODE = ("foreign_wallets.py", "sell_data.py", "buy_in_typescript.py")
NODE_MISSING = (
    "Node.js 20 or newer with npm is missing: install it (on Debian `apt-get install nodejs npm`, "
    "or from nodejs.org), then run `make examples` again"
)


def prepare_node() -> bool:
    """Install what the lock files name, and compile what is TypeScript; False without Node.js."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        return False
    for folder in (JAVASCRIPT, DATA_BUYER):
        installed = folder / "node_modules" / ".package-lock.json"
        lock = folder / "package-lock.json"
        if not installed.exists() or installed.stat().st_mtime < lock.stat().st_mtime:
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=folder, check=True)
    subprocess.run(["npm", "run", "--silent", "build"], cwd=DATA_BUYER, check=True)
    return True


def run(name: str) -> bool:
    """Run an example, which may use the market of the tests; whether it came to a good end."""
    known = {**os.environ, "PYTHONPATH": str(HERE.parent)}
    return subprocess.run([sys.executable, HERE / name], env=known, check=False).returncode == 0


def main() -> int:
    """Run them one after the other; stop at the first that fails."""
    has_node = prepare_node()
    ran = 0
    for name in EXAMPLES:
        if name in NEEDS_NODE and not has_node:
            print(f"{name}: {NODE_MISSING}")
            if os.environ.get("CI") == "true":
                return 1
            continue
        print(f"--- {name}", flush=True)
        if not run(name):
            print(f"examples: {name} failed")
            return 1
        ran += 1
    print(f"examples: {ran} of {len(EXAMPLES)} ran")
    return 0


if __name__ == "__main__":
    sys.exit(main())
