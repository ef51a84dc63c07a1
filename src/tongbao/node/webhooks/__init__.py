"""Webhooks: what happens on a chain is posted to endpoints, signed, in order, at least once."""
