"""The stories that `make run` and `tongbao demo` play on real input."""
