"""HTTP/1.1 client over httptools, for threads and for event loops."""
