"""Modules of the replays: recordings, requests, and two readers of the same bytes."""
