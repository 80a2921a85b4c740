"""The figures of the sample company: pure, and the same for a day whenever they are asked for.

Every channel has a pace of a day (spend, leads), rates down the funnel and a cheque; weekday, season and growth bend
them, and a random generator seeded by channel and day shakes them. Episodes change a channel for some days.
"""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta

WEEKDAYS = (1.12, 1.10, 1.06, 1.04, 0.98, 0.84, 0.86)
MARGIN = 0.35
YEARLY_GROWTH = 0.17


@dataclass(frozen=True)
class Flow:
    """A channel, or one campaign of it, on an average day: ₽ of spend, leads, and shares down to the deal."""

    spend: float
    leads: float
    qualified: float = 0.67
    measured: float = 0.46
    deal: float = 0.28
    cheque: float = 205_000
    new_share: float = 0.93
    click_price: float | None = None
    visits_per_lead: float = 31
    mailing: bool = False


@dataclass(frozen=True)
class Episode:
    """Days on which a flow's spend and qualified leads are multiplied; `days` counts back from the anchor."""

    first: int
    last: int
    spend: float = 1.0
    qualified: float = 1.0

    def covers(self, age: int) -> bool:
        """`age`: days from that day to the anchor (1 is the day before it; 0 and less lie after)."""
        return self.last <= age <= self.first


@dataclass(frozen=True)
class SampleChannel:
    """A channel of the sample company; `campaigns` maps a campaign's external id to its name and flow."""

    code: str
    name: str
    kind: str
    owner: str
    flow: Flow | None = None
    campaigns: dict[str, tuple[str, Flow]] = field(default_factory=dict)
    episodes: tuple[Episode, ...] = ()
    crm_silent_since: int | None = None
    priority: str = "hold"
    why: str = ""
    budget: int = 0


ONGOING = -10_000

CHANNELS = (
    SampleChannel(
        "direct", "Яндекс Директ", "paid", "performance", priority="grow", budget=1_800_000,
        episodes=(Episode(20, 16, spend=1.1, qualified=0.7),),
        why="Самый дешёвый договор среди платных каналов",
        campaigns={
            "dir-101": ("Поиск: кухни на заказ", Flow(27_000, 14.2, deal=0.30, click_price=74)),
            "dir-102": ("РСЯ: кухня за 21 день", Flow(16_500, 8.6, deal=0.28, click_price=31)),
            "dir-103": ("Ретаргетинг", Flow(9_400, 4.9, deal=0.31, click_price=28)),
            "dir-104": ("Бренд", Flow(6_300, 3.4, deal=0.33, click_price=22)),
        },
    ),
    SampleChannel(
        "vk", "VK Реклама", "paid", "performance", priority="later", budget=930_000,
        why="Договор дороже плана, держим до новых объявлений",
        episodes=(
            Episode(246, 242, spend=1.25, qualified=0.62),
            Episode(149, 145, spend=1.22, qualified=0.64),
            Episode(45, 41, spend=1.22, qualified=0.62),
            Episode(4, ONGOING, spend=1.30, qualified=0.60),
        ),
        campaigns={
            "vk-201": ("Лид-форма «Кухня до 180 тыс.»", Flow(9_600, 6.0, 0.58, 0.40, 0.18, click_price=36)),
            "vk-202": ("Возврат к расчёту (ретаргетинг)", Flow(5_200, 3.4, 0.72, 0.46, 0.24, click_price=30)),
            "vk-203": ("Похожие на заказчиков", Flow(8_100, 3.9, 0.60, 0.40, 0.17, click_price=38)),
            "vk-204": ("Клипы «Замер за день»", Flow(4_900, 2.3, 0.56, 0.38, 0.15, click_price=26)),
        },
    ),
    SampleChannel("avito", "Авито", "paid", "avito", Flow(13_200, 9.6, deal=0.25, click_price=19), budget=410_000,
                  episodes=(Episode(218, 216, spend=1.7, qualified=0.55), Episode(9, ONGOING, spend=1.15, qualified=0.55)),
                  why="Растёт в сезон, но упирается в город"),
    SampleChannel("maps", "Карты и отзывы", "paid", "crm", Flow(3_900, 4.4, deal=0.33, click_price=17), budget=120_000,
                  crm_silent_since=5, why="Дёшево, но объём ограничен городом"),
    SampleChannel("seo", "Поиск (SEO)", "organic", "content", Flow(9_300, 7.2, deal=0.35, visits_per_lead=58),
                  priority="grow", budget=290_000, episodes=(Episode(7, ONGOING, spend=1.35, qualified=0.6),), why="Заявка вдвое дешевле платной и растёт с каждым месяцем"),
    SampleChannel("blog", "Блог и Дзен", "organic", "content", Flow(5_100, 2.0, deal=0.20, visits_per_lead=120),
                  priority="later", budget=150_000, why="Тест до конца месяца: решаем по договорам, а не по охватам"),
    SampleChannel("pr", "PR и дизайнеры", "pr", "pr", Flow(6_000, 1.8, 0.80, 0.60, 0.48, cheque=236_000), budget=180_000,
                  why="Мало лидов, но каждый второй замер становится договором"),
    SampleChannel("mail", "Письма и мессенджеры", "crm", "crm",
                  Flow(2_100, 2.6, 0.75, 0.55, 0.40, cheque=128_000, new_share=0.0, mailing=True), priority="grow",
                  budget=65_000, why="Повторные заказы почти без затрат"),
    SampleChannel("site", "Сайт", "site", "site", Flow(5_500, 4.6, deal=0.30, visits_per_lead=64), budget=170_000,
                  why="Все каналы приводят сюда: конверсия важнее новых визитов"),
)  # fmt: skip

MAILINGS_ON = 1  # Tuesday
MAILINGS_KEPT = 70
BAD_MAILING = range(3, 10)
"""Days before the anchor: exactly one Tuesday is among them, and it is 48 hours old at least."""
SUBSCRIBERS = 12_400


@dataclass(frozen=True)
class SampleRow:
    """What one source says of one scope on one day."""

    source: str
    channel: str
    campaign: str | None
    day: date
    values: dict[str, int]


def rows(day: date, anchor: date, stopped: frozenset[str] = frozenset()) -> Iterator[SampleRow]:
    """Every source's rows of a day. `anchor`: the day the sample was made; `stopped`: channels switched off on that day."""
    for channel in CHANNELS:
        if channel.code in stopped:
            continue
        flows = {key: flow for key, (_name, flow) in channel.campaigns.items()} or {None: channel.flow}
        for campaign, flow in flows.items():
            yield from _flow_rows(channel, campaign, flow, day, anchor)


def _flow_rows(
    channel: SampleChannel, campaign: str | None, flow: Flow, day: date, anchor: date
) -> Iterator[SampleRow]:
    shake = random.Random(f"{channel.code}/{campaign}/{day.isoformat()}")
    pace = _pace(day, anchor) * shake.uniform(0.93, 1.07)
    age = (anchor - day).days
    episode = next((e for e in channel.episodes if e.covers(age)), Episode(0, 0))
    spend = round(flow.spend * pace * episode.spend, -1)
    leads = _whole(flow.leads * pace, shake)
    yield SampleRow("ads", channel.code, campaign, day, _cabinet(flow, spend, leads, shake))
    if not (channel.crm_silent_since and age <= channel.crm_silent_since):
        yield SampleRow("crm", channel.code, campaign, day, _crm(flow, leads, episode, shake))
    visits = {"visits": round(leads * flow.visits_per_lead * shake.uniform(0.9, 1.1))}
    yield SampleRow("metrica", channel.code, campaign, day, visits)
    if flow.mailing and goes_out(day):
        yield SampleRow("mailer", channel.code, mailing_code(day, anchor), day, _mailing(day, anchor, shake))


def goes_out(day: date) -> bool:
    """Is it a day of the weekly mailing?"""
    return day.weekday() == MAILINGS_ON


def bad_mailing(anchor: date) -> date:
    """The day of the mailing that drives people away."""
    return next(anchor - timedelta(days=age) for age in BAD_MAILING if goes_out(anchor - timedelta(days=age)))


def mailing_code(day: date, anchor: date) -> str | None:
    """The campaign of a mailing; those of long ago are told of the channel as a whole."""
    return f"mail-{day.isoformat()}" if (anchor - day).days <= MAILINGS_KEPT else None


def _pace(day: date, anchor: date) -> float:
    """Weekday × growth since a year before the anchor × a gentle season with its top in October."""
    growth = (1 + YEARLY_GROWTH) ** (-(anchor - day).days / 365)
    season = 1 + 0.08 * math.cos((day.timetuple().tm_yday - 290) / 365 * 2 * math.pi)
    return WEEKDAYS[day.weekday()] * growth * season


def _whole(mean: float, shake: random.Random) -> int:
    """A whole count near the mean, so that a year of small counts keeps its sum."""
    spread = max(0.0, mean + shake.gauss(0, 0.32 * math.sqrt(mean)))
    return int(spread) + (shake.random() < spread % 1)


def _share(total: int, share: float, shake: random.Random) -> int:
    return sum(shake.random() < share for _ in range(total))


def _cabinet(flow: Flow, spend: float, leads: int, shake: random.Random) -> dict[str, int]:
    values = {"spend": int(spend)}
    if flow.click_price:
        values["clicks"] = round(spend / (flow.click_price * shake.uniform(0.92, 1.08)))
        values["impressions"] = round(values["clicks"] * shake.uniform(38, 52))
    return values


def _crm(flow: Flow, leads: int, episode: Episode, shake: random.Random) -> dict[str, int]:
    qualified = round(leads * flow.qualified * episode.qualified + shake.uniform(-0.4, 0.4))
    measured = _share(max(qualified, 0), flow.measured, shake)
    deals = _share(measured, flow.deal, shake)
    revenue = sum(round(flow.cheque * shake.uniform(0.72, 1.3), -3) for _ in range(deals))
    return {
        "leads": leads,
        "qualified_leads": min(max(qualified, 0), leads),
        "measurements": measured,
        "deals": deals,
        "new_customers": _share(deals, flow.new_share, shake),
        "revenue": int(revenue),
        "gross_profit": round(revenue * MARGIN * shake.uniform(0.96, 1.04)),
    }


def _mailing(day: date, anchor: date, shake: random.Random) -> dict[str, int]:
    """A weekly mailing; the last settled one before the anchor drives people away: 1.3 % against 0.4 %."""
    sends = SUBSCRIBERS + shake.randint(-300, 300)
    delivered = round(sends * 0.985)
    is_bad = (anchor - day).days in BAD_MAILING
    return {"sends": sends, "delivered": delivered, "unsubscribes": round(delivered * (0.013 if is_bad else 0.004))}


def days_until(anchor: date, count: int) -> Iterator[date]:
    """`count` days that end the day before the anchor, oldest first."""
    for back in range(count, 0, -1):
        yield anchor - timedelta(days=back)
