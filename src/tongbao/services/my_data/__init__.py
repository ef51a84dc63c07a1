"""A person's own side of the market for data: keys, rows, offers, earnings and erasure."""
