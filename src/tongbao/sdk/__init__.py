"""Ask a ledger: open a chain, build and sign transactions, verify proofs without trust.

Names are loaded when they are first used: `tongbao.sdk.verification` never brings in a store.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from tongbao.kernel import Amount
    from tongbao.sdk.asynchronous import AsyncChain, open_async_chain
    from tongbao.sdk.client import (
        AlreadyDecided,
        Applied,
        AsyncClient,
        Client,
        Head,
        Refused,
        Status,
    )
    from tongbao.sdk.errors import Gone, NodeError, Unreachable, Unsettled
    from tongbao.sdk.http import HttpChain
    from tongbao.sdk.http_asynchronous import AsyncHttpChain
    from tongbao.sdk.keystore import Keystore
    from tongbao.sdk.local import Chain
    from tongbao.sdk.opening import create_chain, open_chain, operator_wallet
    from tongbao.sdk.proofs import to_json
    from tongbao.sdk.signer import Signer, SoftwareKey
    from tongbao.sdk.signers import open_signer
    from tongbao.sdk.verification import VerificationError, Verified, verify
    from tongbao.sdk.wallet import Wallet
    from tongbao.sdk.wallet_asynchronous import AsyncWallet

_HOMES = {
    "AlreadyDecided": "tongbao.sdk.client",
    "Amount": "tongbao.kernel",
    "Applied": "tongbao.sdk.client",
    "AsyncChain": "tongbao.sdk.asynchronous",
    "AsyncClient": "tongbao.sdk.client",
    "AsyncHttpChain": "tongbao.sdk.http_asynchronous",
    "AsyncWallet": "tongbao.sdk.wallet_asynchronous",
    "Chain": "tongbao.sdk.local",
    "Client": "tongbao.sdk.client",
    "Gone": "tongbao.sdk.errors",
    "Head": "tongbao.sdk.client",
    "HttpChain": "tongbao.sdk.http",
    "Keystore": "tongbao.sdk.keystore",
    "NodeError": "tongbao.sdk.errors",
    "Refused": "tongbao.sdk.client",
    "Signer": "tongbao.sdk.signer",
    "SoftwareKey": "tongbao.sdk.signer",
    "Status": "tongbao.sdk.client",
    "Unreachable": "tongbao.sdk.errors",
    "Unsettled": "tongbao.sdk.errors",
    "VerificationError": "tongbao.sdk.verification",
    "Verified": "tongbao.sdk.verification",
    "Wallet": "tongbao.sdk.wallet",
    "create_chain": "tongbao.sdk.opening",
    "open_async_chain": "tongbao.sdk.asynchronous",
    "open_chain": "tongbao.sdk.opening",
    "open_signer": "tongbao.sdk.signers",
    "operator_wallet": "tongbao.sdk.opening",
    "to_json": "tongbao.sdk.proofs",
    "verify": "tongbao.sdk.verification",
}

__all__ = [
    "AlreadyDecided",
    "Amount",
    "Applied",
    "AsyncChain",
    "AsyncClient",
    "AsyncHttpChain",
    "AsyncWallet",
    "Chain",
    "Client",
    "Gone",
    "Head",
    "HttpChain",
    "Keystore",
    "NodeError",
    "Refused",
    "Signer",
    "SoftwareKey",
    "Status",
    "Unreachable",
    "Unsettled",
    "VerificationError",
    "Verified",
    "Wallet",
    "create_chain",
    "open_async_chain",
    "open_chain",
    "open_signer",
    "operator_wallet",
    "to_json",
    "verify",
]


def __getattr__(name: str) -> Any:
    """Load a public name from its home."""
    try:
        home = _HOMES[name]
    except KeyError:
        raise AttributeError(f"tongbao.sdk has no {name}") from None
    return getattr(import_module(home), name)
