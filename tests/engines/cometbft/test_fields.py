"""The table of field numbers says what CometBFT's own descriptors say."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from google.protobuf.descriptor import FieldDescriptor

from tests.engines.cometbft.descriptors import KEPT, MODULE, go_module, google_class, read_go
from tests.engines.cometbft.needed import not_tested
from tests.engines.cometbft.twins import name_of
from tongbao.engines.cometbft import messages
from tongbao.engines.cometbft.fields import FIELDS, REQUESTS, RESPONSES
from tongbao.engines.cometbft.kinds import Field, Kind
from tongbao.engines.cometbft.messages import Message

TYPES = {
    FieldDescriptor.TYPE_INT32: Kind.INT32,
    FieldDescriptor.TYPE_ENUM: Kind.INT32,
    FieldDescriptor.TYPE_INT64: Kind.INT64,
    FieldDescriptor.TYPE_UINT32: Kind.UINT32,
    FieldDescriptor.TYPE_UINT64: Kind.UINT64,
    FieldDescriptor.TYPE_BOOL: Kind.BOOL,
    FieldDescriptor.TYPE_STRING: Kind.STRING,
    FieldDescriptor.TYPE_BYTES: Kind.BYTES,
}
NAMES = {name_of(kind): kind for kind in FIELDS}
NOT_OURS = {"insert_tx", "reap_txs"}
"""Calls of 0.39 to an application that keeps a mempool of its own, which ours does not."""
ENUMS = {
    messages.CheckTxType: "CheckTxType",
    messages.MisbehaviorType: "MisbehaviorType",
    messages.OfferResult: "ResponseOfferSnapshot.Result",
    messages.ApplyResult: "ResponseApplySnapshotChunk.Result",
    messages.ProposalStatus: "ResponseProcessProposal.ProposalStatus",
    messages.VerifyStatus: "ResponseVerifyVoteExtension.VerifyStatus",
}


def as_field(theirs: Any) -> Field:
    """A field of CometBFT's descriptor in the words of our table."""
    inner = theirs.message_type
    kind = NAMES[inner.full_name] if inner is not None else TYPES[theirs.type]
    repeated, choice = bool(theirs.is_repeated), theirs.containing_oneof is not None
    return Field(theirs.number, theirs.name, kind, repeated, choice)


@pytest.mark.parametrize("kind", FIELDS, ids=lambda kind: kind.__name__)
def test_every_field_is_what_cometbft_declares(kind: type[Message]) -> None:
    """
    Given a message of the table,
    when its fields are compared with CometBFT's descriptor and with the class,
    then all are there, with the same number, name, type and count, in the order of numbers.
    """
    theirs = google_class(name_of(kind)).DESCRIPTOR.fields
    assert FIELDS[kind] == tuple(map(as_field, sorted(theirs, key=lambda one: one.number)))
    assert {field.name for field in FIELDS[kind]} == {
        field.name for field in msgspec.structs.fields(kind)
    }


@pytest.mark.parametrize(("envelope", "ours"), [("Request", REQUESTS), ("Response", RESPONSES)])
def test_every_call_has_the_number_that_cometbft_declares(
    envelope: str, ours: dict[int, type[Message]]
) -> None:
    """
    Given an envelope,
    when what it can hold is compared with the table,
    then the same message stands under each number, but for those of applications of another kind.
    """
    fields = google_class(f"tendermint.abci.{envelope}").DESCRIPTOR.fields
    theirs = {one.number: one.message_type.name for one in fields if one.name not in NOT_OURS}
    assert {number: kind.__name__ for number, kind in ours.items()} == theirs


@pytest.mark.parametrize("kind", ENUMS, ids=lambda kind: kind.__name__)
def test_every_named_value_is_the_one_that_cometbft_declares(kind: Any) -> None:
    """
    Given an enumeration,
    when its names and numbers are compared with CometBFT's,
    then they are the same.
    """
    outer, _, inner = ENUMS[kind].rpartition(".")
    file = google_class("tendermint.abci.Request").DESCRIPTOR.file
    owner = file.message_types_by_name[outer].enum_types_by_name if outer else None
    theirs = (owner or file.enum_types_by_name)[inner]
    assert {one.name: one.value for one in kind} == {one.name: one.number for one in theirs.values}


def test_votes_are_named_as_cometbft_names_them() -> None:
    """Given the flags of votes, when compared with CometBFT's, then only the prefix differs."""
    file = google_class("tendermint.types.ValidatorSet").DESCRIPTOR.file
    theirs = file.enum_types_by_name["BlockIDFlag"].values
    assert {one.name.removeprefix("BLOCK_ID_FLAG_"): one.number for one in theirs} == {
        one.name: one.value for one in messages.BlockIDFlag
    }


def test_the_kept_descriptors_are_those_of_the_installed_source() -> None:
    """
    Given the Go sources that CometBFT was built from,
    when the descriptors that they carry are read,
    then they are what the tests keep.
    """
    module = go_module()
    if module is None:
        not_tested(MODULE)
    assert read_go(module) == json.loads(KEPT.read_text())
