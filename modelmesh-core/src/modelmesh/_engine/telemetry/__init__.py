"""Events, statistics, usage and status: what subscribers and operators see of a mesh."""
