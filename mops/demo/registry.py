"""Accesses, documents and contractors of the sample company, some with flags; and the briefs of the site's IT."""

from datetime import datetime, timedelta

from mops.demo.founding import Sample
from mops.demo.people import DOMAIN
from processes import briefing, flagging
from processes.models import Brief
from roles.models import Contractor, Role
from roles.services import accesses, contractors, documents

ACCESSES = (
    # system, identifier, fields, administrators, channels, checked how many days ago
    ("Яндекс Директ", "veresk-direct", {"recovery": "ads@veresk.example", "two_factor": True, "secret_place": "1Password, сейф «Реклама»", "paid_by": "ООО «Вереск», безнал"}, ("performance", "cmo"), ("direct",), 20),
    ("VK Реклама", "кабинет 1048576", {"owned_by": "person", "owner_person": "performance", "recovery": "belova.anna@mail.ru", "two_factor": False, "secret_place": "менеджер паролей Анны Беловой", "paid_by": "карта Анны Беловой, возмещение"}, ("performance",), ("vk",), 130),
    ("Авито", "veresk76", {"recovery": "ads@veresk.example", "two_factor": True, "secret_place": "1Password, сейф «Реклама»", "paid_by": "ООО «Вереск», безнал"}, ("avito", "performance"), ("avito",), 15),
    ("Яндекс Бизнес (Карты)", "Вереск, салон на Свободы", {"recovery": "ads@veresk.example", "two_factor": True, "secret_place": "1Password, сейф «Реклама»"}, ("performance", "pm"), ("maps",), 60),
    ("Яндекс Метрика", "счётчик 76000123", {"recovery": "analyst@veresk.example", "two_factor": True, "secret_place": "1Password, сейф «Данные»"}, ("analyst", "cmo"), (), 30),
    ("Рассылки Unisender", "mail@veresk.example", {"recovery": "crm@veresk.example", "two_factor": None, "secret_place": "1Password, сейф «CRM»"}, ("crm", "content"), ("mail",), 40),
    ("amoCRM", "veresk.amocrm.ru", {"recovery": "crm@veresk.example", "two_factor": True, "secret_place": "1Password, сейф «CRM»"}, ("crm", "pm"), (), 25),
    ("Хостинг сайта", "договор VT-4471", {"contractor": "it", "recovery": "site@veresk.example", "two_factor": True, "secret_place": "1Password, сейф «Сайт»", "paid_by": "ООО «Вереск», безнал"}, ("site", "pm"), ("site",), 50),
    ("Домен veresk76.ru", "RU-CENTER 776/NIC-D", {"owned_by": "person", "owner_name": "бывший подрядчик И. Громов", "recovery": "+7 910 000-00-76", "two_factor": None}, ("site",), ("site",), 200),
    ("Дзен", "«Кухня с Вереском»", {"contractor": "video", "recovery": "content@veresk.example", "two_factor": True, "secret_place": "1Password, сейф «Контент»"}, ("content", "pm"), ("blog",), 35),
)  # fmt: skip
DOCUMENTS = (
    ("Прайс и скидки сезона", "https://docs.google.com/spreadsheets/d/veresk-price", "content", None, None, True),
    ("Брендбук", "https://disk.yandex.ru/d/veresk-brand", "content", "blog", None, False),
    ("Фото кухонь для объявлений", "https://t.me/+veresk_photos", "performance", "vk", None, False),
    ("Регламент разметки ссылок", "https://wiki.veresk.example/utm", "analyst", None, "analyst", False),
    ("Договор с подрядчиком сайта", "https://wiki.veresk.example/contracts/it", "pm", "site", "site", False),
)
BRIEFS = (
    # title, text, criteria, how far it has come, days ago it was written, days from the anchor until which
    ("Форма на телефоне: с 6 секунд до 2", "Ускорить открытие формы замера на телефоне: сжать картинки, убрать лишние скрипты.", ("Открывается за 2 с на 4G", "Заявка доходит в amoCRM", "Проверено на iPhone и Android"), "done", 40, -20),
    ("Калькулятор цены на странице «Кухня за 21 день»", "Поставить калькулятор под первым экраном, события отправлять в Метрику.", ("Считает по прайсу сезона", "События видны в Метрике", "Не ломается на 390 px"), "delivered", 16, 2),
    ("Робот проверяет форму каждое утро", "Каждое утро в 7:00 отправлять пробную заявку и писать в канал, если она не дошла.", ("Работает три дня подряд", "Письмо приходит в течение 5 минут"), "sent", 2, 9),
)  # fmt: skip


def fill(sample: Sample, now: datetime) -> None:
    """Everything of the registry as it stands today, and the tasks that its flags give."""
    company, today = sample.company, sample.anchor
    firms = _contract(sample, now)
    for system, identifier, fields, administrators, channels, ago in ACCESSES:
        named = {"owned_by": "company"} | fields
        for name, book in (("owner_person", sample.people), ("contractor", firms)):
            if name in named:
                named[name] = book[named[name]]
        accesses.create_access(
            company=company, by=sample.people["pm"], at=now, today=today, system=system, identifier=identifier,
            administrators=[sample.people[code] for code in administrators],
            channels=[sample.channels[code] for code in channels], checked_on=today - timedelta(days=ago), **named,
        )  # fmt: skip
    roles = {role.code: role for role in Role.objects.filter(company=company)}
    for title, url, owner, channel, role, ours in DOCUMENTS:
        documents.create_document(
            company=company, by=sample.people["pm"], at=now, today=today, title=title, url=url, owner=sample.people[owner],
            channel=sample.channels.get(channel), role=roles.get(role), place_is_ours=ours,
        )  # fmt: skip
    for brief in BRIEFS:
        _live(sample, now, firms["it"], *brief)
    contractors.end_past_contracts(company=company, at=now, today=today)
    flagging.settle_flags(company=company, at=now)


def _contract(sample: Sample, now: datetime) -> dict[str, Contractor]:
    """The site's IT with its person, and a studio whose contract has run out while its access has not."""
    company, today, people = sample.company, sample.anchor, sample.people
    it = contractors.create_contractor(
        company=company, by=people["pm"], at=now, name="ИТ: «Сервис-76»", channels=[sample.channels["site"]],
        scope="Разработка и поддержка сайта: формы, скорость, калькулятор, проверка заявок. Рекламу и тексты не трогает.",
        starts_on=today - timedelta(days=300), ends_on=today + timedelta(days=150), contact_name="Егор Панов",
        contact="help@service76.example", responsible=people["site"], deputy=people["pm"],
    )  # fmt: skip
    contractors.add_contractor_person(
        company=company, by=people["pm"], at=now, today=today, contractor=it, email=f"contractor@{DOMAIN}", invite=False
    )
    video = contractors.create_contractor(
        company=company, by=people["pm"], at=now, name="Студия «Кадр»", channels=[sample.channels["blog"]],
        scope="Двенадцать роликов о кухнях для блога и Дзена.", starts_on=today - timedelta(days=200),
        ends_on=today - timedelta(days=12), contact_name="Лев Орехов", contact="+7 4852 00-00-12", responsible=people["content"],
    )  # fmt: skip
    return {"it": it, "video": video}


def _live(sample: Sample, now: datetime, it: Contractor, title, text, criteria, state, ago, until) -> None:
    """One brief from its draft to where it stands: by the site's owner and the contractor's person, a day per step."""
    ours, theirs, first = sample.people["site"], sample.people["contractor"], sample.anchor - timedelta(days=ago)
    step = {"company": sample.company}
    brief = briefing.create_brief(
        **step, by=ours, at=sample.at(first, 11), contractor=it, channel=sample.channels["site"], title=title, text=text,
        criteria=list(criteria), due_on=sample.anchor + timedelta(days=until),
    )  # fmt: skip
    briefing.send_brief(**step, by=ours, at=sample.at(first, 11, 20), brief=brief)
    if state == Brief.State.SENT:
        return
    briefing.take_brief(**step, by=theirs, at=sample.at(first + timedelta(days=1), 10), brief=brief)
    briefing.deliver_brief(
        **step, by=theirs, at=min(now, sample.at(first + timedelta(days=12), 17)), brief=brief,
        delivery_url="https://stage.veresk.example/review", delivery_text="Готово на стенде, выкладка после приёмки.",
    )  # fmt: skip
    if state == Brief.State.DONE:
        at = sample.at(first + timedelta(days=13), 12)
        briefing.accept_work(**step, by=ours, at=at, brief=brief, met=list(range(len(criteria))))
