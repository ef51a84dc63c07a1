"""The numbers of refusals and of invalid transactions, as the reference has them."""

from __future__ import annotations

from enum import IntEnum


class Invalid(IntEnum):
    """Nothing changes. Numbers 1 to 8 and 22 are about bytes, which the model never sees."""

    CHAIN_IS_ANOTHER = 9
    EXPIRY_HAS_PASSED = 10
    EXPIRY_IS_TOO_FAR = 11
    SENDER_IS_UNKNOWN = 12
    SPONSOR_IS_UNKNOWN = 13
    LANE_IS_NOT_DECLARED = 14
    NONCE_WAS_USED = 15
    NONCE_IS_TOO_OLD = 16
    NONCE_IS_TOO_FAR = 17
    THRESHOLD_IS_NOT_MET = 18
    NEW_KEY_HAS_NOT_SIGNED = 19
    SPONSOR_HAS_NOT_SIGNED = 20
    SIGNATURE_IS_NOT_ASKED_FOR = 21
    SIGNATURE_IS_WRONG = 22
    MESSAGE_IS_NOT_LAST = 23


class KernelWhy(IntEnum):
    """The kernel's own refusals."""

    TRANSACTION_WORK_IS_SPENT = 100
    BLOCK_WORK_IS_SPENT = 101
    CONSERVATION_IS_BROKEN = 102
    ID_IS_TAKEN = 103
    UPGRADE_IS_EMPTY = 104
    UPGRADE_IS_TOO_SOON = 105
    UPGRADE_IS_SCHEDULED = 106
    UPGRADE_NAME_IS_DOUBLED = 107
    MODULE_IS_ANOTHER = 108
    MODULE_CHANGE_WAITS = 109
    FEATURE_BEGINS_ONCE = 110
    UPGRADE_NOT_FOUND = 111


class AccountWhy(IntEnum):
    """Refusals about accounts."""

    KEY_IS_DOUBLED = 1001
    ALGORITHM_IS_NOT_SUPPORTED = 1002
    KEY_IS_NOT_ACCEPTABLE = 1003
    WEIGHT_IS_ZERO = 1004
    THRESHOLD_IS_OUT_OF_REACH = 1005
    TOO_MANY_KEYS = 1006
    KEY_NOT_FOUND = 1007
    LANES_OUT_OF_RANGE = 1008
    HEIR_NOT_FOUND = 1009


class AssetWhy(IntEnum):
    """Refusals about assets."""

    ASSET_IS_DEFINED = 2001
    SCALE_IS_TOO_LARGE = 2002
    ASSET_NOT_FOUND = 2003
    DECIMALS_DIFFER = 2004
    AMOUNT_IS_ZERO = 2005
    SENDER_IS_NOT_ISSUER = 2006
    REFERENCE_WAS_USED = 2007
    CAP_IS_EXCEEDED = 2008
    PAYER_HAS_NOT_AGREED = 2009
    VAULT_IS_CLOSED = 2010
    PAYEE_NOT_FOUND = 2011
    PAYEE_IS_PAYER = 2012
    BALANCE_IS_TOO_LOW = 2013
    ISSUER_CANNOT_CLOSE = 2014
    TOO_MANY_HOLDINGS = 2015


class UpgradeWhy(IntEnum):
    """Refusals about upgrades, beside the kernel's."""

    SIGNER_IS_NOT_AUTHORITY = 3001


class HoldWhy(IntEnum):
    """Refusals about holds."""

    AMOUNT_IS_ZERO = 7001
    EXPIRY_HAS_PASSED = 7002
    HOLD_NOT_FOUND = 7003
    HOLD_HAS_EXPIRED = 7004
    SENDER_IS_NOT_PAYEE = 7005
    PAYEE_NOT_FOUND = 7006
    PAYER_CANNOT_CLOSE = 7007


class MischiefWhy(IntEnum):
    """Refusals of the simulator's own module."""

    JAR_IS_TOO_EMPTY = 64_000_001
    THING_NOT_FOUND = 64_000_002
    COUNT_IS_ANOTHER = 64_000_003
    IT_IS_REGRETTED = 64_000_004
    THING_WILL_NOT = 64_000_005
    HABIT_IS_UNKNOWN = 64_000_006
    JARS_ARE_ONE = 64_000_007
