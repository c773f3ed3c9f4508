"""Base classes of discovery connectors."""
