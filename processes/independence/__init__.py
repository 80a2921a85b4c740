"""How far marketing stands on the system and not on single people: the index, its parts and its history."""
