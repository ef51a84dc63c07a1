"""Accounts: who may sign for an address, with keys that come and go."""

from tongbao.modules.account.did import did_document
from tongbao.modules.account.messages import (
    Account,
    AddKey,
    Close,
    Closing,
    Open,
    RemoveKey,
    RotateKey,
    SetLanes,
    SetThresholds,
    Start,
    Why,
)
from tongbao.modules.account.rules import closing, is_open, module, show

__all__ = [
    "Account",
    "AddKey",
    "Close",
    "Closing",
    "Open",
    "RemoveKey",
    "RotateKey",
    "SetLanes",
    "SetThresholds",
    "Start",
    "Why",
    "closing",
    "did_document",
    "is_open",
    "module",
    "show",
]
