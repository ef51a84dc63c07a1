"""The model of a chain of the simulator's people, after its genesis."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from tongbao.kernel import Genesis, Registry, jcs
from tongbao.kernel.genesis import chain_id
from tongbao.sdk.genesis_builder import single_key
from tongbao.simulation.model import Agreed, Given, Model
from tongbao.testing.drafts import Submission
from tongbao.testing.genesis import PEOPLE
from tongbao.testing.keys import named_key


def model_of(
    genesis: Genesis,
    registry: Registry,
    unacceptable: frozenset[str] = frozenset(),
    jars: Sequence[int] = (),
    people: Sequence[str] = PEOPLE,
) -> Model:
    """The model of a chain whose genesis opens an account for everybody."""
    agreed = Agreed(
        frozenset(genesis.engine.keys),
        tuple((line.number, line.name, line.version) for line in genesis.modules),
        {setting.name: setting.value for setting in genesis.parameters},
        {name: parameter.default for name, parameter in registry.parameters.items()},
        {name: bounds_of(registry, name) for name in registry.parameters},
    )
    model = Model(chain_id(genesis), agreed, unacceptable)
    keys = [single_key(named_key(person).key_id) for person in people]
    model.genesis(
        [jcs.to_builtins(opening) for opening in keys],
        list(jars),
        told_to(genesis, "governance"),
        told_to(genesis, "member").get("members", []),
        told_to(genesis, "sponsor").get("sponsors", []),
    )
    return model


def bounds_of(registry: Registry, name: str) -> tuple[int, int]:
    """The bounds of a parameter that there is."""
    bounds = registry.bounds_of(name)
    assert bounds is not None
    return bounds


def told_to(genesis: Genesis, module: str) -> dict[str, Any]:
    """What genesis says to a module, of operators or members; nothing where it has no section."""
    for section in genesis.sections:
        if section.module == module:
            found: dict[str, Any] = json.loads(bytes(section.content))
            return found
    return {}


def given_of(found: Submission) -> Given:
    """A transaction as the model is given it."""
    return Given(found.payload, found.signers, found.forms, found.signature_is_wrong)
