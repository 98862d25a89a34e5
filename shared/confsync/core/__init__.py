"""What is decided, without doing it: no I/O, no clock, no randomness, no logging. Everything comes in as a value."""
