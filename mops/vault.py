"""Secrets that must be read again (a bot's token, the key of a signature): encrypted with a key made from SECRET_KEY.

What only has to be recognised is kept as a digest instead, see `roles.tokens`.
"""

import base64

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings


class Unreadable(Exception):
    """It was locked under another SECRET_KEY: somebody has to enter it again."""


def lock(secret: str) -> str:
    """The text to keep in the database."""
    return _keys().encrypt(secret.encode()).decode()


def unlock(kept: str) -> str:
    """The secret; it must reach neither a log nor a page. Raises Unreadable."""
    try:
        return _keys().decrypt(kept.encode()).decode()
    except InvalidToken as error:
        raise Unreadable("locked under another SECRET_KEY") from error


def _keys() -> MultiFernet:
    """New ones are locked with SECRET_KEY; those of SECRET_KEY_FALLBACKS are still read."""
    return MultiFernet([_key(text) for text in (settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS)])


def _key(text: str) -> Fernet:
    made = HKDF(algorithm=SHA256(), length=32, salt=None, info=b"mops.vault").derive(text.encode())
    return Fernet(base64.urlsafe_b64encode(made))
