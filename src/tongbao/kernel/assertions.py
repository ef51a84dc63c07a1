"""Assertions are how a node stops before it does harm, so a node never runs without them."""


def require_assertions() -> None:
    """Raise RuntimeError when Python was started with `-O`, which removes every `assert`."""
    if not __debug__:
        raise RuntimeError(
            "Tongbao does not run under `python -O`: its assertions guard the ledger. "
            "Start Python without -O and without PYTHONOPTIMIZE."
        )
