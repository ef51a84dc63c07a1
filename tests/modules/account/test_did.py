"""An account resolves as a DID document, whatever has happened to its keys."""

from __future__ import annotations

from tongbao.kernel import Small, WeightedKey
from tongbao.modules import account
from tongbao.modules.account import AddKey, Close, RotateKey, did_document
from tongbao.testing import Chain, alice, bob, ledger_key, named_key


def document(chain: Chain) -> dict[str, object]:
    """Alice's document as it is now."""
    row = account.show(chain.view(account.module), alice)
    assert row is not None
    return did_document(chain.machine.chain, alice, row)


def test_an_account_resolves_to_its_keys(chain: Chain) -> None:
    """
    Given alice, who has rotated her key and added a second,
    when her account is shown as a DID document,
    then its id is the one she always had, and its methods are just the two keys of now.
    """
    did = f"did:tongbao:{chain.machine.chain}:{alice}"
    old = ledger_key(named_key("alice")).public
    new = ledger_key(named_key("new"))
    second = WeightedKey(key=ledger_key(named_key("second")), weight=Small(1))
    chain.apply("alice", RotateKey(old=old, new=new), also_sign=("new",))
    chain.apply("alice", AddKey(added=second), signed_by=("new", "second"))

    ids = [f"{did}#{key}" for key in (new.public, second.key.public)]
    assert document(chain) == {
        "@context": [
            "https://www.w3.org/ns/did/v1",
            "https://w3id.org/security/suites/jws-2020/v1",
        ],
        "id": did,
        "verificationMethod": [
            {
                "id": method,
                "type": "JsonWebKey2020",
                "controller": did,
                "publicKeyJwk": {"kty": "OKP", "crv": "Ed25519", "x": method.split("#")[1]},
            }
            for method in ids
        ],
        "authentication": ids,
        "assertionMethod": ids,
    }


def test_a_closed_account_resolves_to_its_heir(chain: Chain) -> None:
    """
    Given alice, who has closed her account into bob's,
    when it is shown as a DID document,
    then nobody can authenticate with it, and it names bob's.
    """
    chain.apply("alice", Close(heir=bob))

    shown = document(chain)

    assert (shown["verificationMethod"], shown["authentication"]) == ([], [])
    assert shown["alsoKnownAs"] == [f"did:tongbao:{chain.machine.chain}:{bob}"]
