"""Candidate selection and failover. Pure: no I/O, no sleep, no clock or random source other than those passed in."""
