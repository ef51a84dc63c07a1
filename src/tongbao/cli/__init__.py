"""The command line `tongbao`: every message and query of the modules, and what surrounds them."""
