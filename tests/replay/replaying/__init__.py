"""The parts of the replays: recordings, questions, and two readers of the same bytes."""
