"""Administration: JSON interface and page."""
