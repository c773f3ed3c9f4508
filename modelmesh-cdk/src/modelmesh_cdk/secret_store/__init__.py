"""Base class of secret stores, and the cache of secrets."""
