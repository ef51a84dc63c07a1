"""Act: what an institution or a person runs beside the ledger."""
