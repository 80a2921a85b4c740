"""The report week over REST: its days and times, how the next weeks turn out, and the company's own days."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.response import Response

from kpis.periods import week_label
from reports.calendars import PLAIN, RUSSIA
from reports.deadlines import MOMENTS, Schedule
from reports.models import CompanyDay
from reports.selectors import schedule as selectors
from reports.services import schedule as services
from roles.permissions import Permission
from roles.rest.viewsets import CompanyViewSet


class MomentField(serializers.Serializer):
    day = serializers.IntegerField(
        help_text="days from the Monday of the week; below zero before it, from 7 on after it"
    )
    time = serializers.TimeField(format="%H:%M", input_formats=["%H:%M"], help_text="local, in the company's zone")


class ScheduleSerializer(serializers.Serializer):
    """Day and time of each moment, before the calendar shifts them. `country`: whose holidays count, `ru` or empty."""

    from_week = serializers.CharField(read_only=True, help_text="the first week that these times hold for")
    country = serializers.ChoiceField([(RUSSIA, "Russia"), (PLAIN, "none")], required=False, allow_blank=True)

    def get_fields(self):
        return super().get_fields() | {name: MomentField(required=False) for name in MOMENTS}


class WeekAheadOut(serializers.Serializer):
    """A week with its moments as the calendar has shifted them."""

    week = serializers.CharField()
    plan_opens_at = serializers.DateTimeField()
    plan_due_at = serializers.DateTimeField()
    fact_opens_at = serializers.DateTimeField()
    fact_due_at = serializers.DateTimeField()
    digest_at = serializers.DateTimeField()
    summary_due_at = serializers.DateTimeField()
    standup_at = serializers.DateTimeField()
    locks_at = serializers.DateTimeField()
    rests = serializers.BooleanField(help_text="no day of it is worked: nobody owes anything")
    off = serializers.ListField(child=serializers.DateField(), help_text="days off on Monday to Friday")
    worked = serializers.ListField(child=serializers.DateField(), help_text="Saturdays and Sundays that are worked")


class WeekScheduleOut(serializers.Serializer):
    """`now` holds for this week, `coming` from the next one on."""

    timezone = serializers.CharField()
    now = ScheduleSerializer()
    coming = ScheduleSerializer()
    weeks = WeekAheadOut(many=True)


class CompanyDaySerializer(serializers.Serializer):
    id = serializers.IntegerField(source="pk")
    day = serializers.DateField()
    is_working = serializers.BooleanField()
    name = serializers.CharField()


class CompanyDaysIn(serializers.Serializer):
    """Days from `first` to `last`, both included; one day without `last`."""

    first = serializers.DateField()
    last = serializers.DateField(required=False, allow_null=True)
    is_working = serializers.BooleanField(required=False, default=False)
    name = serializers.CharField(required=False, allow_blank=True, default="", max_length=120)


def _times(schedule: Schedule, country: str, week) -> dict:
    moments = {name: dict(zip(("day", "time"), getattr(schedule, name), strict=True)) for name in MOMENTS}
    return {"from_week": week_label(week), "country": country, **moments}


def _week(row: selectors.WeekAhead) -> dict:
    return {
        "week": week_label(row.monday),
        **vars(row.moments),
        "off": [day for day, _name in row.off],
        "worked": row.worked,
    }


class WeekScheduleViewSet(CompanyViewSet):
    """When plans and facts are due. A change holds from the next week on."""

    serializer_class = ScheduleSerializer
    pagination_class = None
    write_permissions = {"create": Permission.MANAGE_COMPANY}

    @extend_schema(responses=WeekScheduleOut)
    def list(self, request):
        """The times of this week and of those to come, and the moments of the next eight weeks."""
        return Response(self._document())

    @extend_schema(request=ScheduleSerializer, responses=WeekScheduleOut)
    def create(self, request):
        """New times from the next week on; a moment that is left out stays as it is."""
        given = ScheduleSerializer(data=request.data)
        given.is_valid(raise_exception=True)
        at = timezone.now()
        page = selectors.schedule_page(company=self.company, at=at)
        chosen = {name: (rule["day"], rule["time"]) for name, rule in given.validated_data.items() if name in MOMENTS}
        services.change_schedule(
            company=self.company, by=self.person, at=at, schedule=Schedule(**(vars(page.coming) | chosen)),
            country=given.validated_data.get("country", page.country),
        )  # fmt: skip
        return Response(self._document())

    def _document(self) -> dict:
        page = selectors.schedule_page(company=self.company, at=timezone.now())
        this = page.weeks[0].monday
        document = {
            "timezone": self.company.timezone, "now": _times(*page.book.version(this), this),
            "coming": _times(page.coming, page.country, page.next_monday), "weeks": [_week(row) for row in page.weeks],
        }  # fmt: skip
        return WeekScheduleOut(document).data


class CompanyDayViewSet(CompanyViewSet):
    """Days that the company works or rests otherwise than the calendar says, from today on."""

    serializer_class = CompanyDaySerializer
    lookup_value_regex = r"\d{1,18}"
    pagination_class = None
    write_permissions = dict.fromkeys(("create", "destroy"), Permission.MANAGE_COMPANY)

    @extend_schema(responses=CompanyDaySerializer(many=True))
    def list(self, request):
        found = selectors.company_days(company=self.company, at=timezone.now())
        return Response(CompanyDaySerializer(found, many=True).data)

    @extend_schema(request=CompanyDaysIn, responses={201: CompanyDaySerializer(many=True)})
    def create(self, request):
        """Mark days as off or worked; a day that was marked is marked anew, and deadlines move."""
        given = CompanyDaysIn(data=request.data)
        given.is_valid(raise_exception=True)
        rows = services.set_company_days(**self._acting(), **given.validated_data)
        return Response(CompanyDaySerializer(rows, many=True).data, status=201)

    @extend_schema(request=None, responses={204: None})
    def destroy(self, request, pk=None):
        """The day follows the calendar again."""
        day: CompanyDay = self.found(selectors.get_company_day(company=self.company, pk=int(pk)))
        services.remove_company_day(**self._acting(), day=day)
        return Response(status=204)
