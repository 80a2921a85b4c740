"""Tells people: audit events and reminders become lines in the app and e-mails, each once."""
