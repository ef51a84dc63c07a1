"""What block 0 writes: the settings of the genesis file, and every module's first rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from tongbao.kernel.context import Work
from tongbao.kernel.genesis import Genesis, GenesisError, Section, Setting, read_section
from tongbao.kernel.identifiers import Count
from tongbao.kernel.job import Job
from tongbao.kernel.kernel_module import (
    JSON_DEPTH,
    FeatureStart,
    ModuleLine,
    ParameterValue,
    features,
    parameters,
)
from tongbao.kernel.module import Module
from tongbao.kernel.reasons import Refusal
from tongbao.kernel.registry import Registry
from tongbao.kernel.state import State

KeysFunction = Callable[..., Any]
"""What a module declares with `@module.authenticates`."""

GENESIS_ROWS: Final = 100_000_000
"""Rows that the sections of a genesis file may read and write."""


def check_modules(lines: Sequence[ModuleLine], registry: Registry) -> None:
    """Whether a chain names exactly the modules of the registry. Raises GenesisError."""
    check_doubled("module", [line.name for line in lines])
    for line in lines:
        known = [module for module in registry.modules if module.number == line.number]
        if not known or (known[0].name, known[0].version) != (line.name, line.version):
            raise GenesisError(
                f"module {line.name} {line.number} version {line.version} is not installed"
            )
    if len(lines) != len(registry.modules):
        raise GenesisError("the genesis file does not name every module that is installed")


def find_authentication(genesis: Genesis, registry: Registry) -> tuple[Module, KeysFunction]:
    """The module that genesis lets authenticate, and its function. Raises GenesisError."""
    name = genesis.authentication
    try:
        module = registry.module(name)
    except KeyError:
        raise GenesisError(f"authentication names no module: {name}") from None
    if module.keys_of is None:
        raise GenesisError(f"module {name} does not authenticate")
    return module, module.keys_of


def check_doubled(what: str, names: Sequence[str]) -> None:
    """Whether no name stands twice. Raises GenesisError."""
    for at, name in enumerate(names):
        if name in names[:at]:
            raise GenesisError(f"{what} {name} stands twice in the genesis file")


def write_settings(genesis: Genesis, registry: Registry, state: State) -> None:
    """Write parameters and features, each known and within its bounds. Raises GenesisError."""
    check_doubled("parameter", [line.name for line in genesis.parameters])
    check_doubled("feature", [line.name for line in genesis.features])
    depth = JSON_DEPTH.default
    for line in genesis.parameters:
        _write_parameter(line, registry, state)
        depth = line.value if line.name == JSON_DEPTH.name else depth
    for line in genesis.features:
        if line.name not in registry.features:
            raise GenesisError(f"no module has a feature {line.name}")
        row = FeatureStart(height=line.value)
        state.write(features, line.name, features.full_key(line.name), row)
    if registry.json_depth > depth:
        raise GenesisError(f"messages need json_depth {registry.json_depth}, not {depth}")


def _write_parameter(line: Setting, registry: Registry, state: State) -> None:
    parameter = registry.parameters.get(line.name)
    if parameter is None:
        raise GenesisError(f"no module has a parameter {line.name}")
    if not parameter.low <= line.value <= parameter.high:
        raise GenesisError(f"{line.name} is {parameter.low} to {parameter.high}, not {line.value}")
    row = ParameterValue(value=Count(line.value))
    state.write(parameters, line.name, parameters.full_key(line.name), row)


def write_sections(genesis: Genesis, job: Job) -> None:
    """Let every module that has a section write its first rows. Raises GenesisError."""
    check_doubled("section", [section.module for section in genesis.sections])
    job.meter.limit = GENESIS_ROWS
    for section in genesis.sections:
        _write_section(section, job)


def _write_section(section: Section, job: Job) -> None:
    try:
        module = job.registry.module(section.module)
    except KeyError:
        raise GenesisError(f"a section names no module: {section.module}") from None
    if module.begin is None:
        raise GenesisError(f"module {section.module} takes no section")
    function, kind = module.begin
    job.derive_ids(b"genesis-id", lambda: (module.number.to_bytes(2, "big"),))
    try:
        function(job.context(Work, module, None), read_section(section, kind))
    except Refusal as refusal:
        raise GenesisError(f"section {section.module}: {refusal.why}") from None
