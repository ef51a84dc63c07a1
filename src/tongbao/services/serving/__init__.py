"""Serve over HTTP what a program beside the ledger offers: signed requests, problems, TLS."""
