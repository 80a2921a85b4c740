"""Telegram: a company's own bot, the chats of its people, the messages."""
