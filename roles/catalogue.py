"""The built-in roles: what each hat is for, its recurring duties and its KPIs, in Russian and English. Values only.

A company gets a copy of each when it starts and may revise the copies; nothing here changes what is already installed.
"""

from dataclasses import dataclass

from roles.permissions import RoleKind


@dataclass(frozen=True)
class Duty:
    """One line of a checklist. `cadence`: day, week, month or quarter; `key` stays when the text is revised."""

    key: str
    cadence: str
    ru: str
    en: str

    def as_json(self) -> dict[str, str]:
        return {"key": self.key, "cadence": self.cadence, "ru": self.ru, "en": self.en}


@dataclass(frozen=True)
class BuiltInRole:
    """A hat as it comes out of the box. `kpis`: codes, the main one first; `channel_kinds`: the kinds of channels it owns."""

    code: str
    kind: RoleKind
    name_ru: str
    name_en: str
    mission_ru: str
    mission_en: str
    kpis: tuple[str, ...]
    duties: tuple[Duty, ...]
    channel_kinds: tuple[str, ...] = ()


PROCESS_KPIS = {
    "reports_on_time": ("Отчёты в срок", "Reports on time"),
    "decision_hours": ("Часы от срабатывания до решения", "Hours from breach to decision"),
    "data_on_time": ("Данные обновлены в срок", "Data refreshed on time"),
    "tasks_on_time": ("Задачи сданы в срок", "Tasks delivered on time"),
}
"""Measures of discipline that no formula over metrics gives: code → (Russian, English) name."""

OWNER = BuiltInRole(
    "owner", RoleKind.OWNER, "Собственник системы", "Owner of the system",
    "Ставит цели бизнеса и видит, что происходит: сколько заработали, что ждёт решения, где горят деньги. Управляет "
    "системой, а не подменяет её. Пока директора по маркетингу нет, носит и его роль — по тому же регламенту.",
    "Sets the goals of the business and sees what happens: what was earned, what waits for a decision, where money burns. "
    "Manages the system instead of replacing it. While there is no marketing director, wears that hat too, by the same rules.",
    ("romi", "cac"),
    (
        Duty("read_dashboard", "week", "Прочитать обзор: выручка, ROMI, решения, которые ждут",
             "Read the overview: revenue, ROMI, decisions that wait"),
        Duty("decide_overdue", "week", "Решить то, что не подписано за 48 часов или вернулось в третий раз",
             "Decide what was not signed in 48 hours or came back for the third time"),
        Duty("cosign", "week", "Поставить вторую подпись там, где решает владелец канала",
             "Give the second signature where a channel's owner decides"),
        Duty("set_goals", "quarter", "Утвердить цели квартала в деньгах и медиаплан",
             "Approve the quarter's goals in money and the media plan"),
        Duty("review_roles", "quarter", "Пересмотреть роли и показатели: что перестало вести к выручке",
             "Review roles and KPIs: what no longer leads to revenue"),
    ),
)  # fmt: skip

CMO = BuiltInRole(
    "cmo", RoleKind.CMO, "Директор по маркетингу", "Marketing director",
    "Связывает цели собственника с руками команды. Имеет право резать и собирать маркетинг в пользу выручки и отвечает "
    "за результат: не «мы делали контент», а «мы заработали X с ROMI Y». Может работать 4–10 часов в неделю.",
    "Ties the owner's goals to the hands of the team. Has the right to cut and rebuild marketing in favour of revenue and "
    "answers for the result: not “we made content” but “we earned X with ROMI Y”. May work 4–10 hours a week.",
    ("romi", "cac", "cpa", "drr"),
    (
        Duty("weekly_kpi_review", "week", "Разобрать показатели всех каналов за неделю", "Review the week's KPIs of every channel"),
        Duty("standup", "week", "Провести стендап «план – факт – решение»", "Hold the stand-up “plan – fact – decision”"),
        Duty("decide", "week", "Решить по каждому срабатыванию за 24 часа: стоп, продолжить, переписать, урезать",
             "Decide on every breach within 24 hours: stop, continue, rewrite, cut"),
        Duty("accept_reports", "week", "Принять отчёты каналов или вернуть с замечанием",
             "Accept the channels' reports or return them with a note"),
        Duty("unit_economics", "month", "Разобрать юнит-экономику: CAC, LTV, окупаемость, маржа",
             "Review unit economics: CAC, LTV, payback, margin"),
        Duty("strategy_session", "month", "Провести сессию: какие каналы приносят деньги, что тестируем, что убираем",
             "Hold the session: which channels bring money, what we test, what we remove"),
        Duty("priorities", "month", "Назначить приоритет каждого канала и записать причину",
             "Set the priority of every channel and write the reason"),
        Duty("media_plan", "quarter", "Составить медиаплан: бюджет, допуски и стоп-лосс по каналам",
             "Draw up the media plan: budget, tolerance and stop-loss per channel"),
    ),
)  # fmt: skip

PM = BuiltInRole(
    "pm", RoleKind.PM, "Менеджер проекта", "Project manager",
    "Отвечает за качество и скорость: у каждой функции есть владелец, сроки держатся, процессы идут и без напоминаний. "
    "Координирует каналы, но не решает за них и не меняет их цифры.",
    "Answers for quality and speed: every function has an owner, deadlines hold, processes run without reminders. "
    "Coordinates the channels without deciding for them or changing their figures.",
    ("reports_on_time", "decision_hours"),
    (
        Duty("plans_in", "week", "Понедельник: проследить, что все планы сданы до 12:00", "Monday: see that every plan is in by 12:00"),
        Duty("facts_in", "week", "Пятница: проследить, что все факты сданы до 18:00", "Friday: see that every fact is in by 18:00"),
        Duty("actions", "week", "Пройти по действиям: перенесённое дважды вынести на стендап",
             "Go through the actions: bring what was carried twice to the stand-up"),
        Duty("vacancies", "week", "Закрыть роли без владельца и без резерва", "Fill roles without a holder or a deputy"),
        Duty("processes", "month", "Сверить процессы с жизнью: где теряется время", "Check the processes against life: where time is lost"),
        Duty("review_roles", "quarter", "Подготовить пересмотр ролей и показателей", "Prepare the review of roles and KPIs"),
    ),
)  # fmt: skip

ANALYST = BuiltInRole(
    "analyst", RoleKind.ANALYST, "Аналитик", "Analyst",
    "Стоит отдельно от каналов: цифры приходят от аналитика и систем, а не от того, кого по ним оценивают. Анализирует, "
    "но не решает. Следит, чтобы у всех были одна атрибуция и одни цифры.",
    "Stands apart from the channels: figures come from the analyst and the systems, not from those judged by them. Analyses "
    "but does not decide. Sees that everybody uses one attribution and the same figures.",
    ("data_on_time",),
    (
        Duty("load_facts", "day", "Проверить, что вчерашние цифры пришли из всех источников",
             "Check that yesterday's figures arrived from every source"),
        Duty("incidents", "day", "Разобрать разрывы в данных до того, как по ним примут решение",
             "Clear up gaps in the data before anybody decides on them"),
        Duty("reconcile", "week", "Сверить рекламные кабинеты с CRM и деньгами", "Reconcile the ad accounts with the CRM and money"),
        Duty("funnel", "week", "Посчитать воронку по этапам до денег", "Count the funnel stage by stage down to money"),
        Duty("correlation", "month", "Найти показатели, которые перестали двигаться вместе с выручкой",
             "Find KPIs that no longer move with revenue"),
        Duty("attribution", "quarter", "Проверить модель атрибуции и записать, что изменилось",
             "Check the attribution model and write what has changed"),
    ),
)  # fmt: skip

WEEKLY_CYCLE = (
    Duty("plan", "week", "Понедельник до 12:00: сдать план недели с числами", "Monday by 12:00: file the week's plan with numbers"),
    Duty("fact", "week", "Пятница до 18:00: сдать факт, вывод и действие", "Friday by 18:00: file the fact, the conclusion and the action"),
)  # fmt: skip

CONTENT = BuiltInRole(
    "content", RoleKind.CHANNEL_OWNER, "Контент и редакция", "Content",
    "Приводит людей текстами и отвечает за трафик и конверсию, а не за охваты. Пишет, но не запускает платное "
    "продвижение: кто написал, тот не выпускает без второй пары глаз.",
    "Brings people by words and answers for traffic and conversion, not for reach. Writes but does not launch paid promotion: "
    "the author does not publish without a second pair of eyes.",
    ("lead_rate", "cpl", "deal_rate"),
    (
        *WEEKLY_CYCLE,
        Duty("hypothesis", "week", "Записать контентную гипотезу и её ожидаемый прирост", "Write down a content hypothesis and its expected uplift"),
        Duty("upper_funnel", "week", "Показать верх воронки: визиты, вовлечение, подписки", "Show the top of the funnel: visits, engagement, subscriptions"),
        Duty("clean_up", "month", "Снять темы, которые не приводят заявок", "Drop the topics that bring no leads"),
    ),
    ("organic",),
)  # fmt: skip

PERFORMANCE = BuiltInRole(
    "performance", RoleKind.CHANNEL_OWNER, "Перформанс", "Performance",
    "Покупает заявки в пределах бюджета и допуска. Отвечает за CPA и ROAS; итоговые цифры проверяет аналитик. "
    "Когда срабатывает стоп-правило, останавливает без спора.",
    "Buys leads within the budget and the tolerance. Answers for CPA and ROAS; the final figures are checked by the analyst. "
    "When a stop-rule fires, stops without an argument.",
    ("cpa", "roas", "cpl"),
    (
        Duty("watch_spend", "day", "Сверить расход с бюджетом и стоп-лоссом кампаний", "Compare spend with the budget and the campaigns' stop-loss"),
        Duty("obey_rules", "day", "Выполнить подписанные решения: остановить, урезать, переписать",
             "Carry out signed decisions: stop, cut, rewrite"),
        *WEEKLY_CYCLE,
        Duty("test", "week", "Запустить не больше одного теста на кампанию, с порогом успеха и отказа",
             "Run at most one test per campaign, with a line for success and for failure"),
        Duty("tidy", "month", "Отключить связки, которые не окупились за месяц", "Switch off what did not pay back within the month"),
    ),
    ("paid", "offline"),
)  # fmt: skip

PR = BuiltInRole(
    "pr", RoleKind.CHANNEL_OWNER, "PR и партнёры", "PR and partners",
    "Приводит доверие, которое становится заявками: публикации, партнёры, рекомендации. Считает их по заявкам и "
    "договорам, а не по числу упоминаний.",
    "Brings trust that turns into leads: publications, partners, referrals. Counts them by leads and deals, not by mentions.",
    ("qualified_rate", "cpl", "deal_rate"),
    (
        *WEEKLY_CYCLE,
        Duty("trace", "week", "Отметить источник у каждой заявки от партнёра", "Mark the source of every lead from a partner"),
        Duty("partners", "month", "Пересмотреть партнёров: кто привёл договоры, кто только обещал",
             "Review the partners: who brought deals and who only promised"),
    ),
    ("pr", "partner"),
)  # fmt: skip

CRM = BuiltInRole(
    "crm", RoleKind.CHANNEL_OWNER, "CRM, письма и мессенджеры", "CRM, e-mail and messengers",
    "Возвращает клиентов и растит их ценность: повторные продажи и LTV, а не число отправленных писем. Если письмо даёт "
    "отписки выше допуска, переписывает его до следующей отправки.",
    "Brings customers back and raises their value: repeat sales and LTV, not the number of letters sent. When a mailing drives "
    "unsubscribes over the line, rewrites it before the next one goes out.",
    ("repeat_share", "unsubscribe_rate", "aov"),
    (
        *WEEKLY_CYCLE,
        Duty("unsubscribes", "week", "Посмотреть отписки каждой рассылки за три дня после отправки",
             "Look at each mailing's unsubscribes three days after it went out"),
        Duty("base", "month", "Почистить базу и разбудить тех, кто давно не покупал", "Clean the base and wake those who have not bought for long"),
        Duty("chains", "quarter", "Пересобрать цепочки по тому, что привело к повторной покупке",
             "Rebuild the chains by what led to a repeat purchase"),
    ),
    ("crm",),
)  # fmt: skip

SITE = BuiltInRole(
    "site", RoleKind.CHANNEL_OWNER, "Сайт и SEO", "Site and SEO",
    "Сайт — канал маркетинга, IT — его подрядчик. Отвечает за конверсию и деньги, а не за релизы.",
    "The site is a marketing channel and IT is its contractor. Answers for conversion and money, not for releases.",
    ("lead_rate", "deal_rate", "aov"),
    (
        Duty("alive", "day", "Проверить, что формы и телефон на сайте принимают заявки", "Check that the site's forms and phone take leads"),
        *WEEKLY_CYCLE,
        Duty("brief_it", "week", "Поставить IT задачи с ожидаемым приростом конверсии", "Brief IT with the expected uplift in conversion"),
        Duty("pages", "month", "Найти страницы, на которых теряются заявки", "Find the pages where leads are lost"),
    ),
    ("site",),
)  # fmt: skip

CONTRACTOR = BuiltInRole(
    "contractor", RoleKind.CONTRACTOR, "Подрядчик", "Contractor",
    "Делает то, что названо в договоре и задаче, в срок и по условиям приёмки. Видит только свои задачи; доступы и "
    "результаты принадлежат компании.",
    "Does what the contract and the brief name, on time and by the terms of acceptance. Sees own tasks only; accesses and "
    "results belong to the company.",
    ("tasks_on_time",),
    (
        Duty("accept", "week", "Принять задачу или вернуть с причиной", "Accept the brief or return it with a reason"),
        Duty("deliver", "week", "Сдать работу по условиям приёмки", "Deliver by the terms of acceptance"),
        Duty("hand_over", "month", "Передать исходники и доступы компании", "Hand sources and accesses over to the company"),
    ),
)  # fmt: skip

BUILT_IN: tuple[BuiltInRole, ...] = (OWNER, CMO, PM, ANALYST, CONTENT, PERFORMANCE, PR, CRM, SITE, CONTRACTOR)

ROLE_OF_CHANNEL_KIND: dict[str, str] = {kind: role.code for role in BUILT_IN for kind in role.channel_kinds}
"""Which built-in hat owns a channel of a kind."""


@dataclass(frozen=True)
class BuiltInPair:
    """Two duties that must not meet: a side is a role's code, or every role of a kind."""

    left: str | RoleKind
    right: str | RoleKind
    why_ru: str
    why_en: str


INCOMPATIBLE: tuple[BuiltInPair, ...] = (
    BuiltInPair(
        "content", "performance",
        "кто написал, тот не запускает: ошибку в своём тексте не видно.",
        "whoever wrote it does not launch it: nobody sees the error in their own text.",
    ),
    BuiltInPair(
        "performance", RoleKind.ANALYST,
        "кто тратит, тот не проверяет цифры, по которым его оценивают.",
        "whoever spends does not check the figures that judge the spending.",
    ),
    BuiltInPair(
        RoleKind.ANALYST, RoleKind.CMO,
        "кто посчитал, тот не решает: иначе цифры подгоняют под решение.",
        "whoever counted does not decide: else the figures follow the decision.",
    ),
    BuiltInPair(
        RoleKind.CHANNEL_OWNER, RoleKind.CMO,
        "кто ведёт канал, тот не решает о его продолжении.",
        "whoever runs a channel does not decide whether it goes on.",
    ),
)  # fmt: skip
