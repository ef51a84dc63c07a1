"""What people, sources, stores, agents and buyers say to each other beside the ledger."""
