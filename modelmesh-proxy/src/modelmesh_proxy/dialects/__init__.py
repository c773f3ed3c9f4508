"""Request formats of other vendors that the proxy accepts."""
