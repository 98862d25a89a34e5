"""The confsync command. It parses, calls and prints; what it does is elsewhere."""
