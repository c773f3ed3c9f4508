"""Rate limits, quotas and budgets: counters, windows, reservations and costs."""
