"""Tokens of applications and teams, and their limits."""
