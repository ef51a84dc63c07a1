"""What is installed."""

from __future__ import annotations

from tests.cli.calling import Place
from tongbao import __version__
from tongbao.modules.registry import MODULES


def test_the_version_names_every_module_and_its_code(nowhere: Place) -> None:
    """
    Given no chain,
    when the version is asked for,
    then program, Python and modules are told, and the last line is the version.
    """
    told = nowhere.call("version")

    assert told.last == f"tongbao {__version__}"
    names = [line.split()[0] for line in told.out.splitlines()[:-1]]
    assert names == ["tongbao", "python", "kernel", *(module.name for module in MODULES)]
