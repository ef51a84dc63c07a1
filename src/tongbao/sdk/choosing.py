"""Choosing the code that may decide: what genesis and signed upgrades name, if it is installed."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress

from tongbao.kernel import Genesis, GenesisError, Hash, Module, Registry
from tongbao.kernel.code import NOT_FIXED, Upgrades, begun_by, lines_at, needed
from tongbao.kernel.kernel_module import ModuleLine
from tongbao.kernel.kernel_module import module as kernel
from tongbao.modules.registry import MODULES
from tongbao.sdk.announced import FIRST_NUMBER, ModuleError, load, registry_of
from tongbao.sdk.packages import module_hash


def code_of(registry: Registry) -> dict[str, Hash]:
    """The hash of each module's installed package, by the module's name."""
    return {module.name: module_hash(module) for module in registry.modules}


def likely_tables(genesis: Genesis) -> tuple[bytes, ...]:
    """The prefixes of the tables that a chain has, unless an upgrade has brought more."""
    tables: list[bytes] = []
    for line in genesis.modules:
        with suppress(GenesisError, ModuleError):  # told by whoever chooses
            tables += tables_of([line])
    return tuple(tables)


def tables_of(lines: Iterable[ModuleLine]) -> tuple[bytes, ...]:
    """The prefixes of the tables of modules as they are installed, whatever their code is.

    Raises GenesisError, ModuleError for one that is not installed.
    """
    tables: list[bytes] = []
    for line in lines:
        module = _installed(line)
        if module is None:
            raise GenesisError(
                f"module {line.name} {line.number} is no part of this version of tongbao: "
                "install the version that has it"
            )
        tables += [table.prefix for table in module.tables]
    return tuple(tables)


def choose_modules(genesis: Genesis, known: Upgrades, height: int, *, to_write: bool) -> Registry:
    """The modules for a chain whose last block is of `height`, -1 before block 0.

    Whoever writes needs the code of the next block. To read, that of the last block will do too, so
    that a node which has stopped for an upgrade can still be asked. Raises GenesisError that names
    the module whose code is not installed, ModuleError for one of others that genesis names.
    """
    wanted = lines_at(genesis, known, height + 1)
    wrong = _first_wrong(wanted, known)
    if wrong is None:
        return registry_of(wanted)
    last = lines_at(genesis, known, height)
    if not to_write and last != wanted and _first_wrong(last, known) is None:
        return registry_of(last)
    begins = begun_by(known, wrong)
    if begins is not None:
        raise needed(begins, wrong)
    whose = "tongbao" if wrong.number < FIRST_NUMBER else "the package that brings it"
    raise GenesisError(
        f"module {wrong.name} {wrong.number} is not the one that genesis names "
        f"(version {wrong.version}, hash {wrong.hash[:16]}...): install that version of "
        f"{whose}, or begin a new chain"
    )


def _first_wrong(lines: Iterable[ModuleLine], known: Upgrades) -> ModuleLine | None:
    """The first line whose code is not installed. Raises ModuleError for one of genesis."""
    for line in lines:
        try:
            module = _installed(line)
        except ModuleError:
            if begun_by(known, line) is None:
                raise
            return line
        if module is None or line.hash not in (NOT_FIXED, module_hash(module)):
            return line
    return None


def _installed(line: ModuleLine) -> Module | None:
    """The module of a line's name, as it is installed; None where Tongbao has none of it."""
    if line.number >= FIRST_NUMBER:
        return load(line.name)
    return next((each for each in (kernel, *MODULES) if each.name == line.name), None)
