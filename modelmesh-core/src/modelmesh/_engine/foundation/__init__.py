"""Values without dependencies: failure classes, attempts, IDs, secrets, units."""
