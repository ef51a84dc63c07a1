"""The module `shelf` as it began."""
