"""Modules of others: found by their announcements, looked at, and never taken unasked."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from importlib import invalidate_caches
from pathlib import Path

import pytest

from tongbao.kernel import Hash
from tongbao.kernel.identifiers import Name, Small
from tongbao.kernel.kernel_module import ModuleLine
from tongbao.modules.registry import MODULES
from tongbao.sdk.announced import (
    ModuleError,
    announced,
    find,
    import_announced,
    in_folder,
    load,
    registry_of,
    registry_of_known,
    registry_with,
    usable,
)

MODULE = '''"""A module."""

from tongbao.kernel import Context, Message, Module
{imports}

class Say(Message, tag=1):
    """Say it."""


module = Module({number}, "{calls_itself}", uses=({uses}))


@module.handler
def say(ctx: Context, msg: Say) -> None:
    """Said."""
'''


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Path]:
    """A folder that Python imports from."""
    before = list(sys.path)
    sys.path.insert(0, str(tmp_path))
    yield tmp_path
    sys.path[:] = before
    invalidate_caches()


def write(place: Path, name: str, number: int, **different: str) -> Path:
    """Write the package of a module."""
    folder = place / name
    folder.mkdir()
    values = {"imports": "", "uses": "", "calls_itself": name, "number": number} | different
    (folder / "__init__.py").write_text(MODULE.format(**values))
    invalidate_caches()
    return folder


def install(place: Path, distribution: str, **entries: str) -> None:
    """Announce modules as an installed package does."""
    folder = place / f"{distribution}-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text(f"Name: {distribution}\nVersion: 1.0\n")
    lines = [f"{name} = {target}\n" for name, target in entries.items()]
    (folder / "entry_points.txt").write_text(f"[tongbao.modules]\n{''.join(lines)}")
    invalidate_caches()


def line(name: str, number: int) -> ModuleLine:
    """What a genesis file says of a module."""
    return ModuleLine(number=Small(number), name=Name(name), version=Small(1), hash=Hash("ab" * 32))


def test_an_installed_package_brings_its_module(place: Path) -> None:
    """
    Given an installed package that announces a module,
    when it is looked for, a genesis names it, and another genesis does not,
    then it is found and stands above Tongbao's own, only where it is named.
    """
    write(place, "said_one", 2001)
    install(place, "one", said_one="said_one:module")

    assert "said_one" in announced()
    assert find("said_one").source == "one 1.0"
    found = registry_of([*map(own_line, range(len(MODULES))), line("said_one", 2001)])
    assert [module.name for module in found.modules] == [
        *("kernel", "account", "member", "asset", "hold", "mandate", "reading", "data"),
        *("upgrade", "governance", "sponsor"),
        "said_one",
    ]
    assert registry_of([]) is registry_with(())
    assert "said_one" in [module.name for module in usable()[0].modules]


def own_line(at: int) -> ModuleLine:
    """The line of one of Tongbao's modules."""
    return line(MODULES[at].name, MODULES[at].number)


def test_a_folder_is_a_package_or_a_project(place: Path) -> None:
    """
    Given a package's folder, a project's folder that announces one, and a folder of neither,
    when the module in each is loaded,
    then the first two give theirs, and the third is refused.
    """
    project = place / "project"
    (project / "src").mkdir(parents=True)
    write(project / "src", "said_two", 2002)
    (project / "pyproject.toml").write_text(
        '[project.entry-points."tongbao.modules"]\nsaid_two = "said_two:module"\n'
    )
    bare = write(place, "said_three", 2003)

    assert import_announced(in_folder(project)).number == 2002
    assert import_announced(in_folder(bare)).number == 2003
    with pytest.raises(ModuleError, match="holds no package"):
        in_folder(place)
    (project / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    with pytest.raises(ModuleError, match="does not announce exactly one module"):
        in_folder(project)


@pytest.mark.parametrize(
    ("name", "text", "wrong"),
    [
        ("bad_one", "x = (", "can't be loaded: SyntaxError: '(' was never closed"),
        ("bad_two", "import nowhere_at_all", "can't be loaded: ModuleNotFoundError"),
        ("bad_three", "raise KeyError('it')", "can't be loaded: KeyError: 'it'"),
        ("bad_four", "x = 1", "can't be loaded: AttributeError"),
        ("bad_five", "module = 5", "bad_five:module is no module but int"),
        (
            "bad_six",
            MODULE.format(imports="", uses="", calls_itself="other", number=2004),
            "itself other",
        ),
        (
            "bad_seven",
            MODULE.format(imports="", uses="", calls_itself="bad_seven", number=8),
            "those below 1000",
        ),
        (
            "rows",
            MODULE.format(imports="", uses="", calls_itself="rows", number=2005),
            "for itself",
        ),
    ],
)
def test_a_broken_package_is_named_with_what_is_wrong(
    place: Path, name: str, text: str, wrong: str
) -> None:
    """
    Given a package whose module can't be used,
    when it is loaded, and all that can be used are looked for,
    then the error names module, package and reason, and the others are there.
    """
    folder = place / name
    folder.mkdir()
    (folder / "__init__.py").write_text(text)
    install(place, "broken", **{name: f"{name}:module"})

    with pytest.raises(ModuleError) as raised:
        load(name)
    assert f"module {name} of broken 1.0" in str(raised.value)
    assert wrong in str(raised.value)
    assert raised.value.exit_code == 78
    good, bad = usable()
    assert list(bad) == [name]
    assert {module.name for module in MODULES} <= {module.name for module in good.modules}


def test_two_of_one_name_or_number_are_refused(place: Path) -> None:
    """
    Given two packages that announce one name, and two modules with one number,
    when they are asked for,
    then the error names both packages; each of the two with one number is good alone.
    """
    write(place, "said_four", 2006)
    write(place, "said_five", 2006)
    install(place, "four", said_four="said_four:module", both="said_four:module")
    install(place, "five", said_five="said_five:module", both="said_five:module")

    with pytest.raises(ModuleError, match=r"(four|five) 1.0 and (five|four) 1.0 both announce"):
        load("both")
    with pytest.raises(ModuleError, match=r"four 1.0 and five 1.0 both bring a module 2006"):
        registry_with(("said_four", "said_five"))
    assert registry_with(("said_four",)).modules[-1].name == "said_four"


def test_a_module_needs_those_that_it_uses(place: Path) -> None:
    """
    Given a module that uses another of somebody else's,
    when it is chosen alone, and with the other in any order,
    then the first is refused with what to add, and else the other stands below it.
    """
    write(place, "below", 2007)
    write(place, "above", 2008, imports="import below\n", uses="below.module,")
    install(place, "both_of_them", below="below:module", above="above:module")

    with pytest.raises(ModuleError, match="module below is used and was not chosen") as raised:
        registry_with(("above",))
    assert raised.value.advice == "add --module below"
    for names in (("above", "below"), ("below", "above")):
        ordered = [module.name for module in registry_with(names).modules]
        assert ordered[-2:] == ["below", "above"]


def test_what_nobody_announces_is_told(place: Path) -> None:
    """
    Given a name that nobody announces,
    when it is asked for, as by a genesis file, and by a client that goes without,
    then the first two are refused with what to do, and the client knows Tongbao's own.
    """
    with pytest.raises(ModuleError, match="no package announces a module absent") as raised:
        registry_of([line("absent", 2009)])
    assert "TONGBAO_MODULES" in raised.value.advice
    assert registry_of_known([line("absent", 2009)]) is registry_with(())


def test_a_folder_in_the_environment_goes_before_what_is_installed(place: Path) -> None:
    """
    Given an installed package, and the same module in a folder that the environment names,
    when it is looked for,
    then the folder's is found.
    """
    install(place, "six", said_six="nowhere:module")
    folder = write(place, "said_six", 2010)
    os.environ["TONGBAO_MODULES"] = str(folder)
    try:
        assert find("said_six").source == str(folder)
        assert load("said_six").number == 2010
    finally:
        del os.environ["TONGBAO_MODULES"]
