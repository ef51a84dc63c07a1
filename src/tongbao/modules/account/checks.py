"""What keys and guardians must be like, whoever sets them."""

from typing import Final

from tongbao.kernel import Address, Algorithm, View, WeightedKey, require
from tongbao.kernel.authentication import KEYS_LIMIT
from tongbao.kernel.ed25519 import public_key_is_acceptable
from tongbao.kernel.envelope import decode_base64url
from tongbao.modules.account.messages import Guard, Why
from tongbao.modules.account.tables import accounts

WEIGHT_LIMIT: Final = 255


def check_keys(keys: tuple[WeightedKey, ...], ordinary: int, sensitive: int) -> None:
    """Refuse keys and thresholds that could lock an account or weaken it."""
    require(len(keys) <= KEYS_LIMIT, Why.TOO_MANY_KEYS)
    require(len({entry.key.public for entry in keys}) == len(keys), Why.KEY_IS_DOUBLED)
    for entry in keys:
        require(entry.key.algorithm == Algorithm.ED25519.value, Why.ALGORITHM_IS_NOT_SUPPORTED)
        public = decode_base64url(entry.key.public.encode("ascii"))
        require(public_key_is_acceptable(public), Why.KEY_IS_NOT_ACCEPTABLE)
        require(1 <= entry.weight <= WEIGHT_LIMIT, Why.WEIGHT_IS_ZERO)
    total = sum(entry.weight for entry in keys)
    require(1 <= ordinary <= sensitive <= total, Why.THRESHOLD_IS_OUT_OF_REACH)


def is_shared(keys: tuple[WeightedKey, ...], sensitive: int) -> bool:
    """Whether what is sensitive takes more than one key: a stolen one then has no veto."""
    return all(entry.weight < sensitive for entry in keys)


def is_open_now(view: View, address: Address) -> bool:
    """Whether an address is an account that is not closed."""
    account = view[accounts].get(address)
    return account is not None and account.closed_into is None


def check_guard(view: View, address: Address, guard: Guard) -> None:
    """Refuse guardians of an account who could never agree."""
    guardians = guard.guardians
    require(len(set(guardians)) == len(guardians), Why.GUARDIAN_IS_DOUBLED)
    for guardian in guardians:
        is_another = guardian != address and is_open_now(view, guardian)
        require(is_another, Why.GUARDIAN_NOT_FOUND)
    least = 1 if guardians else 0
    require(least <= guard.threshold <= len(guardians), Why.GUARDIANS_ARE_OUT_OF_REACH)
