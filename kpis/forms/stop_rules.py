"""The editor of a stop-rule: a sentence with fields; what is rarely needed stands under it."""

from dataclasses import replace
from decimal import Decimal

from django import forms
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from kpis.day_classes import Window
from kpis.models import StopRuleVersion
from kpis.rule_terms import as_given
from roles import selectors
from roles.forms import AmountField, PeopleField, PercentField, RefusableForm
from roles.models import Channel
from roles.permissions import Permission

WINDOWS = [
    (Window.IN_A_ROW, pgettext_lazy("window", "days in a row")),
    (Window.M_OF_N, pgettext_lazy("window", "last days, of which bad")),
    (Window.POOLED, pgettext_lazy("window", "days taken together")),
    (Window.SINCE_CONVERSION, pgettext_lazy("window", "lines spent without a single result")),
]
ACTIONS = [
    ("stop", pgettext_lazy("action", "stop")),
    ("cut", pgettext_lazy("action", "cut the budget")),
    ("rewrite", pgettext_lazy("action", "rewrite")),
    ("review", pgettext_lazy("action", "look into it")),
]
NO_DATA = [
    ("hold", _("wait; after the third day call the analyst")),
    ("no_data", _("call the analyst at once")),
    ("breach", _("count the day as bad")),
    ("ok", _("count the day as good")),
]
COMPARISONS = [("above", pgettext_lazy("comparison", "above")), ("below", pgettext_lazy("comparison", "below"))]
PER = [("channel", pgettext_lazy("per", "as a whole")), ("campaign", pgettext_lazy("per", "each campaign by itself"))]
NUMBER = {"attrs": {"inputmode": "numeric", "autocomplete": "off", "size": 3}}
LEFT_EMPTY = ("max_span", "zero_line", "settling_days")
"""Shown empty while they are as usual, so that they follow the other terms."""
COUNTED_IN_DAYS = (Window.IN_A_ROW, Window.M_OF_N, Window.POOLED)


class StopRuleForm(RefusableForm):
    """`kpis`: the company's KPIs by code. Lines of shares are typed in per cent; `count` is days, or lines of spend."""

    name = forms.CharField(
        label=_("Name of the rule"), max_length=160, widget=forms.TextInput(attrs={"autocomplete": "off"})
    )
    kpi = forms.ChoiceField(label=_("KPI"))
    scope = forms.ChoiceField(label=_("Where it looks"))
    per = forms.ChoiceField(label=_("Channel or campaigns"), choices=PER)
    comparison = forms.ChoiceField(label=_("Beyond the line is"), choices=COMPARISONS)
    line = AmountField(label=_("Stop line"), max_digits=19, decimal_places=6)
    count = AmountField(label=_("How many"), max_digits=9, decimal_places=3, min_value=Decimal("0.001"))
    window = forms.ChoiceField(label=_("Window"), choices=WINDOWS)
    m = forms.IntegerField(
        label=_("How many of them bad"), required=False, min_value=1, widget=forms.TextInput(**NUMBER)
    )
    minimum_sample = AmountField(
        label=_("Smallest sample"), required=False, max_digits=19, decimal_places=6, min_value=0,
        help_text=_("A day with fewer does not count. Empty: 3 a day, 10 for days taken together."),
    )  # fmt: skip
    action = forms.ChoiceField(label=_("What it proposes"), choices=ACTIONS)
    owner = PeopleField(label=_("Who answers for the rule"))
    max_span = forms.IntegerField(
        label=_("Bad days fit in"), required=False, min_value=1, max_value=1000, widget=forms.TextInput(**NUMBER),
        help_text=_("Calendar days. Empty: twice the number of days and one."),
    )  # fmt: skip
    zero_line = AmountField(
        label=_("Zero line"), required=False, max_digits=19, decimal_places=6, min_value=0,
        help_text=_("So much spent in a day counts even without a result. Empty: three lines, for money per count."),
    )  # fmt: skip
    no_data = forms.ChoiceField(label=_("A day without figures"), choices=NO_DATA)
    settling_days = forms.IntegerField(
        label=_("Figures settle in days"), required=False, min_value=0, max_value=60, widget=forms.TextInput(**NUMBER),
        help_text=_("Empty: as long as the slowest of its metrics."),
    )  # fmt: skip
    confirm_pooled_7d = forms.BooleanField(
        label=_("Only when the last 7 days together are beyond the line too"), required=False,
        help_text=_("Halves false alarms for a day of delay."),
    )  # fmt: skip
    clear_ratio = PercentField(
        label=_("Good again at, % of the line"), max_digits=19, decimal_places=6,
        help_text=_("Between this and the line a day is neither good nor bad."),
    )  # fmt: skip
    clear_days = forms.IntegerField(
        label=_("Good days that end it"), min_value=1, max_value=30, widget=forms.TextInput(**NUMBER)
    )

    def __init__(self, request, *, kpis, version=None, initial=None, **kwargs):
        self.kpis, self.company = kpis, request.company
        super().__init__(request, initial=initial or self._initial(request, version), **kwargs)
        self.fields["kpi"].choices = [(code, info.name) for code, info in kpis.items()]
        self.fields["scope"].choices = self._scopes()
        self.fields["owner"].queryset = selectors.people(company=self.company)
        for bound in self:
            in_sentence = bound.name in SENTENCE
            bound.field.widget.attrs |= {"aria-label": bound.label, "class": "in"} if in_sentence else {}
        for name in ("line", "count", "m", "minimum_sample"):
            self.fields[name].widget.attrs["class"] = "in in-num"

    in_sentence = property(lambda self: SENTENCE)

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
        if version is None:
            return {
                "kpi": "cpa", "comparison": "above", "minimum_sample": 3, "window": Window.IN_A_ROW, "count": 3, "action": "stop",
                "no_data": "hold", "owner": request.person, "confirm_pooled_7d": True, "clear_ratio": Decimal("0.9"),
                "clear_days": 2, "scope": request.GET.get("scope", ""), "per": "channel",
            }  # fmt: skip
        values = {name: getattr(version, name) for name in self.base_fields if hasattr(version, name)}
        usual = as_given(self.company, version)
        values |= {name: usual[name] for name in LEFT_EMPTY}
        scope = f"channel:{version.channel_id}" if version.channel_id else f"kind:{version.channel_kind}"
        counted = version.k if version.window == Window.SINCE_CONVERSION else version.n
        return values | {
            "kpi": version.kpi.code, "line": self._typed(version.kpi.code, version.line), "count": counted,
            "scope": scope if scope != "kind:" else "all", "expected": version.number, "reason": "",
        }  # fmt: skip

    def _is_share(self, code: str) -> bool:
        return code in self.kpis and self.kpis[code].unit == "share"

    def _typed(self, code: str, line: Decimal) -> str:
        return f"{(line * 100 if self._is_share(code) else line).normalize():f}"

    def clean(self):
        """The terms as the service takes them: nothing that was left empty keeps an old value, it is "as usual"."""
        given = super().clean()
        if self.errors:
            return given
        count, by_days = given.pop("count"), given["window"] in COUNTED_IN_DAYS
        if by_days and count != count.to_integral_value():
            self.add_error("count", _("Give a whole number of days."))
            return given
        given |= {"n": int(count) if by_days else None, "k": None if by_days else count}
        if self._is_share(given["kpi"]):
            given["line"] /= 100
        kind, _colon, value = given.pop("scope").partition(":")
        given["channel"] = (
            selectors.channels(company=self.company).filter(pk=value).first() if kind == "channel" else None
        )
        given["channel_kind"] = value if kind == "kind" else ""
        return given

    def show(self, refusal) -> None:
        """The service's `n` and `k` are one field here."""
        refusal.errors = [
            replace(error, field="count") if error.field in ("n", "k") else error for error in refusal.errors
        ]  # fmt: skip
        super().show(refusal)


SENTENCE = ("kpi", "scope", "per", "comparison", "line", "count", "window", "m", "minimum_sample", "action")
SETTINGS = (
    "owner",
    "no_data",
    "settling_days",
    "max_span",
    "zero_line",
    "clear_ratio",
    "clear_days",
    "confirm_pooled_7d",
)


class StopRuleCreateForm(StopRuleForm):
    @property
    def settings(self):
        return [self[name] for name in SETTINGS]


class StopRuleUpdateForm(StopRuleForm):
    active = forms.BooleanField(label=_("The rule is on"), required=False)
    reason = forms.CharField(label=_("Why it changes"), max_length=500, widget=forms.Textarea(attrs={"rows": 2}))
    expected = forms.IntegerField(widget=forms.HiddenInput)

    @property
    def settings(self):
        return [self[name] for name in (*SETTINGS, "active")]
