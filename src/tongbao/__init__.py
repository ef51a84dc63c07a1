"""Tongbao: a permissioned ledger platform in Python for business."""

__version__ = "0.1.0"
