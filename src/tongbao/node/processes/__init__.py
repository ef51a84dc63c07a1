"""The processes of one node, and how they talk."""
