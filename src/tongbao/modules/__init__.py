"""Business capabilities, one folder each; `registry.py` names them all."""
