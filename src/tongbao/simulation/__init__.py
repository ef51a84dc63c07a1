"""Doubting: random histories, with an independent model to compare and a module that misbehaves."""
