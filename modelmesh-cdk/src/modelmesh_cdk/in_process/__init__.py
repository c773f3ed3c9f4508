"""Providers whose model runs in the process: one thread owns the model and serves threads and tasks in sequence."""
