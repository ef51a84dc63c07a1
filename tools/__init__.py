"""Checks of the project itself; nothing here is installed with the package."""
