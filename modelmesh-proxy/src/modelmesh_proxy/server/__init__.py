"""The HTTP server: protocol, processes, signals and reload."""
