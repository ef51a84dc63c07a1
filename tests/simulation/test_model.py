"""The model stands alone: what it is compared with has no part in it."""

from __future__ import annotations

import subprocess
import sys

PROBE = """
import sys
import tongbao.simulation.model
print("\\n".join(sorted(sys.modules)))
"""


def test_the_model_loads_nothing_of_what_it_doubts() -> None:
    """
    Given a fresh interpreter,
    when the model is imported,
    then nothing of the kernel, of the modules or of any package has been loaded with it.
    """
    listed = subprocess.run(
        [sys.executable, "-c", PROBE], capture_output=True, text=True, check=True
    ).stdout.split()

    ours = [name for name in listed if name.startswith("tongbao")]
    assert [name for name in ours if not name.startswith("tongbao.simulation.model")] == [
        "tongbao",
        "tongbao.simulation",
    ]
    assert {"msgspec", "nacl", "lmdb"}.isdisjoint(listed)
