"""Values without dependencies on other layers: failure classes, attempts, clock, IDs, secrets and units."""
