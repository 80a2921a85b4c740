"""A small CRM of its own in the sample: exports of deals, UTM rules, marks that no rule fits, deals that moved.

It stands behind the sample's main CRM in priority, so that it changes no figure of the story.
"""

from datetime import datetime, timedelta

from django.core.files.base import ContentFile

from kpis.services import import_runs, imports, sources, utm_rules
from mops.demo.founding import Sample

CODE, NAME, PRIORITY, RHYTHM = "amocrm", "amoCRM салонов", 300, 31
HEAD = "ID;Бюджет ;Дата создания сделки;Дата редактирования;Дата закрытия;Этап сделки;utm_source;utm_medium;utm_campaign;ID контакта"
RULES = (("designer*", "pr"), ("sendsay", "mail"), ("telegram", "mail"))
MARKS = (
    ("designer-club", "partner", "osen"), ("sendsay", "email", "digest"), ("telegram", "messenger", ""),
    ("designer-day", "partner", ""), ("", "", ""), ("dеsigner-club", "partner", "osen"), ("2gis", "maps", ""),
)  # fmt: skip
"""The last but one has a Cyrillic letter in it: what a person mistypes, no rule may guess."""
STAGES = ("Новая заявка", "Замер назначен", "Переговоры", "Успешно реализовано", "Закрыто и не реализовано")
DEALS = 42


def load_deals(sample: Sample, now: datetime) -> None:
    """Two exports of the salons' CRM: as it was five days ago and as it was yesterday."""
    acting = {"company": sample.company, "by": sample.people["analyst"]}
    source = sources.ensure_source(company=sample.company, code=CODE, name=NAME, kind="file", by=acting["by"])
    sources.update_source(
        **acting, at=now, source=source, name=NAME, owner=acting["by"], expected_every_days=RHYTHM, priority=PRIORITY,
        reason="Салоны ведут только часть сделок: главной остаётся общая CRM.",
    )  # fmt: skip
    for pattern, channel in RULES:
        utm_rules.save_rule(
            **acting, at=now, channel=sample.channels[channel], utm_source=pattern, campaigns="none", priority=100
        )
    for back in (5, 1):
        _load(sample, acting, source, now - timedelta(days=back), back)


def _load(sample: Sample, acting: dict, source, at: datetime, back: int) -> None:
    text = "\n".join([HEAD, *(line for number in range(DEALS) if (line := _line(sample, number, back)))])
    upload = ContentFile(text.encode("utf-8-sig"), name=f"amocrm-{at:%d.%m}.csv")
    load = imports.receive_file(**acting, at=at, source=source, upload=upload)
    mapping = load.mapping | {"Замер назначен": "qualified"}
    imports.confirm_import(**acting, at=at, load=load, mapping=mapping)
    import_runs.run_due_imports(company=sample.company, at=at)


def _line(sample: Sample, number: int, back: int) -> str:
    """A deal as the export of `back` days before the anchor tells it; empty while it has not come."""
    came = 40 - number * 37 // DEALS
    if came < back:
        return ""
    step = min((came - back) // 5, 3)
    stage = STAGES[4] if step == 3 and number % 3 == 2 else STAGES[step]
    ended = came - 14 - number % 2
    created, edited, closed = (
        f"{sample.anchor - timedelta(days=days):%d.%m.%Y}" for days in (came, max(ended, back), ended)
    )
    mark = ";".join(MARKS[number * 5 % len(MARKS)])
    amount = 90_000 + number * 37 % 11 * 14_500
    return (
        f"{7001 + number};{amount};{created} 11:{10 + number}:00;{edited} 18:00:00;"
        f"{f'{closed} 17:30:00' if step == 3 else 'не закрыта'};{stage};{mark};{300 + number % 29}"
    )
