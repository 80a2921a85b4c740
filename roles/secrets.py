"""Tells a password, token or key from the name of the place where it is kept. Pure: text in, verdict out.

A sieve against haste, not a guard against intent: it looks at what people paste by mistake.
"""

import math
import re
from collections import Counter

MARKED = re.compile(
    r"-----BEGIN|\bssh-(?:rsa|ed25519)\s|"  # keys
    r"\b(?:ghp|gho|ghs|github_pat|glpat|xox[abp]|sk|pk|rk|ya29|AKIA|ASIA|AIza|y0|shpat|EAA)[-_.A-Za-z0-9]{12,}|"  # known tokens
    r"\beyJ[\w-]{8,}\.[\w-]{8,}\.|"  # JWT
    r"://[^\s/@:]+:[^\s/@]+@"  # a password inside an address
)
NAMED = re.compile(
    r"(?<![\w])(?:password|passwd|pass|pwd|pin|token|secret|api[ _-]?key|пароль|пасс|пин|токен|секрет|ключ)\s*(?:[:=]|—|–|-\s)\s*(\S{4,})",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\s,;«»\"'()]+")
ADDRESS = re.compile(
    r"^(?:https?://|www\.)|^[^@\s]+@[^@\s]+\.[a-zа-я]{2,}$|^[\w.-]+\.[a-zа-я]{2,}(?:/|$)", re.IGNORECASE
)
KEEPERS = re.compile(r"1\s?password\s?\d*", re.IGNORECASE)
"""The one password keeper whose name looks like a password."""
ENOUGH_BITS = 2.6
SHORTEST = 8


def has_marked_secret(text: str) -> bool:
    """Does it hold what is a secret whatever the field: a private key, a known kind of token, «пароль: Qwerty1»?"""
    if MARKED.search(text):
        return True
    return any(not _is_plain_word(found) for found in NAMED.findall(text))


def looks_like_secret(text: str) -> bool:
    """Is it, or does it hold, a password or a key instead of naming a place? For fields of prose, not of account numbers."""
    text = KEEPERS.sub("", text)
    return has_marked_secret(text) or any(_is_scrambled(word) for word in WORD.findall(text))


def _is_plain_word(word: str) -> bool:
    """«сейфе», «Орловой»: a Cyrillic word names a person or a place."""
    return bool(re.fullmatch(r"[а-яё«»\"'.,-]+", word, re.IGNORECASE))


def _is_scrambled(word: str) -> bool:
    """Three kinds of signs in one word that is no address, e-mail or phone, and no two alike: Qwerty123!, x7Kp9qLm2."""
    if len(word) < SHORTEST or ADDRESS.search(word) or not re.search(r"[A-Za-z]", word) or not re.search(r"\d", word):
        return False
    kinds = [r"[a-z]", r"[A-Z]", r"\d", r"[^\w./:-]"]
    mixed = sum(bool(re.search(kind, word)) for kind in kinds) >= 3
    long_hash = bool(re.fullmatch(r"[0-9a-f]{24,}|[A-Za-z0-9+/_=-]{28,}", word))
    return (mixed and _bits(word) >= ENOUGH_BITS) or long_hash


def _bits(word: str) -> float:
    """Shannon entropy per sign."""
    counts = Counter(word)
    return -sum(n / len(word) * math.log2(n / len(word)) for n in counts.values())
