"""Mandates: who may pay out of another's holding, how much and until when."""

from tongbao.modules.mandate.messages import Collect, Grant, Mandate, Revoke, Why
from tongbao.modules.mandate.rules import (
    MANDATES_LIMIT,
    granted_by,
    granted_to,
    module,
    show,
)

__all__ = [
    "MANDATES_LIMIT",
    "Collect",
    "Grant",
    "Mandate",
    "Revoke",
    "Why",
    "granted_by",
    "granted_to",
    "module",
    "show",
]
