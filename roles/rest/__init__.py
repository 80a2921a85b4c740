"""The REST API's common parts, in the lowest layer so that every app's `api.py` may use them."""
