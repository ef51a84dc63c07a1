"""Give and sell data that a person owns: the formats beside the ledger, as pure functions."""
