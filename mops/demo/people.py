"""The people of the sample company and what they say: names of the mock-ups, one login pattern, one password."""

from dataclasses import dataclass

PASSWORD = "demo-veresk"
DOMAIN = "veresk.example"


@dataclass(frozen=True)
class SamplePerson:
    """A login (`code`@veresk.example), the built-in role worn, the deputy's code."""

    code: str
    name: str
    role: str
    deputy: str = ""
    hours: int = 40


PEOPLE = (
    SamplePerson("owner", "Игорь Лаптев", "owner", hours=4),
    SamplePerson("cmo", "Марина Ершова", "cmo", deputy="owner", hours=30),
    SamplePerson("pm", "Светлана Орлова", "pm", deputy="cmo"),
    SamplePerson("analyst", "Павел Гуляев", "analyst", deputy="pm"),
    SamplePerson("performance", "Анна Белова", "performance", deputy="cmo"),
    SamplePerson("content", "Ольга Титова", "content", deputy="pm"),
    SamplePerson("crm", "Дина Ким", "crm", deputy="content"),
    SamplePerson("avito", "Роман Руднев", "performance", deputy="performance", hours=20),
    SamplePerson("pr", "Нина Вдовина", "pr", hours=20),
    SamplePerson("site", "Тимур Алиев", "site", deputy="content"),
    SamplePerson("contractor", "Егор Панов", "contractor", hours=10),
)
CHECKED = {
    "performance": ("owner", "Кто продлевает Директ и VK, пока владелец канала в отпуске"),
    "content": ("analyst", "Кто пишет и кто запускает объявления на картах"),
}
"""Owners of channels whose deputy's own hat clashes with the channel's: who checks from the first day, and what."""
SHOWN_LOGINS = ("owner", "cmo", "pm", "analyst", "performance", "content", "crm", "contractor")

TARGETS = {
    # code: (leads, qualified leads, CPA ₽, deals, revenue ₽) of a month; spend is the channel's budget
    "direct": (980, 660, 2_900, 98, 20_300_000),
    "vk": (500, 340, 2_900, 22, 4_700_000),
    "avito": (300, 200, 2_200, 20, 3_900_000),
    "maps": (130, 88, 1_600, 15, 3_000_000),
    "seo": (230, 155, 1_950, 28, 5_700_000),
    "blog": (70, 46, 3_600, 4, 820_000),
    "pr": (58, 46, 4_400, 14, 3_300_000),
    "mail": (80, 60, 1_300, 11, 1_400_000),
    "site": (150, 100, 1_900, 13, 2_700_000),
}
COMPANY_CAC = 21_000
MARGIN_TARGET = 0.35

CONCLUSIONS = {
    "direct": ("market", "Поиск дорожает на 4 % за неделю, как и в прошлом ноябре; ретаргетинг это закрывает."),
    "vk": (
        "execution",
        "Аудитория «Похожие на заказчиков» выгорела: частота показов 6,1 против 2,8 в октябре. Дорожает показ, а не сайт.",
    ),
    "avito": ("execution", "Новые заголовки дали больше звонков, но треть не отвечает на обратный звонок."),
    "maps": ("data", "CRM не отдаёт заявки с карт: звонки идут на новый номер без метки."),
    "seo": ("hypothesis", "Страница «Кухня за 21 день» вышла в топ-5 и привела половину прироста."),
    "blog": ("hypothesis", "Читают, но до расчёта не доходят: в статьях нет цены."),
    "pr": ("market", "Два дизайнера ушли в отпуск, замеров меньше, договоры закрываем по прошлым."),
    "mail": ("execution", "Письмо про скидку ушло тем, кто уже заказал: отсюда отписки."),
    "site": ("execution", "Форма на телефоне падала два дня, починили в среду."),
}
ACTIONS = {
    "direct": "Перенести 15 % бюджета РСЯ в ретаргетинг",
    "vk": "Собрать аудиторию по договорам и 8 объявлений с ценой в первом кадре",
    "avito": "Звонить по заявкам в течение 10 минут, проверить записи",
    "maps": "Завести метку на новый номер и догрузить заявки за неделю",
    "seo": "Написать три страницы по тому же образцу",
    "blog": "Поставить калькулятор цены в пять самых читаемых статей",
    "pr": "Позвать четырёх новых дизайнеров на производство",
    "mail": "Разделить базу: заказчики и те, кто считал",
    "site": "Проверять форму на телефоне каждое утро роботом",
}
SERVES = {
    "direct": "Стратегия 2026, п. 2.1: рассрочка",
    "vk": "Гипотеза Г-31: цена в первом кадре",
    "avito": "Стратегия 2026, п. 2.3: площадки",
    "maps": "Стратегия 2026, п. 2.3: площадки",
    "seo": "Гипотеза Г-27: «Кухня за 21 день»",
    "blog": "Гипотеза Г-29: калькулятор в статье",
    "pr": "Стратегия 2026, п. 3.2: дизайнеры",
    "mail": "Стратегия 2026, п. 4.1: повторные заказы",
    "site": "Стратегия 2026, п. 1.4: конверсия сайта",
}
PROMISES = {
    "direct": ("Запустить объявления с рассрочкой", 4),
    "vk": ("Новые объявления в показе", 6),
    "avito": ("Объявления с новыми фото", 12),
    "maps": ("Собрать отзывы", 10),
    "seo": ("Страницы в топ-10", 8),
    "blog": ("Статьи с калькулятором", 2),
    "pr": ("Встречи с дизайнерами", 4),
    "mail": ("Письма по сегментам", 3),
    "site": ("Проверенные формы", 5),
}
