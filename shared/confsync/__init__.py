"""confsync."""
