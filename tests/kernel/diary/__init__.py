"""A module that keeps every rule of declaration: tests break one of its lines at a time."""
