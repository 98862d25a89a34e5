"""The ports on real services: Google Calendar, Cloud Tasks, SQLite; and in memory. They do, and decide nothing."""
