"""Saving what people type: figures of many days and channels at once, all or nothing."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from django.db import transaction
from django.utils.translation import gettext as _

from kpis.facts import FactRow
from kpis.importers.values import EARLIEST
from kpis.models import Source
from kpis.problems import field_error
from kpis.selectors.measures import metrics_of
from kpis.selectors.typed import Typed, typed_figures
from kpis.services.facts import write
from kpis.services.sources import manual_source
from kpis.typed import Place, Scope
from roles import formats
from roles.models import Channel, Company, Membership
from roles.refusals import Conflict, Refused


class DayChanged(Conflict):
    """Somebody else saved figures of these days and channels after the page was opened."""

    code = "day_changed"


@transaction.atomic
def type_figures(
    *, company: Company, by: Membership, at: datetime, values: Mapping[Place, Decimal | None], seen: Mapping[Scope, int]
) -> int:  # fmt: skip
    """Keep the figures a person typed; returns how many rows (day and channel) changed. Money in the company's currency.

    `values`: None clears; what is left out keeps its figure. `seen`: for each row the load that the person saw it with
    (0: nothing); DayChanged when somebody saved since in a row that would change. Refused for a day that has not come, a
    metric or channel that is not the company's.
    """
    if not values:
        return 0
    metrics = metrics_of(company=company)
    _check(company, values, metrics, at)
    source = manual_source(company=company, at=at, by=by)
    # One at a time: the lock is held until the end of the transaction.
    Source.objects.select_for_update(no_key=True).filter(company=company, pk=source.pk).first()
    days = {place.day for place in values}
    channels = {place.channel_id for place in values}
    typed = typed_figures(
        company=company, start=min(days), end=max(days), metrics=metrics.values(), channels=channels
    )  # fmt: skip
    changed: dict[Scope, dict[str, Decimal | None]] = {}
    for place, value in values.items():
        if typed.values.get(place) != value:
            changed.setdefault(place.scope, {})[place.code] = value
    if not changed:
        return 0
    _check_unchanged(typed, changed, seen)
    rows = [FactRow(scope.channel_id, 0, scope.day, figures) for scope, figures in sorted(changed.items())]
    codes = [code for code in metrics if any(code in row.values for row in rows)]
    counts = write(company=company, by=by, at=at, source=source, rows=rows, metrics=codes).counts
    return counts.created + counts.changed


def _check(company: Company, values: Mapping[Place, Decimal | None], metrics: Mapping, at: datetime) -> None:
    today = company.local_date(at)
    known = set(Channel.objects.filter(company=company).values_list("pk", flat=True))
    for place in values:
        code, said = "", ""
        if place.day > today or place.day < EARLIEST:
            code, said = "future_date" if place.day > today else "too_old", formats.day(place.day)
        elif place.channel_id not in known or place.code not in metrics:
            code, said = ("unknown_channel", "") if place.channel_id not in known else ("unknown_field", place.code)
        if code:
            error = field_error(place.name, code, said)
            raise Refused(error.message, [error])


def _check_unchanged(typed: Typed, changed: Mapping[Scope, dict], seen: Mapping[Scope, int]) -> None:
    moved = [scope for scope in changed if typed.since(scope) != seen.get(scope, 0)]
    if not moved:
        return
    who = sorted({name for place, name in typed.authors.items() if place.scope in moved}) or [_("Somebody")]
    first, last = min(moved).day, max(moved).day
    said = {"who": ", ".join(who), "days": formats.days(first, last) if first != last else formats.day(first)}
    raise DayChanged(
        _("%(who)s: figures of these rows were saved meanwhile (%(days)s). What you typed stands below; compare and save again.") % said
    )  # fmt: skip
