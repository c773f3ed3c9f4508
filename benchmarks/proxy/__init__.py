"""Cost of a request through the proxy and through other gateways."""
