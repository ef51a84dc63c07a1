"""The deterministic state machine: what modules build on and engines drive.

Modules import from here and nowhere deeper; so do engines, stores and the SDK, but for the few pure
files (`merkle`, `trie_proof`, `ed25519`) that an offline verifier needs alone.
"""

from tongbao.kernel.amount import DECIMALS_LIMIT, UNITS_LIMIT, Amount
from tongbao.kernel.authentication import (
    Algorithm,
    Key,
    Keys,
    WeightedKey,
    WeightedKeys,
)
from tongbao.kernel.block import Block, Decided
from tongbao.kernel.context import (
    Audit,
    Changes,
    Context,
    Cursor,
    Page,
    View,
    Work,
)
from tongbao.kernel.genesis import Genesis, GenesisError
from tongbao.kernel.identifiers import (
    Address,
    AssetCode,
    AssetId,
    ChainId,
    Count,
    Hash,
    Id,
    Name,
    PublicKey,
    Reference,
    Small,
    Time,
    TransactionReference,
    is_vault,
)
from tongbao.kernel.machine import Machine
from tongbao.kernel.module import Announcement, Feature, Module, Parameter
from tongbao.kernel.reasons import (
    Invalid,
    InvalidTransaction,
    KernelWhy,
    Reason,
    Refusal,
    require,
)
from tongbao.kernel.receipt import Outcome, Receipt, Result
from tongbao.kernel.registry import Registry
from tongbao.kernel.schema import Event, Message, Record, Value
from tongbao.kernel.state import Backing

__all__ = [
    "DECIMALS_LIMIT",
    "UNITS_LIMIT",
    "Address",
    "Algorithm",
    "Amount",
    "Announcement",
    "AssetCode",
    "AssetId",
    "Audit",
    "Backing",
    "Block",
    "ChainId",
    "Changes",
    "Context",
    "Count",
    "Cursor",
    "Decided",
    "Event",
    "Feature",
    "Genesis",
    "GenesisError",
    "Hash",
    "Id",
    "Invalid",
    "InvalidTransaction",
    "KernelWhy",
    "Key",
    "Keys",
    "Machine",
    "Message",
    "Module",
    "Name",
    "Outcome",
    "Page",
    "Parameter",
    "PublicKey",
    "Reason",
    "Receipt",
    "Record",
    "Reference",
    "Refusal",
    "Registry",
    "Result",
    "Small",
    "Time",
    "TransactionReference",
    "Value",
    "View",
    "WeightedKey",
    "WeightedKeys",
    "Work",
    "is_vault",
    "require",
]
