"""The processes of one node: a supervisor, a front, a core, verifiers, and what reads."""
