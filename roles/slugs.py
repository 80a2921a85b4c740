"""Addresses and codes from names: «VK Реклама» → `vk-reklama`. Pure."""

from django.utils.text import slugify

LETTERS = {
    "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh", "з": "z", "и": "i", "й": "y",
    "к": "k", "л": "l", "м": "m", "н": "n", "о": "o", "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f",
    "х": "h", "ц": "ts", "ч": "ch", "ш": "sh", "щ": "sch", "ъ": "", "ы": "y", "ь": "", "э": "e", "ю": "yu", "я": "ya",
}  # fmt: skip


def slug_of(name: str, longest: int = 40) -> str:
    """A slug of Latin letters, digits and hyphens; empty when the name has none of what it needs."""
    latin = "".join(LETTERS.get(letter, letter) for letter in name.lower())
    return slugify(latin)[:longest].strip("-")
