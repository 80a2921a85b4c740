"""CRMs: amoCRM, Bitrix24 (screen and API), HubSpot, Salesforce; a row is a deal. And YooKassa's register of payments."""

from kpis.importers.deals import Deals
from kpis.importers.platforms.platform import REVENUE, Platform

AMOCRM = Deals(
    "amocrm", "amoCRM",
    needs=frozenset({"этап сделки", "дата создания сделки"}),
    id=frozenset({"id"}), title=frozenset({"название сделки"}),
    stage=frozenset({"этап сделки"}), created=frozenset({"дата создания сделки"}), closed=frozenset({"дата закрытия"}),
    edited=frozenset({"дата редактирования"}), amount=frozenset({"бюджет"}),
    customer=frozenset({"id контакта", "id основного контакта"}), repeat=frozenset({"повторная сделка"}),
    origin=frozenset({"источник", "источник сделки"}), order="dmy",
)  # fmt: skip

BITRIX24 = Deals(
    "bitrix24", "Битрикс24",
    needs=frozenset({"стадия сделки", "дата создания"}),
    id=frozenset({"id"}), title=frozenset({"название сделки"}),
    stage=frozenset({"стадия сделки"}), created=frozenset({"дата создания"}),
    closed=frozenset({"дата завершения", "дата закрытия"}), edited=frozenset({"дата изменения"}), amount=frozenset({"сумма"}),
    customer=frozenset({"контакт: id", "id контакта"}), repeat=frozenset({"повторная сделка"}),
    origin=frozenset({"источник"}), order="dmy",
)  # fmt: skip

BITRIX24_API = Deals(
    "bitrix24_api", "Битрикс24",
    needs=frozenset({"id", "stage id", "date create"}),
    id=frozenset({"id"}), stage=frozenset({"stage id"}), created=frozenset({"date create"}), closed=frozenset({"closedate"}),
    edited=frozenset({"date modify"}), amount=frozenset({"opportunity"}), customer=frozenset({"contact id"}),
    repeat=frozenset({"is return customer"}), origin=frozenset({"source id"}),
)  # fmt: skip

HUBSPOT = Deals(
    "hubspot", "HubSpot",
    needs=frozenset({"deal stage", "create date"}),
    id=frozenset({"record id"}), title=frozenset({"deal name"}),
    stage=frozenset({"deal stage"}), created=frozenset({"create date"}), closed=frozenset({"close date"}),
    edited=frozenset({"last modified date"}), amount=frozenset({"amount"}), customer=frozenset({"associated contact ids"}),
    repeat=frozenset({"deal type"}), origin=frozenset({"original source", "original traffic source"}),
)  # fmt: skip

SALESFORCE = Deals(
    "salesforce", "Salesforce",
    needs=frozenset({"stage", "created date"}), any_of=frozenset({"opportunity name", "opportunity id"}),
    id=frozenset({"opportunity id"}), title=frozenset({"opportunity name"}),
    stage=frozenset({"stage"}), created=frozenset({"created date"}), closed=frozenset({"close date"}),
    edited=frozenset({"last modified date"}), amount=frozenset({"amount"}), customer=frozenset({"account id"}),
    repeat=frozenset({"type"}), origin=frozenset({"lead source"}),
)  # fmt: skip

YOOKASSA = Platform(
    "yookassa", "ЮKassa",
    needs=frozenset({"идентификатор платежа", "время платежа"}),
    day=frozenset({"время платежа"}), columns={"сумма платежа": REVENUE},
    not_added=frozenset({"сумма за вычетом комиссии и ндс"}), order="dmy", currency="RUB",
)  # fmt: skip

CRMS = (AMOCRM, BITRIX24, BITRIX24_API, HUBSPOT, SALESFORCE)
