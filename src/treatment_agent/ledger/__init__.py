"""The books: every event, turn, text, handoff and consent, in SQLite or PostgreSQL."""
