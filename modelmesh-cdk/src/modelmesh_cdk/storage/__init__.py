"""Base classes and building blocks of storage connectors."""
