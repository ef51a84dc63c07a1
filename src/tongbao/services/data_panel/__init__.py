"""A panel's program: keeps the evidence of its adjudicator's cases, judges it, and votes."""
