"""Availability of models and provider accounts: circuit breakers, cooldowns, maintenance windows, health checks."""
