"""Let people own the data about them: the ledger's side."""
