"""A real CometBFT follows what operators decide: its validators, and whom it may speak to."""

from __future__ import annotations

HOUR_MS = 3_600_000
