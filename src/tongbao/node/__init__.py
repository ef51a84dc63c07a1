"""Serve a chain over HTTP: the one place that wires everything."""
