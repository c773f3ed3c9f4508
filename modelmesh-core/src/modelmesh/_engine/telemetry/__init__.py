"""Events, statistics, usage and status of a mesh."""
