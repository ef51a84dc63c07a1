"""State sync: snapshots that a node takes and serves, and joining a network by one of others."""
