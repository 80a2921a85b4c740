"""Whose is a place: mail domains, drives and messengers that belong to a person and not to the business. Pure."""

from enum import StrEnum
from urllib.parse import urlsplit

MAIL_DOMAINS = frozenset({
    "gmail.com", "googlemail.com", "mail.ru", "bk.ru", "inbox.ru", "list.ru", "internet.ru", "xmail.ru", "yandex.ru", "ya.ru",
    "yandex.com", "yandex.by", "yandex.kz", "rambler.ru", "lenta.ru", "hotmail.com", "outlook.com", "live.com", "msn.com",
    "icloud.com", "me.com", "yahoo.com", "proton.me", "protonmail.com", "vk.com", "ukr.net", "tut.by", "gmx.de", "gmx.com",
})  # fmt: skip
MESSENGERS = frozenset({
    "t.me", "telegram.me", "web.telegram.org", "wa.me", "chat.whatsapp.com", "web.whatsapp.com", "viber.me", "vk.me", "m.me",
    "messenger.com", "discord.gg", "max.ru",
})  # fmt: skip
MAILBOXES = frozenset(
    {"mail.google.com", "e.mail.ru", "mail.yandex.ru", "mail.yandex.com", "outlook.live.com", "mail.rambler.ru"}
)
PERSONAL_DRIVES = frozenset({"onedrive.live.com", "1drv.ms", "icloud.com", "www.icloud.com", "cloud.mail.ru"})
SHARED_DRIVES = frozenset({
    "drive.google.com", "docs.google.com", "sheets.google.com", "disk.yandex.ru", "disk.yandex.com", "yadi.sk", "disk.360.yandex.ru",
    "dropbox.com", "www.dropbox.com",
})  # fmt: skip
"""Drives that people and businesses use alike: the address does not say whose it is, so somebody has to."""


class Place(StrEnum):
    """Whose a place is, by its address alone."""

    OURS = "ours"
    MAY_BE_PERSONAL = "may_be_personal"
    PERSONAL = "personal"


def is_personal_address(contact: str) -> bool:
    """Is this an e-mail at a public provider, where it belongs to a person? A phone does not say."""
    _name, at, domain = contact.strip().rpartition("@")
    return bool(at) and domain.strip(" .>").casefold() in MAIL_DOMAINS


def place_of(url: str) -> Place:
    """Whose place an address names; a wrong address is nobody's and counts as ours: forms refuse it apart."""
    try:
        host = (urlsplit(url).hostname or "").rstrip(".").casefold()
    except ValueError:
        return Place.OURS
    if host in MESSENGERS | MAILBOXES | PERSONAL_DRIVES or (host == "vk.com" and "/im" in urlsplit(url).path):
        return Place.PERSONAL
    return Place.MAY_BE_PERSONAL if host in SHARED_DRIVES else Place.OURS
