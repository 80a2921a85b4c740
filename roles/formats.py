"""How figures, money and time are written, in one place for both languages; the lowest layer, so that all may use it.

Russian: `6 452 360 ₽`, `250 %`, `−4 %`, `20.11.2026`. English: `6,452,360 ₽`, `250%`, `20 Nov 2026`. Nothing to show
is `—`, zero is `0`. Spaces inside figures never break; the minus is U+2212.
"""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

from django.utils import formats as django_formats
from django.utils.translation import get_language, ngettext, pgettext
from django.utils.translation import gettext as _

NBSP = "\u00a0"
MINUS = "\u2212"
NOTHING = "—"
CURRENCIES = {"RUB": "₽", "USD": "$", "EUR": "€", "KZT": "₸", "BYN": "Br"}
MONTHS_EN = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def is_russian() -> bool:
    """Does the reader read Russian? It is the default."""
    return (get_language() or "ru").startswith("ru")


def absent(value) -> bool:
    """Nothing is known: None, or the empty text that a template makes of a name it does not find."""
    return value is None or value == ""


def number(value: Decimal | int | float | None, places: int = 0, sign: bool = False) -> str:
    """A number with grouped thousands and at most `places` decimals, trailing zeros kept; `—` for None."""
    if absent(value):
        return NOTHING
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_UP)
    text = f"{abs(rounded):,.{places}f}"
    if is_russian():
        text = text.replace(",", NBSP).replace(".", ",")
    if rounded < 0:
        return MINUS + text
    return f"+{text}" if sign and rounded > 0 else text


def typed(value: Decimal) -> str:
    """A number as the reader types it into a field, with every place of it: `0,85`."""
    text = f"{value.normalize():f}"
    return text.replace(".", ",") if is_russian() else text


def count(value: Decimal | None) -> str:
    """A count: whole as it is, a fraction with at most two decimals."""
    if absent(value):
        return NOTHING
    value = Decimal(value)
    return number(value) if value == value.to_integral_value() else number(value, 2 if abs(value) < 100 else 1)


def money(value: Decimal | None, currency: str = "RUB", places: int = 0, sign: bool = False) -> str:
    """`6 452 360 ₽`."""
    return NOTHING if absent(value) else f"{number(value, places, sign)}{NBSP}{CURRENCIES.get(currency, currency)}"


def scaled(value: Decimal | None) -> tuple[str, str]:
    """A large amount as a figure and its unit word: (`25,88`, `млн`), (`540`, `тыс.`), (`930`, ``)."""
    if absent(value):
        return NOTHING, ""
    size = abs(Decimal(value))
    if size >= 1_000_000:
        return number(Decimal(value) / 1_000_000, 2 if size < 100_000_000 else 1), _("mln")
    if size >= 100_000:
        return number(Decimal(value) / 1000, 0), _("k")
    return number(value), ""


def money_short(value: Decimal | None, currency: str = "RUB") -> str:
    """`25,88 млн ₽`."""
    if absent(value):
        return NOTHING
    figure, unit = scaled(value)
    return NBSP.join(part for part in (figure, unit, CURRENCIES.get(currency, currency)) if part)


def percent(share: Decimal | float | None, places: int = 0, sign: bool = False) -> str:
    """A share as per cent: 2.5 → `250 %`, 0.008 with one place → `0,8 %`."""
    if absent(share):
        return NOTHING
    return f"{number(Decimal(str(share)) * 100, places, sign)}{NBSP if is_russian() else ''}%"


def figure(value: Decimal | None, unit: str, currency: str = "RUB") -> str:
    """A KPI or metric in its own unit: money | share | count | number."""
    if absent(value):
        return NOTHING
    if unit == "money":
        return money(value, currency, 0 if not value or abs(value) >= 100 else 2)
    if unit == "share":
        return percent(value, 0 if abs(value) >= Decimal("0.1") else 1)
    if unit == "count":
        return count(value)
    return number(value, 0 if value == Decimal(value).to_integral_value() else 2)


def planned(value: Decimal | None, unit: str, currency: str = "RUB") -> str:
    """A planned figure: as `figure`, but a count is whole, halves up, for nobody plans a part of a person. What is planned
    and less than a half is `<1`, for it is not nothing."""
    if unit != "count" or absent(value):
        return figure(value, unit, currency)
    return number(value) if not 0 < value < Decimal("0.5") else "<1"


def bare(value: Decimal | float | None, unit: str) -> str:
    """A figure without its currency, for tables and axes whose heading names it: `3 500`, `0,8 %`."""
    if absent(value):
        return NOTHING
    if unit == "share":
        return figure(Decimal(str(value)), unit)
    if unit == "count":
        return count(Decimal(str(value)))
    return number(value, 0 if abs(value) >= 100 or float(value).is_integer() else 2)


def day(value: date | None, year: bool = True) -> str:
    """`20.11.2026` or `20.11`; `20 Nov 2026` or `20 Nov`."""
    if value is None:
        return NOTHING
    if is_russian():
        return f"{value:%d.%m.%Y}" if year else f"{value:%d.%m}"
    text = f"{value.day}{NBSP}{MONTHS_EN[value.month - 1]}"
    return f"{text}{NBSP}{value.year}" if year else text


def days(start: date, end: date, year: bool = True) -> str:
    """A range of days: `16–22.11.2026`, `30.11–06.12.2026`; `16–22 Nov 2026`."""
    if start == end:
        return day(start, year)
    if (start.year, start.month) == (end.year, end.month):
        return f"{f'{start:%d}' if is_russian() else start.day}–{day(end, year)}"
    return f"{day(start, year and start.year != end.year)}–{day(end, year)}"


def clock(value: datetime | None, zone: ZoneInfo) -> str:
    """`06:10` in the company's zone."""
    return NOTHING if value is None else f"{value.astimezone(zone):%H:%M}"


def moment(value: datetime | None, zone: ZoneInfo, year: bool = True) -> str:
    """`19.11.2026, 06:10` in the company's zone."""
    if value is None:
        return NOTHING
    local = value.astimezone(zone)
    return f"{day(local.date(), year)}, {local:%H:%M}"


def weekday_short(value: date) -> str:
    """`пн`, `Mon`."""
    names = (
        pgettext("weekday", "Mon"), pgettext("weekday", "Tue"), pgettext("weekday", "Wed"), pgettext("weekday", "Thu"),
        pgettext("weekday", "Fri"), pgettext("weekday", "Sat"), pgettext("weekday", "Sun"),
    )  # fmt: skip
    return names[value.weekday()]


def month(value: date) -> str:
    """`Ноябрь 2026`, `November 2026`."""
    text = django_formats.date_format(value, "F Y")
    return text[0].upper() + text[1:]


def month_in(value: date) -> str:
    """The month as it stands after "in": `ноябре`, `November`."""
    if not is_russian():
        return f"{value:%B}"
    stems = [
        "январе",
        "феврале",
        "марте",
        "апреле",
        "мае",
        "июне",
        "июле",
        "августе",
        "сентябре",
        "октябре",
        "ноябре",
        "декабре",
    ]
    return stems[value.month - 1]


def duration(span: timedelta) -> str:
    """Two largest units: `1 д 9 ч`, `2 ч 40 мин`, `12 мин`; never negative."""
    minutes = max(0, int(span.total_seconds() // 60))
    whole_days, rest = divmod(minutes, 1440)
    hours, mins = divmod(rest, 60)
    parts = [(whole_days, _("d")), (hours, _("h")), (mins, _("min"))]
    while len(parts) > 1 and parts[0][0] == 0:
        parts.pop(0)
    shown = [f"{amount}{NBSP}{unit}" for amount, unit in parts[:2] if amount]
    return " ".join(shown) or f"0{NBSP}{_('min')}"


def in_days(amount: int) -> str:
    """`3 дня`, `3 days`."""
    return ngettext("%(n)s day", "%(n)s days", amount) % {"n": number(amount)}
