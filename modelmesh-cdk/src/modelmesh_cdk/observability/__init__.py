"""Base class of observability sinks, and redaction."""
