"""DID documents against the rules of W3C's Recommendation (`did_schema.py`)."""

from __future__ import annotations

from copy import deepcopy
from typing import Any, Final

import jsonschema
import pytest

from tests.fixed_chain import key
from tests.node.conftest import Served
from tests.node.did_schema import RELATIONSHIPS, SCHEMA
from tongbao.kernel import Key, PublicKey, Small, WeightedKey
from tongbao.modules import account
from tongbao.sdk.http import HttpChain

VALIDATOR: Final = jsonschema.Draft202012Validator(SCHEMA)


def document(served: Served, address: str) -> dict[str, Any]:
    """An account's DID document, as the node sends it."""
    answer = served.client.get(f"/v1/accounts/{address}/did")
    assert answer.headers["content-type"] == "application/did+json"
    found: dict[str, Any] = answer.json()
    return found


def test_documents_of_all_kinds_of_accounts_keep_the_rules(served: Served) -> None:
    """
    Given accounts with one key, with two, and a closed one,
    when their DID documents are fetched,
    then each keeps the rules of DID Core 1.0, names every key once, refers only to methods that it
    has, and the closed one has none and names its heir.
    """
    fixed = served.fixed
    with HttpChain(served.address) as chain:
        alice = chain.wallet(fixed.alice, key("alice"))
        second = WeightedKey(
            key=Key(algorithm=Small(1), public=PublicKey(key("second").key_id)), weight=Small(1)
        )
        alice.send(account.AddKey(added=second), also=(key("second"),))
        before_closing = document(served, fixed.shop)
        chain.wallet(fixed.shop, key("shop")).send(account.Close(heir=fixed.bank))
    documents = {
        name: document(served, address)
        for name, address in (("bank", fixed.bank), ("alice", fixed.alice), ("shop", fixed.shop))
    }

    for found in (*documents.values(), before_closing):
        assert [error.message for error in VALIDATOR.iter_errors(found)] == []
        methods = [method["id"] for method in found["verificationMethod"]]
        assert len(methods) == len(set(methods))
        for name in RELATIONSHIPS:
            assert set(found.get(name, [])) <= set(methods)
        assert all(method["controller"] == found["id"] for method in found["verificationMethod"])
    counts = {name: len(found["verificationMethod"]) for name, found in documents.items()}
    assert counts == {"bank": 1, "alice": 2, "shop": 0}
    assert documents["shop"]["alsoKnownAs"] == [documents["bank"]["id"]]
    assert documents["shop"]["id"] == before_closing["id"]


@pytest.mark.parametrize(
    "spoil",
    [
        {"id": "did:Tongbao:x"},
        {"id": "https://example.org/"},
        {"@context": ["https://w3id.org/security/suites/jws-2020/v1"]},
        {"controller": "somebody"},
        {"alsoKnownAs": ["a b"]},
        {"authentication": ["not a url"]},
        {"authentication": "did:example:1#key"},
        {"verificationMethod": [{"id": "did:example:1#key", "type": "JsonWebKey2020"}]},
        {"service": [{"id": "did:example:1#files"}]},
    ],
)
def test_the_rules_refuse_what_is_no_did_document(served: Served, spoil: dict[str, Any]) -> None:
    """
    Given a DID document with one member spoilt, or with a private key in it,
    when it is judged by the same rules,
    then they refuse it: they can tell.
    """
    good = document(served, served.fixed.alice)
    private = deepcopy(good)
    private["verificationMethod"][0]["publicKeyJwk"]["d"] = "secret"

    assert VALIDATOR.is_valid(good)
    assert not VALIDATOR.is_valid(good | spoil)
    assert not VALIDATOR.is_valid(private)
