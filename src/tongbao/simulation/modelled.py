"""The model of a chain of the simulator's people, after its genesis."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from tongbao.kernel import Genesis, jcs
from tongbao.kernel.genesis import chain_id
from tongbao.kernel.kernel_module import (
    BLOCK_ROWS,
    DUE_ITEMS,
    EXPIRY_MS,
    TRANSACTION_ROWS,
    UPGRADE_NOTICE,
)
from tongbao.sdk.genesis_builder import single_key
from tongbao.simulation.model import Agreed, Given, Limits, Model
from tongbao.testing.drafts import Submission
from tongbao.testing.genesis import PEOPLE
from tongbao.testing.keys import named_key

MODELLED: Final = (EXPIRY_MS, DUE_ITEMS, TRANSACTION_ROWS, BLOCK_ROWS, UPGRADE_NOTICE)
"""The parameters that the model knows, in its order."""


def model_of(
    genesis: Genesis,
    parameters: Mapping[str, int],
    unacceptable: frozenset[str] = frozenset(),
    jars: Sequence[int] = (),
) -> Model:
    """The model of a chain with these parameters, whose genesis opens an account for everybody."""
    limits = Limits(*(parameters[parameter.name] for parameter in MODELLED))
    lines = tuple((line.number, line.name, line.version) for line in genesis.modules)
    agreed = Agreed(frozenset(genesis.engine.keys), lines)
    model = Model(chain_id(genesis), limits, agreed, unacceptable)
    keys = [single_key(named_key(person).key_id) for person in PEOPLE]
    model.genesis([jcs.to_builtins(opening) for opening in keys], list(jars))
    return model


def given_of(found: Submission) -> Given:
    """A transaction as the model is given it."""
    return Given(found.payload, found.signers, found.forms, found.signature_is_wrong)
