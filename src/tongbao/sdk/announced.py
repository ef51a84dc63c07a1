"""Modules of others: where they are announced, and how they join those of this distribution.

An installed package announces a module under the entry point group `tongbao.modules`, by the
module's own name. A package that is not installed is named by its folder in `$TONGBAO_MODULES`
(several as in `$PATH`), which goes before what is installed. Nothing is imported before a chain's
genesis or a person asks for a module by its name: what is installed never changes a chain.
"""

from __future__ import annotations

import os
import re
import sys
import tomllib
from collections.abc import Iterable
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from tongbao.kernel import Module, Registry
from tongbao.kernel.kernel_module import ModuleLine
from tongbao.modules.registry import MODULES, registry

GROUP: Final = "tongbao.modules"
VARIABLE: Final = "TONGBAO_MODULES"
FIRST_NUMBER: Final = 1_000
"""Numbers below are those of this distribution."""

OWN_NAMES: Final = frozenset({"kernel", *(module.name for module in MODULES)})
RESERVED_NAMES: Final = frozenset(
    {
        "accounts",
        "assets",
        "blocks",
        "events",
        "genesis",
        "holds",
        "proofs",
        "reasons",
        "references",
    }
    | {"rows", "tongbao", "transactions", "trust"}
)
"""Names that the HTTP interface has for itself."""

TARGET: Final = re.compile(r"([a-z_][a-z0-9_.]*):([a-z_][a-z0-9_]*)")


class ModuleError(Exception):
    """A module of others that can't be used; the text names its package and what is wrong."""

    exit_code = 78

    def __init__(self, text: str, advice: str = "correct that package, or install another") -> None:
        """Carry what is wrong and what to do."""
        super().__init__(text)
        self.advice = advice


class Announced(Struct, frozen=True):
    """A module that somebody offers: its name, where its code is, and who says so.

    `place` is the folder that its package is imported from, where it is not installed.
    """

    name: str
    target: str
    source: str
    place: Path | None = None


def in_folder(folder: Path) -> Announced:
    """The module of a package that is not installed. Raises ModuleError.

    The folder is the package itself, or a project whose `pyproject.toml` announces one module.
    """
    folder = folder.resolve()
    if (folder / "pyproject.toml").is_file():
        return _in_project(folder)
    if (folder / "__init__.py").is_file():
        return Announced(folder.name, f"{folder.name}:module", str(folder), folder.parent)
    raise ModuleError(
        f"{folder} holds no package: there is neither pyproject.toml nor __init__.py",
        "name the folder of a package or of its project",
    )


def _in_project(folder: Path) -> Announced:
    file = folder / "pyproject.toml"
    try:
        said: Any = tomllib.loads(file.read_text(encoding="utf-8"))
        entries = said["project"]["entry-points"][GROUP]
        ((name, target),) = entries.items()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, OSError) as error:
        raise ModuleError(f"{file} can't be read: {error}") from error
    except (KeyError, TypeError, AttributeError, ValueError):
        raise ModuleError(
            f"{file} does not announce exactly one module",
            f'write: [project.entry-points."{GROUP}"] and name = "package:module"',
        ) from None
    place = folder / "src" if (folder / "src").is_dir() else folder
    return Announced(name, str(target), str(folder), place)


def announced() -> dict[str, list[Announced]]:
    """Who announces which module, by name; nothing is imported. Raises ModuleError.

    Several of one name are told here and refused by `load`.
    """
    named: dict[str, list[Announced]] = {}
    for path in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        one = in_folder(Path(path))
        named.setdefault(one.name, []).append(one)
    installed: dict[str, list[Announced]] = {}
    for entry in metadata.entry_points(group=GROUP):
        source = "a package" if entry.dist is None else f"{entry.dist.name} {entry.dist.version}"
        one = Announced(entry.name, entry.value, source)
        installed.setdefault(entry.name, []).append(one)
    return dict(sorted((installed | named).items()))


def find(name: str) -> Announced:
    """The one that announces a module. Raises ModuleError."""
    known = announced()
    if name in OWN_NAMES:
        raise ModuleError(f"{name} is a module of Tongbao: every chain has it", "leave it out")
    if name not in known:
        raise ModuleError(
            f"no package announces a module {name}",
            f"install the package that brings it, or name its folder in {VARIABLE}; "
            f"there are: {', '.join(known) or 'none'}",
        )
    if len(known[name]) > 1:
        sources = " and ".join(one.source for one in known[name])
        raise ModuleError(f"{sources} both announce a module {name}", "keep one of them")
    return known[name][0]


def load(name: str) -> Module:
    """The module of others of this name, imported. Raises ModuleError."""
    return import_announced(find(name))


def import_announced(one: Announced) -> Module:
    """Import what was announced, and look at it. Raises ModuleError."""
    who = f"module {one.name} of {one.source}"
    matched = TARGET.fullmatch(one.target)
    if matched is None:
        raise ModuleError(f"{who}: {one.target!r} is not of the form package:attribute")
    if one.place is not None and str(one.place) not in sys.path:
        sys.path.insert(0, str(one.place))
    try:
        found = getattr(import_module(matched[1]), matched[2])
    except Exception as error:
        raise ModuleError(f"{who} can't be loaded: {type(error).__name__}: {error}") from error
    if not isinstance(found, Module):
        raise ModuleError(f"{who}: {one.target} is no module but {type(found).__name__}")
    if found.name != one.name:
        raise ModuleError(f"{who} is announced as {one.name} and calls itself {found.name}")
    if found.name in RESERVED_NAMES:
        raise ModuleError(f"{who}: Tongbao has this name for itself", "choose another name")
    if found.number < FIRST_NUMBER:
        raise ModuleError(
            f"{who} has the number {found.number}: those below {FIRST_NUMBER} are Tongbao's",
            f"give it a number from {FIRST_NUMBER} to 65535",
        )
    return found


def registry_with(names: tuple[str, ...]) -> Registry:
    """The modules of this distribution and, above them, those of others. Raises ModuleError."""
    return _registry(MODULES, names)


@cache
def _registry(own: tuple[Module, ...], names: tuple[str, ...]) -> Registry:
    """Modules of this distribution and, above them, those of others. Raises ModuleError."""
    if not names and own == MODULES:
        return registry()
    chosen = {name: load(name) for name in names}
    ordered: list[Module] = []
    for module in chosen.values():
        _take(module, ordered, chosen)
    numbers: dict[int, Module] = {}
    for module in ordered:
        if module.number in numbers:
            raise ModuleError(
                f"{find(numbers[module.number].name).source} and {find(module.name).source} "
                f"both bring a module {module.number}: {numbers[module.number].name}, {module.name}"
            )
        numbers[module.number] = module
    try:
        return Registry((*own, *ordered))
    except AssertionError as error:
        sources = ", ".join(["tongbao", *(find(name).source for name in names)])
        raise ModuleError(f"the modules of {sources} can't be used: {error}") from error


def _take(module: Module, ordered: list[Module], chosen: dict[str, Module]) -> None:
    """Put a module after those that it uses, each of which must have been chosen too."""
    if module in ordered or module in MODULES:
        return
    if chosen.get(module.name) is not module:
        raise ModuleError(
            f"module {module.name} is used and was not chosen", f"add --module {module.name}"
        )
    for used in module.uses:
        _take(used, ordered, chosen)
    ordered.append(module)


def registry_of(lines: Iterable[ModuleLine]) -> Registry:
    """The modules that a chain names, whatever else is installed. Raises ModuleError.

    A chain may be older than some module of this distribution; one that names none has all.
    """
    lines = tuple(lines)
    named = {line.name for line in lines if line.number < FIRST_NUMBER}
    own = tuple(module for module in MODULES if module.name in named)
    return _registry(own or MODULES, tuple(x.name for x in lines if x.number >= FIRST_NUMBER))


def registry_of_known(lines: Iterable[ModuleLine]) -> Registry:
    """As `registry_of`, without those that nobody announces here. Raises ModuleError."""
    known = announced()
    return registry_of([x for x in lines if x.number < FIRST_NUMBER or x.name in known])


def usable() -> tuple[Registry, dict[str, ModuleError]]:
    """All modules that are announced and fit together, and why the others can't be used."""
    found, wrong = registry_with(()), dict[str, ModuleError]()
    good: tuple[str, ...] = ()
    for name in announced():
        if name not in OWN_NAMES:
            try:
                found = registry_with(tuple(dict.fromkeys((*good, *_needed(load(name))))))
                good = tuple(each.name for each in found.modules if each.name not in OWN_NAMES)
            except ModuleError as error:
                wrong[name] = error
    return found, wrong


def _needed(module: Module) -> list[str]:
    """A module of others and those that it uses, the lowest first."""
    below = [name for used in module.uses if used not in MODULES for name in _needed(used)]
    return [*below, module.name]
