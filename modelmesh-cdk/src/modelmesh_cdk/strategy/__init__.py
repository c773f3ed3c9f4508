"""Base classes and building blocks of strategies and rotation policies."""
