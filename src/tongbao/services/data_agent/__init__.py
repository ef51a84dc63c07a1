"""The agent: seals and reveals what owners have offered, with the keys of just that."""
