"""The form of a load's preview: channels, campaigns, rate and unit, and what the file leaves open."""

from decimal import Decimal, InvalidOperation
from functools import cached_property

from django.utils.translation import gettext_lazy as _

from kpis.answers import BOTH, CAMPAIGNS, NEW, ORDER, PERIOD, SPREAD
from kpis.importers.registry import PROFILES
from kpis.models import ColumnMap, DealStage
from kpis.naming import LEAVE_OUT
from kpis.selectors import imports as reads
from kpis.selectors.campaign_choices import CampaignChoices, campaign_choices
from kpis.selectors.questions import Questions
from kpis.services import imports as writes
from roles import selectors
from roles.models import Channel
from roles.permissions import Permission

SCALES = (
    ("1", _("as it stands: full units")),
    ("0.01", _("kopecks or cents: divide by 100")),
    ("0.001", _("thousandths: divide by 1 000")),
    ("0.000001", _("millionths: divide by 1 000 000")),
    ("100", _("hundreds: multiply by 100")),
    ("1000", _("thousands: multiply by 1 000")),
    ("1000000", _("millions: multiply by 1 000 000")),
)
"""What money is multiplied by, and how that is called."""


def _decimal(text: str) -> Decimal | None:
    try:
        return Decimal("".join(text.split()).replace(",", "."))
    except InvalidOperation:
        return None


class MappingForm:
    """A choice of channel for every name in a file, the rate of its money where that is not the company's, and answers.

    `questions`: what the file leaves open; `answers` as `kpis.answers.checked` takes them. `doubt`: what speaks against taking the money as it stands, as a sentence; `scale` what was said about it. `rows` holds (field name, name in the file, chosen code, error); `rate` is None while it is not a number above 0.
    """

    def __init__(self, company, load, by, data=None, errors=(), said=None):
        """`said`: the rate and the unit as they were chosen for the preview. `by`: who may make channels, or not."""
        said, self.data, self.kept, self.company = said or {}, data, load.answers, company
        self.is_deals = load.profile in PROFILES
        self.may_create = not self.is_deals and by.can(Permission.MANAGE_COMPANY)
        self.choices = DealStage.Kind.choices if self.is_deals else self._channels()
        self.questions, self.campaign_choices = Questions(), CampaignChoices([])
        wrong = self.wrong = {error.field: error.message for error in errors}
        last = writes.last_rate(load=load)
        self.currency, self.rate_error = load.currency, wrong.get("rate", "")
        known = f"{last.normalize():f}" if last else ""
        self.rate_text = said.get("rate", known) if data is None else data.get("rate", "")
        self.doubt, self.scales, self.scale = "", SCALES, None
        self.scale_error = wrong.get("scale", "")
        self.scale_text = said.get("scale", "") if data is None else data.get("scale", "")
        if self.scale_text in dict(SCALES):
            self.scale = Decimal(self.scale_text)
        self.rows = []
        for number, (name, code) in enumerate(sorted(load.mapping.items())):
            field = f"channel-{number}"
            chosen = code if data is None else data.get(field, "")
            row = {"field": field, "name": name, "chosen": chosen, "error": wrong.get(name, "")}
            if self.may_create and (not code or chosen == NEW or code == NEW):
                row["plan"] = self._plan(field, name)
            self.rows.append(row)

    def _channels(self) -> list[tuple[str, str]]:
        new = [(NEW, _("+ make a new channel"))] if self.may_create else []
        return [*reads.mapping_choices(company=self.company), *new, (LEAVE_OUT, _("— do not load —"))]

    def _plan(self, field: str, name: str) -> dict:
        """The new channel of a name: as typed, else as kept, else called as in the file."""
        kept = (self.kept.get("channels") or {}).get(name) or {"name": name}
        typed = (
            {part: self.data.get(f"{field}-{part}", "") for part in ("name", "kind", "owner")} if self.data else kept
        )
        return {"name": typed.get("name", ""), "kind": typed.get("kind", ""), "owner": str(typed.get("owner", ""))}

    @property
    def kinds(self) -> list[tuple[str, str]]:
        return Channel.Kind.choices

    @cached_property
    def owners(self) -> list[tuple[str, str]]:
        return [(str(person.pk), person.user.short_name) for person in selectors.people(company=self.company)]

    # ------------------------------------------------------------ what the file leaves open
    def ask(self, questions: Questions) -> None:
        """Show these questions, and those that were answered."""
        self.questions = questions

    def asks(self, name: str, *kept: str) -> bool:
        return name in self.questions.open or any(self.kept.get(one) for one in kept)

    @property
    def asks_order(self) -> bool:
        return self.asks(ORDER, "order")

    @property
    def asks_spread(self) -> bool:
        return self.asks(SPREAD, "spread")

    @property
    def asks_period(self) -> bool:
        return self.asks(PERIOD, "first")

    @property
    def asks_totals(self) -> bool:
        return self.questions.totals is not None

    @property
    def asks_anything(self) -> bool:
        return self.asks_order or self.asks_spread or self.asks_period or self.asks_totals

    @property
    def orders(self) -> list[tuple[str, str]]:
        return ColumnMap.Order.choices[1:]

    @property
    def totals_choices(self) -> list[tuple[str, str]]:
        return [
            (CAMPAIGNS, _("they are totals: let the campaigns count, leave the totals out")),
            (BOTH, _("they are figures of their own: add them to the campaigns")),
        ]

    def _said(self, name: str) -> str:
        return str(self.kept.get(name) or "") if self.data is None else self.data.get(name, "")

    @property
    def order(self) -> str:
        return self._said("order")

    @property
    def spread(self) -> bool:
        return bool(self._said("spread"))

    @property
    def first(self) -> str:
        return self._said("first") or (self.questions.hint[0].isoformat() if self.questions.hint else "")

    @property
    def last(self) -> str:
        return self._said("last") or (self.questions.hint[1].isoformat() if self.questions.hint else "")

    @property
    def totals(self) -> str:
        return self._said("totals")

    @property
    def answers(self) -> dict:
        """What was answered just now; a question that the page did not show keeps its answer."""
        data = self.data or {}
        shown = [name for name in ("order", "totals") if name in data]
        said: dict = {name: data[name] for name in shown}
        if "asked-spread" in data:
            said["spread"] = bool(data.get("spread"))
        if "asked-period" in data:
            is_said = bool(data.get("period"))
            said |= {name: data.get(name, "") if is_said else "" for name in ("first", "last")}
        plans = {row["name"]: row["plan"] for row in self.rows if row["chosen"] == NEW and "plan" in row}
        said["channels"] = plans
        numbers = range(sum(name.startswith("campaign-of-") for name in data))
        told = {data.get(f"campaign-of-{n}", ""): data.get(f"campaign-{n}", "") for n in numbers}
        chosen = {key: int(pk) for key, pk in told.items() if key and pk.isascii() and pk.isdigit() and len(pk) < 19}
        said["campaigns"] = {**(self.kept.get("campaigns") or {}), **chosen}
        return said

    def offer_campaigns(self, names) -> None:
        """Let the campaigns be chosen that their ids do not tell."""
        self.campaign_choices = campaign_choices(company=self.company, names=names)

    @property
    def rate(self) -> Decimal | None:
        rate = _decimal(self.rate_text)
        return rate if self.currency and rate is not None and rate.is_finite() and rate > 0 else None

    @property
    def mapping(self) -> dict[str, str]:
        return {row["name"]: row["chosen"] for row in self.rows}

    @property
    def unchosen(self) -> list[str]:
        """Names of the file that mean no channel yet."""
        return [row["name"] for row in self.rows if not row["chosen"]]

    @property
    def complete(self) -> bool:
        return not self.unchosen
