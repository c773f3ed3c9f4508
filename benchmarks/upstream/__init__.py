"""The vendor of the benchmarks: a server on loopback in a separate process."""
