"""What happened to a role, in words: from the journal, for whoever opens its page."""

from django.db.models import CharField, Q, QuerySet, Subquery
from django.db.models.functions import Cast

from roles import journal
from roles.models import Appointment, AuditEvent, CheckRound, Company, ExternalCheck, Role

MOST = 20
CHECKED = ("name_external_check", "sign_check", "skip_check", "end_external_check")
REVIEWED = ("open_role_review", "close_role_review")


def role_history(*, company: Company, role: Role) -> list[journal.Line]:
    """Appointments, deputies and ends of the role, checks of its clashes, reviews of roles since it was made: newest first, at
    most MOST.

    One query for the events, two for their words. Revisions are not here: the versions of the role tell them.
    """
    appointments = Appointment.objects.filter(company=company, role=role)
    worn = Q(object_id__in=_ids(appointments)) | Q(before__role=role.code) | Q(after__role=role.code)
    checks = _checks(company, role)
    rounds = CheckRound.objects.filter(company=company, external_check__in=checks)
    looked = Q(object_type="roles.externalcheck", object_id__in=_ids(checks)) | Q(
        object_type="roles.checkround", object_id__in=_ids(rounds)
    )
    made = Subquery(role.versions.order_by("number").values("created_at")[:1])
    events = AuditEvent.objects.filter(company=company).filter(
        (Q(object_type="roles.appointment") & worn)
        | (Q(verb__in=CHECKED) & looked)
        | Q(verb__in=REVIEWED, at__gte=made)
    )
    newest = list(events.select_related("by__user").order_by("-at", "-pk")[:MOST])
    return journal.lines(company=company, events=newest, details=True)


def _checks(company: Company, role: Role) -> QuerySet[ExternalCheck]:
    """Checks of whoever wears, wore or deputises the role, where it is one of the two duties that clash."""
    side = (
        Q(pair__left_role=role)
        | Q(pair__right_role=role)
        | Q(pair__left_kind=role.kind)
        | Q(pair__right_kind=role.kind)
    )
    worn = Appointment.objects.filter(company=company, role=role)
    people = Q(person__in=worn.values("person")) | Q(person__in=worn.exclude(deputy=None).values("deputy"))
    return ExternalCheck.objects.filter(side, people, company=company)


def _ids(rows: QuerySet) -> QuerySet:
    """Their ids as the journal keeps them."""
    return rows.order_by().values_list(Cast("pk", CharField()), flat=True)
