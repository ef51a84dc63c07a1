"""The module `shelf` after its upgrade."""
