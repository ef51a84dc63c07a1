"""What can be wrong with a snapshot that somebody hands in."""

from tongbao.store.errors import StoreError


class BadSnapshot(StoreError):
    """A snapshot is not of the state that it claims; the text names what is wrong."""

    exit_code = 65
