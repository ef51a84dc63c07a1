"""Copies of the diary module with one line changed, imported as the package `diary`."""

import sys
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path

from tongbao.kernel import Registry
from tongbao.modules import account

GOOD = (Path(__file__).parent / "diary" / "rules.py").read_text()
NAME = "diary.rules"


def registry_of(folder: Path, text: str) -> Registry:
    """Import a module's source and register it above accounts; whatever it raises passes out."""
    path = folder / "rules.py"
    path.write_text(text)
    spec = spec_from_file_location(NAME, path)
    assert spec is not None and spec.loader is not None
    loaded = module_from_spec(spec)
    sys.modules[NAME] = loaded
    try:
        spec.loader.exec_module(loaded)
        return Registry((account.module, loaded.module))
    finally:
        del sys.modules[NAME]


def spoiled(old: str, new: str) -> str:
    """The diary's source with the one place that says `old` saying `new`."""
    assert GOOD.count(old) == 1, f"{GOOD.count(old)} places say {old!r}"
    return GOOD.replace(old, new)
