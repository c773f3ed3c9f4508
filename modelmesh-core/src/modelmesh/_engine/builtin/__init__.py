"""Connectors that core ships. They register through entry points, like those of any plugin."""
