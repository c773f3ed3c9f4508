"""Realtime sessions: a relay of events between a caller and one vendor, with accounting."""
