"""Cases of the matrix: one list of requests, and a module for each vendor that sends them with its SDK."""
