"""Doubt the store: production code on a disk that fails in every way that disks do."""
