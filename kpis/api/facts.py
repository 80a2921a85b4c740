"""`/facts/`: bulk upsert and sums per group."""

from collections.abc import Sequence
from datetime import date, timedelta

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field, inline_serializer
from rest_framework import serializers
from rest_framework.response import Response

from kpis import metrics as catalogue
from kpis.importers.values import EARLIEST
from kpis.problems import field_error
from kpis.selectors import facts as reads
from kpis.services import facts as writes
from roles import selectors as who
from roles.models import Channel
from roles.permissions import Permission
from roles.refusals import FieldError, Refused
from roles.rest.problems import CONTENT_TYPE, Problem
from roles.rest.viewsets import CompanyViewSet

MOST_BYTES = 10 * 1024 * 1024
LONGEST = timedelta(days=1100)
DEFAULT = timedelta(days=29)
MOST_ON_A_PAGE = 1000


class TooMuch(Refused):
    status = 413
    code = "too_large"


class BadQuery(Refused):
    code = "bad_query"


def refuse_beyond(request, most: int) -> None:
    """413 before a body that is too large is read."""
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and int(length) > most:
        raise TooMuch(_("The request is larger than %(n)s MB. Split it.") % {"n": most // 1024**2})


@extend_schema_field({"type": ["string", "number", "null"], "description": "decimal; null clears the stored value"})
class MetricInput(serializers.Field):
    """Description only: the service checks values, so that 5000 rows cost no 5000 serializers."""


FactInput = inline_serializer(
    "FactInput",
    {
        "channel": serializers.CharField(help_text="code of the channel"),
        "campaign": serializers.CharField(
            required=False, allow_null=True, max_length=120, help_text="id in the source; null for none"
        ),
        "date": serializers.DateField(),
        **{code: MetricInput(required=False) for code in catalogue.BUILT_IN},
    },
)
FactsInput = inline_serializer(
    "FactsInput",
    {"source": serializers.CharField(max_length=40), "facts": serializers.ListField(child=FactInput, max_length=5000)},
)
FactsResult = inline_serializer(
    "FactsResult",
    {name: serializers.IntegerField() for name in ("load", "created", "changed", "unchanged")},
)
FactGroup = inline_serializer(
    "FactGroup",
    {
        **{name: serializers.CharField(required=False, allow_null=name == "campaign") for name in reads.GROUPS},
        **{
            code: serializers.DecimalField(20, 6, required=False, allow_null=True)
            if info.unit == "money"
            else serializers.FloatField(required=False, allow_null=True)
            for code, info in catalogue.BUILT_IN.items()
        },
    },
)
FactPage = inline_serializer(
    "FactPage",
    {
        "next": serializers.CharField(allow_null=True),
        "previous": serializers.CharField(allow_null=True),
        "results": serializers.ListField(child=FactGroup),
    },
)


def query(name: str, description: str, kind=str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description)


QUERY = [
    query("from", "first day, default 30 days up to today", date),
    query("to", "last day, default today", date),
    query("channel", "code of a channel"),
    query("kind", f"only channels of this kind: {', '.join(Channel.Kind)}"),
    query("campaign", "id of a campaign in its source"),
    query("group_by", f"comma-separated: {', '.join(reads.GROUPS)}; default day,channel"),
    query("page_size", "groups on a page, at most 1000; default 100", int),
    query("cursor", "from `next` or `previous`"),
]


class FactViewSet(CompanyViewSet):
    """Daily facts: additive metrics per channel (or campaign), day and source."""

    write_permissions = {"create": Permission.ENTER_FACTS}
    write_scope = "facts:write"

    def initial(self, request, *args, **kwargs):
        refuse_beyond(request, MOST_BYTES)
        super().initial(request, *args, **kwargs)

    @extend_schema(request=FactsInput, responses={200: FactsResult, (413, CONTENT_TYPE): Problem})
    def create(self, request, company_slug=None):
        data = request.data if isinstance(request.data, dict) else {}
        loaded = writes.record_facts(
            **self._acting(), source_code=data.get("source"),
            rows=data.get("facts"),
        )  # fmt: skip
        counts = loaded.counts
        return Response(
            {
                "load": loaded.load.pk,
                "created": counts.created,
                "changed": counts.changed,
                "unchanged": counts.unchanged,
            }
        )

    @extend_schema(parameters=QUERY, responses=FactPage)
    def list(self, request, company_slug=None):
        asked = request.query_params
        start, end = self._period(asked)
        group_by = [part.strip() for part in asked.get("group_by", "day,channel").split(",") if part.strip()]
        if unknown := [part for part in group_by if part not in reads.GROUPS]:
            message = _("Group by %(known)s.") % {"known": ", ".join(reads.GROUPS)}
            raise BadQuery(message, [FieldError("group_by", "unknown", f"{message} ({', '.join(unknown)[:60]})")])
        campaign = clean(asked["campaign"]) if asked.get("campaign") else None
        sums = reads.fact_sums(
            company=self.company, start=start, end=end, group_by=group_by, channels=self._channels(asked), campaign=campaign,
            money_of=self._money_of(),
        )  # fmt: skip
        return Response(paged(request, [self._row(group, sums.metrics) for group in sums.groups]))

    def _channels(self, asked) -> Sequence[Channel] | None:
        """The channels asked for by code or by kind; None for all."""
        found = None
        if "channel" in asked:
            found = [self.found(who.get_channel(company=self.company, code=clean(asked["channel"])))]
        if "kind" in asked:
            if asked["kind"] not in Channel.Kind:
                message = _("Kinds of channels: %(known)s.") % {"known": ", ".join(Channel.Kind)}
                raise BadQuery(message, [FieldError("kind", "unknown", message)])
            channels = found if found is not None else who.bare_channels(company=self.company)
            found = [channel for channel in channels if channel.kind == asked["kind"]]
        return found

    def _money_of(self) -> set[int] | None:
        if self.person.can(Permission.VIEW_MONEY):
            return None
        owned = {hat.channel_id for hat in self.person.hats if hat.channel_id}
        return {pk for pk in owned if self.person.can(Permission.VIEW_MONEY, pk)}

    def _period(self, asked) -> tuple[date, date]:
        today = self.company.local_date(timezone.now())
        days = {}
        for name, default in (("to", today), ("from", None)):
            text = asked.get(name)
            try:
                days[name] = date.fromisoformat(text) if text else default
            except ValueError as error:
                raise BadQuery(_("The period is not right."), [field_error(name, "bad_date", text)]) from error
        end = max(days["to"], EARLIEST)
        start = max(days["from"] or end - DEFAULT, EARLIEST)
        if start > end or end - start > LONGEST:
            message = _("“from” comes before “to”, and a period has at most %(n)s days.") % {"n": LONGEST.days}
            raise BadQuery(message, [FieldError("from", "bad_period", message)])
        return start, end

    @staticmethod
    def _row(group: reads.FactGroup, metrics: list) -> dict:
        """Money as a decimal string, counts as numbers, unknown as null."""
        row = dict(group.keys)
        for info in metrics:
            if info.code in group.values:
                value = group.values[info.code]
                row[info.code] = None if value is None else as_json(value, info.unit)
        return row


def as_json(value, unit: str) -> str | int | float:
    if unit == "money":
        return format(value, "f")
    return int(value) if value == value.to_integral_value() else float(value)


def clean(text: str) -> str:
    """A name from the query without what a database cannot hold."""
    return text.replace("\x00", "").encode("utf-8", "replace").decode()


def paged(request, rows: list[dict]) -> dict:
    """One page of computed rows in the shape of every other list; the cursor is the number of the first row."""
    asked = request.query_params
    size = asked.get("page_size", "")
    size = min(max(int(size), 1), MOST_ON_A_PAGE) if size.isdigit() and len(size) < 9 else 100
    cursor = asked.get("cursor", "")
    begin = int(cursor) if cursor.isdigit() and len(cursor) < 9 else 0

    def link(place: int) -> str:
        params = asked.copy()
        params["cursor"] = str(place)
        return f"{request.build_absolute_uri(request.path)}?{params.urlencode()}"

    return {
        "next": link(begin + size) if begin + size < len(rows) else None,
        "previous": link(max(0, begin - size)) if begin else None,
        "results": rows[begin : begin + size],
    }
