"""What travels: requests, server-sent events, JSON, and the limits on what a vendor may send."""
