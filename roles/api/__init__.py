"""The REST API of `roles/`, a module per noun: me, people, channels, campaigns."""
