"""The subjects: each function receives the worker's setting and returns a function that repeats some work."""
