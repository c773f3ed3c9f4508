"""Wire format: requests, server-sent events, JSON, and the size limits of responses."""
