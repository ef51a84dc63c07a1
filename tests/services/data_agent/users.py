"""Programs under users of their own, as an operator runs them; only root can make it so."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[3]

# Where the interpreter lies in a home that others may not enter, the program gets a view of the
# file system in which they may go through to it, and to nothing else there.
SCRIPT: Final = """
set -e
user=$1; home=$2; shift 2
if ! setpriv --reuid "$user" --regid "$user" --clear-groups test -x "$home"; then
  for place in $PLACES; do
    case $place in "$home"/*)
      kept=$(mktemp -d); mount --bind "$place" "$kept"; found="$found $place=$kept";;
    esac
  done
  mount -t tmpfs -o mode=755 none "$home"
  for pair in $found; do
    mkdir -p "${pair%%=*}"; mount --bind "${pair#*=}" "${pair%%=*}"
  done
fi
exec setpriv --reuid "$user" --regid "$user" --clear-groups --no-new-privs "$@"
"""


@contextmanager
def system_user(name: str) -> Iterator[str]:
    """A system user without a home, until the `with` statement ends."""
    add = ("useradd", "--system", "--no-create-home", "--user-group", name)
    subprocess.run(add, check=True, capture_output=True)
    try:
        yield name
    finally:
        subprocess.run(("userdel", name), check=True, capture_output=True)


def words_as(user: str, *words: str) -> tuple[str, ...]:
    """A command, as that user runs it."""
    home = str(Path.home())
    places = f"{sys.base_prefix} {ROOT}"
    script = f'PLACES="{places}"\n{SCRIPT}'
    shell = ("sh", "-c", script, "sh", user, home)
    return ("unshare", "--mount", "--propagation", "private", *shell, *words)


def tried(user: str, code: str) -> str:
    """What Python code says that a user runs: the name of the error that ends it, or nothing."""
    found = subprocess.run(
        words_as(user, sys.executable, "-c", code),
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": os.environ["PATH"]},
        cwd="/",
    )
    lines = found.stderr.strip().splitlines()
    return lines[-1].partition(":")[0] if lines else ""


def give(folder: Path, user: str) -> None:
    """Let a folder with all that is in it be a user's."""
    subprocess.run(("chown", "-R", f"{user}:{user}", str(folder)), check=True)
