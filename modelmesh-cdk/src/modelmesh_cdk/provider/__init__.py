"""Base classes and building blocks of provider connectors."""
