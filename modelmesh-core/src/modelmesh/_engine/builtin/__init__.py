"""The connectors that core itself ships, through the same entry points as everybody's."""
