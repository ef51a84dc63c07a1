"""Which code decides a block: genesis names it, and an upgrade names it from its height on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from tongbao.kernel.beginning import check_modules
from tongbao.kernel.genesis import Genesis, GenesisError
from tongbao.kernel.identifiers import SAFE_INTEGER, Count, Hash
from tongbao.kernel.kernel_module import ModuleLine, Upgrade, upgrades
from tongbao.kernel.registry import Registry
from tongbao.kernel.state import Backing, after_prefix

NEVER: Final = SAFE_INTEGER + 1
"""A height that no block has."""

NOT_FIXED: Final = Hash("0" * 64)
"""In the place of the hash of a module's code: any code of its name and version may decide."""

Upgrades = Mapping[Count, Upgrade]
"""Upgrades by the height of the first block that each decides, in that order."""


class UpgradeNeeded(GenesisError):
    """The next block needs other code than what is installed; the text says which."""

    exit_code = 78


def kept_upgrades(backing: Backing) -> Upgrades:
    """The upgrades of committed rows, for those who must choose the code before they can run it."""
    pairs = backing.scan(upgrades.prefix, after_prefix(upgrades.prefix))
    return {upgrades.key_of(key): upgrades.decode(raw) for key, raw in pairs}


def lines_at(genesis: Genesis, known: Upgrades, height: int) -> tuple[ModuleLine, ...]:
    """The modules that decide the block of a height: those of genesis, then as upgrades change."""
    valid = {line.number: line for line in genesis.modules}
    for begins, upgrade in known.items():
        if begins <= height:
            valid.update({line.number: line for line in upgrade.modules})
    # A genesis file that names a number twice is refused where it is checked, not hidden here.
    has_begun = any(begins <= height for begins in known)
    return tuple(valid.values()) if has_begun else genesis.modules


def begun_by(known: Upgrades, line: ModuleLine) -> Count | None:
    """The height from which on an upgrade asks for a line; None where genesis does."""
    heights = [begins for begins, upgrade in known.items() if line in upgrade.modules]
    return max(heights, default=None)


def missing_line(
    lines: Iterable[ModuleLine], registry: Registry, code: Mapping[str, Hash] | None
) -> ModuleLine | None:
    """The first line that the registry does not fulfil; `code` are the hashes of its modules.

    Without `code` numbers, names and versions are compared alone.
    """
    installed = {each.number: each for each in registry.modules}
    for line in lines:
        found = installed.get(line.number)
        if found is None or (found.name, found.version) != (line.name, line.version):
            return line
        if code is not None and line.hash not in (NOT_FIXED, code[found.name]):
            return line
    return None


def needed(height: int, line: ModuleLine) -> UpgradeNeeded:
    """The error that says what to install for the block of a height and those after it."""
    return UpgradeNeeded(
        f"from block {height} on this chain needs module {line.name} {line.number} "
        f"(version {line.version}, hash {line.hash[:16]}...): install the version of its package "
        "that has it, and start again; nothing is lost, and what is there can be read"
    )


class Code:
    """The code of one machine, and up to which block it may decide."""

    def __init__(
        self, genesis: Genesis, registry: Registry, hashes: Mapping[str, Hash] | None
    ) -> None:
        """Code that is installed; `hashes` are those of its packages, where it matters."""
        self._genesis = genesis
        self._registry = registry
        self._hashes = hashes
        self._known: Upgrades = {}
        self._stops_at: int = NEVER
        self._needed: UpgradeNeeded | None = None

    def check(self, known: Upgrades, height: int) -> None:
        """Whether it decides the block after `height`, or at least has decided that one.

        Raises GenesisError.
        """
        wanted = lines_at(self._genesis, known, height + 1)
        last = lines_at(self._genesis, known, height)
        line = missing_line(wanted, self._registry, self._hashes)
        if line is not None and missing_line(last, self._registry, self._hashes) is None:
            wanted, line = last, None
        check_modules(wanted, self._registry)
        if line is not None:
            raise needed(begun_by(known, line) or Count(0), line)

    def follow(self, known: Upgrades, height: int) -> None:
        """Take in the upgrades that are known after the block of a height."""
        self._known, self._stops_at, self._needed = known, NEVER, None
        for begins in known:
            lines = lines_at(self._genesis, known, begins)
            line = missing_line(lines, self._registry, self._hashes)
            if begins > height and line is not None:
                self._stops_at, self._needed = begins, needed(begins, line)
                return

    def lines(self, height: int) -> tuple[ModuleLine, ...]:
        """The modules that the block of a height needs, as far as is known today."""
        return lines_at(self._genesis, self._known, height)

    def require(self, height: int) -> None:
        """Whether it may decide the block of a height. Raises UpgradeNeeded."""
        if height >= self._stops_at:
            assert self._needed is not None
            raise self._needed
