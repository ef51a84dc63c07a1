"""Believe headers of CometBFT without a node: pure functions, no input or output."""
