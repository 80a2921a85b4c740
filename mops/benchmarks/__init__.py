"""What `manage.py bench` builds and measures."""
