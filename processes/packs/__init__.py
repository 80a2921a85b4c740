"""What a newcomer to a hat reads, and who has read it."""
