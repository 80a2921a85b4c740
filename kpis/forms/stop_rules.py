"""The editor of a stop-rule: a sentence with fields; what is rarely needed stands under it."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal

from django import forms
from django.utils import timezone
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _

from kpis.day_classes import BY_DAY, Window
from kpis.forms.rule_choices import ACTIONS, COMPARISONS, NO_DATA, PER, PERIODS, WINDOWS, KpiSelect
from kpis.models import StopRuleVersion
from kpis.rule_terms import MAILING_SAMPLE, TOLERANCE, as_given
from kpis.selectors.backtest_editor import Asked
from roles import formats, selectors
from roles.forms import AmountField, PeopleField, PercentField, RefusableForm
from roles.models import Channel
from roles.permissions import Permission

NUMBER = {"attrs": {"inputmode": "numeric", "autocomplete": "off", "size": 3}}
LEFT_EMPTY = ("max_span", "zero_line", "settling_days")
"""Shown empty while they are as usual, so that they follow the other terms."""
SAMPLES = {
    Window.IN_A_ROW: "minimum_sample", Window.M_OF_N: "minimum_sample", Window.POOLED: "pooled_sample",
    Window.EVENT: "event_sample",
}  # fmt: skip
USUAL_SAMPLES = {"minimum_sample": Decimal(3), "pooled_sample": Decimal(10), "event_sample": MAILING_SAMPLE}
OF_WINDOW = {
    Window.IN_A_ROW: ("kpi", "comparison", "line", "count"),
    Window.M_OF_N: ("kpi", "comparison", "line", "count", "m"),
    Window.POOLED: ("kpi", "comparison", "line", "count"),
    Window.EVENT: ("kpi", "comparison", "line"),
    Window.SINCE_CONVERSION: ("kpi", "line", "k"),
    Window.BUDGET: ("tolerance", "period"),
}
"""What each window needs; the others' fields are neither read nor shown."""
SENTENCE = (
    "window", "kpi", "scope", "per", "comparison", "line", "count", "m", "k", "tolerance", "period", *USUAL_SAMPLES, "action",
)  # fmt: skip
SETTINGS = (
    "owner", "no_data", "settling_days", "max_span", "zero_line", "clear_ratio", "clear_days", "confirm_pooled_7d", "shadow",
)  # fmt: skip
WEEK = timedelta(days=6)
MAILING_KPI = "unsubscribe_rate"
K_MESSAGES = dict.fromkeys(("required", "min_value"), _("Give how many lines may be spent: a number above 0."))


def whole(label, most: int | None = None, least: int = 1, **kwargs) -> forms.IntegerField:
    """A whole number; whatever is wrong with it, the message says what to write. Without `most` the window says it."""
    message = _("Give a whole number of days, 1 or more.")
    if most is not None:
        message = format_lazy(_("Give a whole number from {least} to {most}."), least=least, most=most)
    return forms.IntegerField(
        label=label, min_value=least, max_value=most, widget=forms.TextInput(**NUMBER),
        error_messages=dict.fromkeys(("invalid", "min_value", "max_value", "required"), message), **kwargs,
    )  # fmt: skip


def amount(label, **kwargs) -> AmountField:
    """A number in the sentence; whether it is needed is a question of the window."""
    return AmountField(label=label, required=False, max_digits=19, decimal_places=6, **kwargs)


class StopRuleForm(RefusableForm):
    """`kpis`: the company's KPIs by code. Lines of shares and tolerances are typed in per cent; `count` is days."""

    name = forms.CharField(
        label=_("Name of the rule"), max_length=160, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    window = forms.ChoiceField(label=_("How it counts"), choices=WINDOWS, widget=forms.RadioSelect)
    kpi = forms.ChoiceField(label=_("KPI"), required=False, widget=KpiSelect)
    scope = forms.ChoiceField(label=_("Where it looks"))
    per = forms.ChoiceField(label=_("Channel or campaigns"), choices=PER, required=False)
    comparison = forms.ChoiceField(label=_("Beyond the line is"), choices=COMPARISONS, required=False)
    line = amount(
        _("Stop line"), error_messages={"required": _("Give the line: beyond it the rule counts a day as bad.")}
    )
    count = whole(_("How many days"), required=False)
    m = whole(_("How many of them bad"), required=False)
    k = amount(_("How many lines may be spent"), min_value=Decimal("0.001"), error_messages=K_MESSAGES)
    tolerance = PercentField(
        label=_("Tolerance, %"), required=False, max_digits=19, decimal_places=6, min_value=0,
    )  # fmt: skip
    period = forms.ChoiceField(label=_("Whose budget"), choices=PERIODS, required=False)
    minimum_sample = amount(_("Smallest sample of a day"), min_value=0)
    pooled_sample = amount(_("Smallest sample of the days together"), min_value=0)
    event_sample = amount(_("Smallest sample of a mailing"), min_value=0)
    action = forms.ChoiceField(label=_("What it proposes"), choices=ACTIONS)
    owner = PeopleField(label=_("Who answers for the rule"))
    max_span = whole(
        _("Bad days fit in"), 1000, required=False,
        help_text=_("Calendar days. Empty: twice the number of days and one."),
    )  # fmt: skip
    zero_line = AmountField(
        label=_("Zero line"), required=False, max_digits=19, decimal_places=6, min_value=0,
        help_text=_("So much spent in a day counts even without a result. Empty: three lines, for money per count."),
    )  # fmt: skip
    no_data = forms.ChoiceField(label=_("A day without figures"), choices=NO_DATA)
    settling_days = whole(
        _("Figures settle in days"), 60, least=0, required=False,
        help_text=_("Empty: as long as the slowest of its metrics."),
    )  # fmt: skip
    confirm_pooled_7d = forms.BooleanField(
        label=_("Only when the last 7 days together are beyond the line too"), required=False,
        help_text=_("Halves false alarms for a day of delay."),
    )  # fmt: skip
    clear_ratio = PercentField(
        label=_("Good again at, % of the line"), max_digits=19, decimal_places=6, min_value=0, max_value=1,
        error_messages=dict.fromkeys(("min_value", "max_value", "required"), _("Give a part of the line: a number from 0 to 100.")),
        help_text=_("Between this and the line a day is neither good nor bad. “Below” is the mirror: 90 is 110 there."),
    )  # fmt: skip
    clear_days = whole(_("Good days that end it"), 30)
    shadow = forms.BooleanField(
        label=_("A week in the shadow"), required=False,
        help_text=_("For seven days the rule reports on its page and asks nobody anything."),
    )  # fmt: skip

    def __init__(self, request, *, kpis, version=None, initial=None, **kwargs):
        self.kpis, self.company, self.version = kpis, request.company, version
        self.today = request.company.local_date(timezone.now())
        super().__init__(request, initial=initial or self._initial(request, version), **kwargs)
        self.is_trial = self.is_bound and ("check" in self.data or "take" in self.data)
        if self.is_trial:
            self._read_for_a_trial()
        self.fields["kpi"].choices = [(code, info.name) for code, info in kpis.items()]
        self.fields["kpi"].widget.kpis = kpis
        self.fields["scope"].choices = self._scopes()
        self.fields["owner"].queryset = selectors.people(company=self.company)
        for name in SENTENCE[1:]:
            field = self.fields[name]
            css = "in" if isinstance(field, forms.ChoiceField) else "in in-num"
            field.widget.attrs |= {"aria-label": field.label, "class": css}

    in_sentence = property(lambda self: SENTENCE)

    def _read_for_a_trial(self) -> None:
        """A trial needs neither name nor reason; `take` is another line, as the table of lines writes it."""
        for name in ("name", "reason"):
            if name in self.fields:
                self.fields[name].required = False
        if "take" in self.data:
            self.data = self.data.copy()
            self.data["tolerance" if self.data.get("window") == Window.BUDGET else "line"] = self.data["take"]

    def _scopes(self) -> list[tuple]:
        everywhere = self.person.can(Permission.MANAGE_STOP_RULES)
        channels = [
            (f"channel:{channel.pk}", channel.name) for channel in selectors.channels(company=self.company)
            if everywhere or self.person.can(Permission.MANAGE_STOP_RULES, channel)
        ]  # fmt: skip
        kinds = [(f"kind:{kind.value}", kind.label) for kind in Channel.Kind] if everywhere else []
        return [
            (_("One channel"), channels),
            *([(_("All channels of a kind"), kinds), (_("Everything"), [("all", _("all channels"))])] if everywhere else []),
        ]  # fmt: skip

    def _initial(self, request, version: StopRuleVersion | None) -> dict:
        usual = USUAL_SAMPLES | {"count": 3, "m": 3, "k": 3, "tolerance": TOLERANCE, "period": "month"}
        if version is None:
            return usual | {
                "kpi": "cpa", "comparison": "above", "window": Window.IN_A_ROW, "action": "stop", "no_data": "hold",
                "owner": request.person, "confirm_pooled_7d": True, "clear_ratio": Decimal("0.9"), "clear_days": 2,
                "scope": request.GET.get("scope", ""), "per": "channel", "companion": True,
            }  # fmt: skip
        values = {name: getattr(version, name) for name in self.base_fields if hasattr(version, name)}
        given = as_given(self.company, version)
        values |= {name: given[name] for name in LEFT_EMPTY}
        values |= {"count": version.n, SAMPLES.get(version.window, ""): version.minimum_sample}
        if version.window == Window.BUDGET:
            values |= {"tolerance": version.line - 1, "line": None, "kpi": None}
        else:
            values |= {"kpi": version.kpi.code, "line": self.typed(version.kpi.code, version.line)}
        scope = f"channel:{version.channel_id}" if version.channel_id else f"kind:{version.channel_kind}"
        return usual | {name: value for name, value in values.items() if value not in (None, "")} | {
            "scope": scope if scope != "kind:" else "all", "expected": version.number, "reason": "",
            "shadow": self._still_in_shadow(version),
        }  # fmt: skip

    def _still_in_shadow(self, version: StopRuleVersion | None) -> bool:
        return version is not None and version.shadow_until is not None and version.shadow_until >= self.today

    def _is_share(self, code: str | None) -> bool:
        return code in self.kpis and self.kpis[code].unit == "share"

    def typed(self, code: str | None, line: Decimal) -> str:
        """A line as it is typed: of a share in per cent."""
        return formats.typed(line * 100 if self._is_share(code) else line)

    def clean(self):
        """The terms as the service takes them: nothing that was left empty keeps an old value, it is "as usual"."""
        given = super().clean()
        window = given.get("window")
        if window is None:
            return given
        needed = OF_WINDOW[window]
        for name in {name for names in OF_WINDOW.values() for name in names} | set(USUAL_SAMPLES):
            if name not in needed and name != SAMPLES.get(window):
                self._errors.pop(name, None)
                given[name] = None
            elif name in needed and given.get(name) in (None, "") and name not in self.errors:
                self.add_error(name, self.fields[name].error_messages["required"])
        return given if self.errors else self._terms(given, window)

    def _terms(self, given: dict, window: str) -> dict:
        sample = given.get(SAMPLES.get(window, ""))
        for name in USUAL_SAMPLES:
            given.pop(name)
        count, tolerance, shadow = given.pop("count"), given.pop("tolerance"), given.pop("shadow")
        given |= {"n": count if window in BY_DAY else None, "minimum_sample": sample}
        if window == Window.BUDGET:
            given["line"] = 1 + tolerance
        elif self._is_share(given["kpi"]):
            given["line"] /= 100
        given |= {
            "comparison": given["comparison"] or None,
            "period": given["period"] or "",
            "per": given["per"] or "channel",
        }
        kind, _colon, value = given.pop("scope").partition(":")
        channels = selectors.channels(company=self.company)
        given["channel"] = channels.filter(pk=value).first() if kind == "channel" else None
        given["channel_kind"] = value if kind == "kind" else ""
        given["shadow_until"] = self._shadow(shadow)
        return given

    def _shadow(self, wanted: bool) -> date | None:
        """A week from today, or what is left of the one that goes on; one that is over stays written as it was."""
        before = self.version.shadow_until if self.version else None
        if self._still_in_shadow(self.version):
            return before if wanted else None
        return self.today + WEEK if wanted else before

    @property
    def asked(self) -> Asked:
        """What the fields say so far, right or wrong."""
        kind, _colon, value = str(self["scope"].value() or "").partition(":")
        choices = [choice for choice, _label in self.fields["scope"].choices[0][1]]
        if not kind and choices:
            kind, _colon, value = choices[0].partition(":")
        channel = None
        if kind == "channel" and f"channel:{value}" in choices:
            channel = selectors.channels(company=self.company).filter(pk=value).first()
        window = str(self["window"].value() or "")
        above = self["comparison"].value() != "below" or window == Window.SINCE_CONVERSION
        return Asked(self["kpi"].value(), channel, value if kind == "kind" else "", above, window)

    @property
    def days(self) -> int:
        """How many days stand in the sentence, for the word beside them."""
        typed = str(self["count"].value() or "")
        return int(typed) if typed.isdecimal() and len(typed) < 5 else 0

    @property
    def sign(self) -> str:
        """Of the company's currency."""
        return formats.CURRENCIES.get(self.company.currency, self.company.currency)

    @property
    def taken(self) -> str:
        """The field of a line that was taken from the table, to stand in for the one on the page."""
        if "take" not in self.data:
            return ""
        bound = self["tolerance" if self["window"].value() == Window.BUDGET else "line"]
        return bound.as_widget(attrs=bound.field.widget.attrs | {"hx-swap-oob": "true"})

    def problems(self) -> list[str]:
        """What is wrong with the fields, each named."""
        return [
            f"{self[name].label}: {' '.join(errors)}" if name in self.fields else " ".join(errors)
            for name, errors in self.errors.items()
        ]

    def show(self, refusal) -> None:
        """What the service calls by other names is one field here."""
        names = {"n": "count", "minimum_sample": SAMPLES.get(self.data.get("window"), "minimum_sample")}
        if self.data.get("window") == Window.BUDGET:
            names["line"] = "tolerance"
        refusal.errors = [
            replace(error, field=names.get(error.field, error.field)) for error in refusal.errors
        ]  # fmt: skip
        super().show(refusal)

    @property
    def settings(self):
        """What stands under "Finer settings"."""
        return [self[name] for name in SETTINGS]


class StopRuleCreateForm(StopRuleForm):
    """A new rule, and its companion if wanted."""

    companion = forms.BooleanField(
        label=_("Beside it: spent since the last result"), required=False,
        help_text=_("A slow drip without a single lead never makes a day that counts. A second rule sees it: three lines spent without a result."),
    )  # fmt: skip

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        if not self.is_bound:
            self._suit_windows()

    def _suit_windows(self) -> None:
        """What the page's script chooses with a window, in fields that nobody has touched: what fits mailings and budgets."""
        mailings = selectors.channels(company=self.company).filter(kind=Channel.Kind.CRM)
        allowed = {choice for _group, choices in self.fields["scope"].choices for choice, _label in choices}
        scope = next((key for channel in mailings if (key := f"channel:{channel.pk}") in allowed), None)
        for name, window, value in (
            ("kpi", Window.EVENT, MAILING_KPI if MAILING_KPI in self.kpis else None), ("scope", Window.EVENT, scope),
            ("action", Window.EVENT, "rewrite"), ("action", Window.BUDGET, "cut"),
        ):  # fmt: skip
            if value:
                self.fields[name].widget.attrs[f"data-{window}"] = value


class StopRuleUpdateForm(StopRuleForm):
    """A new version, with its reason."""

    active = forms.BooleanField(label=_("The rule is on"), required=False)
    reason = forms.CharField(
        label=_("Why it changes"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Without a reason nothing changes: everybody who lives by the rule will see it."),
    )  # fmt: skip
    expected = forms.IntegerField(widget=forms.HiddenInput)

    @property
    def settings(self):
        return [*super().settings, self["active"]]
