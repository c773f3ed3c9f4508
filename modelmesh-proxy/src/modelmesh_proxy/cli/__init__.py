"""Commands ``modelmesh serve`` and ``modelmesh tokens``."""
