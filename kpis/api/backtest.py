"""`POST /stop-rules/backtest/`: a rule tried on history before it is written. Nothing is written."""

from datetime import date

import numpy as np
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from kpis import rule_terms
from kpis.api.figures import as_json, decimal_text
from kpis.api.stop_rules import StopRuleSerializer, terms_of
from kpis.day_classes import SAFE, DayClass, Figures
from kpis.rule_terms import WrongTerms
from kpis.selectors.backtest import Account, Firing, Replay, Totals, Trial, backtest, span_of
from kpis.selectors.measures import money_metrics
from kpis.selectors.stop_rules import may_see
from kpis.services.rule_drafts import Draft, draft_rule
from roles.fields import LIMIT, MICRO
from roles.permissions import Permission
from roles.refusals import FieldError, Forbidden
from roles.rest.viewsets import CompanyViewSet

LONGEST = 1100
MOST_LINES = 25


class MoneyNotShown(Forbidden):
    code = "money_not_shown"


class BacktestSerializer(StopRuleSerializer):
    """A rule's body as for creating one (a name is not needed), the days to try it on, and other lines to compare.

    Without `from` and `to`: the last twelve months. What is known before `from` warms the machine up. `lines` are in
    the unit of `line`.
    """

    name = serializers.CharField(max_length=160, required=False)
    to = serializers.DateField(required=False)
    lines = serializers.ListField(
        child=serializers.DecimalField(19, 6), required=False, max_length=MOST_LINES, write_only=True
    )

    def get_fields(self):
        fields = super().get_fields()
        fields["from"] = serializers.DateField(required=False)
        return {name: field for name, field in fields.items() if not field.read_only and name != "reason"}


AMOUNTS = {
    "avoidable_spend": serializers.CharField(allow_null=True),
    "conversions_forgone": serializers.FloatField(allow_null=True),
    "net_saved": serializers.CharField(allow_null=True, help_text="avoidable spend − line · conversions forgone"),
    "saved": serializers.CharField(allow_null=True, help_text="the positive daily parts of net"),
    "lost": serializers.CharField(allow_null=True, help_text="the negative daily parts of net"),
}
FiringRow = inline_serializer(
    "BacktestFiring",
    {
        "channel": serializers.CharField(),
        "campaign": serializers.IntegerField(allow_null=True),
        "first_day": serializers.DateField(help_text="the first breaching day"),
        "opened_on": serializers.DateField(),
        "closed_on": serializers.DateField(allow_null=True, help_text="null: it goes on at the end"),
        "closed_as": serializers.ChoiceField(["recovered", "paused"], allow_null=True),
        "avoidable_days": serializers.IntegerField(),
        "false_alarm": serializers.BooleanField(allow_null=True, help_text="null where nothing is counted in money"),
        **AMOUNTS,
    },
    many=True,
)
TOTALS = {
    "firings": serializers.IntegerField(),
    "going_on": serializers.IntegerField(),
    "false_alarms": serializers.IntegerField(allow_null=True),
    **AMOUNTS,
}
SeriesRow = inline_serializer(
    "BacktestSeries",
    {
        "channel": serializers.CharField(),
        "campaign": serializers.IntegerField(allow_null=True),
        "from": serializers.DateField(help_text="the day of the first element; one for every day up to the end"),
        "values": serializers.ListField(child=serializers.CharField(allow_null=True)),
        "classes": serializers.ListField(
            child=serializers.CharField(), help_text="not_ready, missing, inactive, thin, breach, grey, ok"
        ),
    },
    many=True,
)
Answer = inline_serializer(
    "BacktestAnswer",
    {
        "from": serializers.DateField(),
        "to": serializers.DateField(),
        "firings": FiringRow,
        "totals": inline_serializer("BacktestTotals", TOTALS),
        "series": SeriesRow,
        "lines": inline_serializer("BacktestLine", {"line": serializers.CharField(), **TOTALS}, many=True),
    },
)


class BacktestViewSet(CompanyViewSet):
    """What a stop-rule would have done, and what it would have been worth."""

    serializer_class = BacktestSerializer
    write_permissions = {"create": Permission.READ}
    write_scope = "read"

    @extend_schema(request=BacktestSerializer, responses=Answer)
    def create(self, request, company_slug=None):
        """The last twelve months unless `from` and `to` say otherwise; 403 where the caller may not see the money of the scope."""
        terms = terms_of(self.company, BacktestSerializer(data=request.data))
        today = self.company.local_date(timezone.now())
        since, until = _span(today, terms.pop("from", None), terms.pop("to", None))
        lines = terms.pop("lines", [])
        draft = draft_rule(company=self.company, by=self.person, today=today, **terms)
        if not may_see(self.person, draft.version, money_metrics(draft.metrics)):
            raise MoneyNotShown(_("Your hats do not show the money of this scope."))
        _check_lines(draft, lines)
        done = backtest(company=self.company, draft=draft, today=today, since=since, until=until, lines=lines)
        return Response({
            "from": done.since, "to": done.until,
            "firings": [_firing_json(firing) for firing in done.draft.firings],
            "totals": _totals_json(done.draft.totals), "series": _series_json(done.draft, done.since, done.until),
            "lines": [{"line": decimal_text(line)} | _totals_json(totals) for line, totals in done.lines],
        })  # fmt: skip


def _span(today: date, since: date | None, until: date | None) -> tuple[date, date]:
    since, until = span_of(today, since, until)
    if since > until:
        message = _("The first day is after the last one.")
    elif (until - since).days >= LONGEST:
        message = _("Choose at most three years.")
    else:
        return since, until
    raise WrongTerms(message, [FieldError("from", "out_of_range", message)])


def _check_lines(draft: Draft, lines: list) -> None:
    """Other lines must be possible ones, as the rule's own must."""
    adds_up = draft.version.window in rule_terms.SPENDING_WINDOWS
    never_negative = rule_terms.never_negative(draft.formula, draft.metrics)
    for index, line in enumerate(lines):
        if (line < 0 and never_negative) or (line <= 0 and adds_up):
            message = _("This line is not possible here: give a number above 0.")
            raise WrongTerms(message, [FieldError("lines", "out_of_range", message, index)])


def _amounts(account: Account | None) -> dict:
    if account is None:
        return dict.fromkeys(AMOUNTS)
    return {
        "avoidable_spend": decimal_text(account.spend), "conversions_forgone": as_json(account.forgone, "count"),
        "net_saved": decimal_text(account.net), "saved": decimal_text(account.saved), "lost": decimal_text(account.lost),
    }  # fmt: skip


def _firing_json(firing: Firing) -> dict:
    return {
        "channel": firing.channel.code, "campaign": firing.campaign.pk if firing.campaign else None,
        "first_day": firing.first_day, "opened_on": firing.opened_on, "closed_on": firing.closed_on,
        "closed_as": firing.closed_as or None, "avoidable_days": firing.avoidable_days, "false_alarm": firing.false_alarm,
    } | _amounts(firing.account)  # fmt: skip


def _totals_json(totals: Totals) -> dict:
    return {
        "firings": totals.firings, "going_on": totals.going_on, "false_alarms": totals.false_alarms,
    } | _amounts(totals.account)  # fmt: skip


CODES = np.array([DayClass(number).code for number in range(len(DayClass))], object)


def _series_json(trial: Trial, since: date, until: date) -> list[dict]:
    """The KPI day by day on each scope, from its first day on. Plain lists: a year of many campaigns stays light."""
    replay = trial.replay
    if replay is None:
        return []
    history, found = replay.history, []
    begin, end = max(history.index(since), 0), min(history.index(until) + 1, history.days)
    values = _values(replay, slice(begin, end))
    classes = CODES[replay.outcome.classes[: len(values), begin:end]].tolist()
    for number, (one, start) in enumerate(zip(replay.series, replay.figures.start.tolist(), strict=True)):
        first = max(begin, start)
        if first < end:
            found.append({
                "channel": one.channel.code, "campaign": one.campaign.pk if one.campaign else None,
                "from": history.day(first), "values": values[number][first - begin :],
                "classes": classes[number][first - begin :],
            })  # fmt: skip
    return found


def _values(replay: Replay, span: slice) -> list[list[str | None]]:
    """The KPI of each series' days as text, as `decimal_text` writes what `Replay.value` gives: all of them in one go."""
    figures = replay.figures
    told = figures.known[:, span] & (figures.denominator[:, span] != 0)
    micros = _micros(figures, span, told, replay.scales[0])
    told &= np.abs(micros) < LIMIT
    written = iter(_texts(micros[told]))
    return [[next(written) if is_told else None for is_told in row] for row in told.tolist()]


def _texts(micros: np.ndarray) -> list[str]:
    """Whole millionths as decimals without needless zeros."""
    size = np.abs(micros)
    parts = np.stack([size // MICRO, size % MICRO], axis=1).reshape(-1).tolist()
    found = [text.rstrip("0").rstrip(".") for text in ("%d.%06d " * len(size) % tuple(parts)).split()]
    for place in np.flatnonzero(micros < 0).tolist():
        found[place] = f"-{found[place]}"
    return found


def _micros(figures: Figures, span: slice, told: np.ndarray, scales: tuple[int, int]) -> np.ndarray:
    """The value of each day in whole millionths, rounded half to even; anything where it is not told."""
    above, below = scales
    top = figures.numerator[:, span]
    if top.dtype != object and top.size and int(np.abs(top).max()) >= SAFE // (below * MICRO):
        top = top.astype(object)
    top, bottom = top * (below * MICRO), np.where(told, figures.denominator[:, span], 1) * above
    top, bottom = np.where(bottom < 0, -top, top), np.abs(bottom)
    whole = top // bottom
    twice = 2 * (top - whole * bottom)
    up = (twice > bottom) | ((twice == bottom) & (whole % 2 == 1))
    return whole + up
