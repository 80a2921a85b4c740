"""Writes of `roles/`, a module per noun: companies, people, hats, channels, campaigns, preferences."""
