"""Mailers: Unisender, Sendsay, Mailchimp. A mailing is a campaign, dated by its sending."""

from kpis.importers.base import Column
from kpis.importers.platforms.platform import Platform

SENDS, DELIVERED = Column("sends", money=False), Column("delivered", money=False)
UNSUBSCRIBES = Column("unsubscribes", money=False)

SENDSAY = Platform(
    "sendsay", "Sendsay",
    needs=frozenset({"дата отправки", "название выпуска", "отписок"}),
    day=frozenset({"дата отправки"}),
    campaign=frozenset({"номер задания", "id"}), campaign_name=frozenset({"название выпуска"}),
    columns={"отправлено": SENDS, "доставлено": DELIVERED, "отписок": UNSUBSCRIBES},
    not_added=frozenset({"открытий", "уник. открытий", "кликов", "уник. кликов", "ctor", "utor", "ошибок", "получатели"}),
    order="dmy",
)  # fmt: skip

UNISENDER = Platform(
    "unisender", "Unisender",
    needs=frozenset({"отправлено", "доставлено", "прочитано", "отписок"}),
    day=frozenset({"дата", "дата отправки"}),
    campaign=frozenset({"id", "id рассылки"}), campaign_name=frozenset({"название", "тема", "рассылка"}),
    columns={"отправлено": SENDS, "доставлено": DELIVERED, "отписок": UNSUBSCRIBES},
    not_added=frozenset({"прочитано", "переходы", "жалобы на спам"}), order="dmy",
)  # fmt: skip

MAILCHIMP = Platform(
    "mailchimp", "Mailchimp",
    needs=frozenset({"send date", "total recipients", "unsubscribes"}),
    day=frozenset({"send date"}),
    campaign=frozenset({"unique id"}), campaign_name=frozenset({"title", "subject"}),
    columns={"total recipients": SENDS, "successful deliveries": DELIVERED, "unsubscribes": UNSUBSCRIBES},
    not_added=frozenset({"unique opens", "open rate", "unique clicks", "click rate", "hard bounces"}), order="mdy",
)  # fmt: skip

ALL = (SENDSAY, UNISENDER, MAILCHIMP)
