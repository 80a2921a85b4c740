"""The Monday meeting: the slides of a week as one page, for a call, for following it live and for reading without one.

Everybody who reads follows, each with the money that they may see; whoever sees all of it presents.
"""

from datetime import date, datetime

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_POST

from kpis.periods import week_label
from reports.forms.meetings import EndForm, TopicsForm
from reports.models import Meeting
from reports.selectors.calendar import week_book
from reports.selectors.meetings import is_early, meeting_of
from reports.selectors.summary import summary_week
from reports.services import meetings as services
from reports.slides.content import deck_of
from reports.views.weekly import week_asked
from roles import formats
from roles.permissions import Permission, requires
from roles.refusals import Refused

MINUTES_EACH = 3
"""How long a channel has the word; the timer only shows it."""

ACTS = {
    "start": services.start_meeting,
    "claim": services.claim_presenter,
    "suspend": services.suspend_meeting,
    "resume": services.resume_meeting,
}


def _week(request, now: datetime) -> date:
    return week_asked(request, summary_week(company=request.company, at=now))


def _show(request, week: date, now: datetime, *, refused: Refused | None = None, topics=None, status: int = 200):
    deck = deck_of(company=request.company, person=request.person, week=week, at=now)
    context = _bar(request, deck.meeting, now, deck.summary.moments.standup_at) | {
        "deck": deck, "summary": deck.summary, "seconds": MINUTES_EACH * 60, "refused": refused,
        "moments": deck.summary.moments,
    }  # fmt: skip
    meeting = context["meeting"]
    context["topics_form"] = topics or _fresh(TopicsForm(request, topics=meeting.topics))
    context["end_form"] = _fresh(EndForm(request, present=meeting.present))
    return render(request, "reports/stand_up.html", context, status=refused.status if refused else status)


def _fresh(form):
    form.is_bound = False
    return form


def _bar(request, meeting: Meeting, now: datetime, standup_at: datetime) -> dict:
    """What the bar with the state of the meeting says."""
    return {
        "standup_at": standup_at, "early": is_early(company=request.company, at=now, standup_at=standup_at),
        "meeting": meeting, "week": meeting.week, "run": meeting.run_for(now), "shown": meeting.slide_for(now),
        "mine": meeting.presenter_id == request.person.pk, "presents": services.may_present(request.person),
    }  # fmt: skip


def _standup_at(request, week: date) -> datetime:
    return week_book(company=request.company).deadlines(week).standup_at


def _not_yet(request, week: date, now: datetime) -> Refused | None:
    """The question to whoever holds the meeting before its day, unless they have answered it. Nothing is forbidden."""
    standup_at = _standup_at(request, week)
    sure = request.POST.get("early") == "yes"
    if sure or not is_early(company=request.company, at=now, standup_at=standup_at):
        return None
    when = formats.moment(standup_at, request.company.zone)
    return Refused(
        _("By the schedule this stand-up is on %(when)s. Mark that you hold it earlier, and press again.")
        % {"when": when}
    )


def _back(request, week: date):
    response = redirect("reports:stand-up", request.company.slug)
    response["Location"] += f"?week={week_label(week)}"
    return response


@requires(Permission.READ)
def stand_up(request):
    """All slides at once: missing reports first, then the most money under plan. Scripts show one at a time."""
    now = timezone.now()
    return _show(request, _week(request, now), now)


@requires(Permission.READ)
def stand_up_state(request):
    """The bar alone, asked for every two seconds; 204 while nothing has changed since `?seen=` (a version)."""
    now = timezone.now()
    week = _week(request, now)
    meeting = meeting_of(company=request.company, week=week)
    if request.GET.get("seen") == str(meeting.version):
        return HttpResponse(status=204)
    return render(request, "reports/_meeting_bar.html", _bar(request, meeting, now, _standup_at(request, week)))


@requires(Permission.VIEW_MONEY)
@require_POST
def stand_up_act(request, act: str):
    """Start, claim, suspend or continue."""
    now = timezone.now()
    week = _week(request, now)
    given = {"company": request.company, "by": request.person, "at": now, "week": week}
    if act == "start":
        if refusal := _not_yet(request, week, now):
            return _show(request, week, now, refused=refusal)
        deck = deck_of(company=request.company, person=request.person, week=week, at=now)
        given["slide"] = deck.channels[0].money.channel.code if deck.channels else services.SUMMARY
    try:
        ACTS[act](**given)
    except Refused as refusal:
        return _show(request, week, now, refused=refusal)
    return _back(request, week)


@requires(Permission.VIEW_MONEY)
@require_POST
def stand_up_turn(request):
    """The presenter's browser tells which slide it shows."""
    now = timezone.now()
    given = {"company": request.company, "by": request.person, "week": _week(request, now)}
    try:
        services.turn_slide(**given, at=now, slide=request.POST.get("slide", ""))
    except Refused as refusal:
        return HttpResponse(refusal.message, status=refusal.status, content_type="text/plain; charset=utf-8")
    return HttpResponse(status=204)


@requires(Permission.READ)
@require_POST
def stand_up_join(request):
    """The browser of somebody who follows tells that they are there."""
    week = _week(request, timezone.now())
    services.join_meeting(company=request.company, by=request.person, week=week)
    return HttpResponse(status=204)


@requires(Permission.VIEW_MONEY)
@require_POST
def stand_up_topics(request):
    """Keep the three topics."""
    now = timezone.now()
    week = _week(request, now)
    form = TopicsForm(request, topics=[])
    if not form.is_valid():
        return _show(request, week, now, topics=form, status=400)
    try:
        services.write_topics(
            company=request.company, by=request.person, at=now, week=week, topics=form.topics
        )  # fmt: skip
    except Refused as refusal:
        return _show(request, week, now, refused=refusal)
    messages.success(request, _("The topics are kept."))
    return _back(request, week)


@requires(Permission.VIEW_MONEY)
@require_POST
def stand_up_end(request):
    """End the meeting; its minutes go to everybody."""
    now = timezone.now()
    week = _week(request, now)
    if refusal := _not_yet(request, week, now):
        return _show(request, week, now, refused=refusal)
    form = EndForm(request, present=[])
    people = list(form.cleaned_data["present"]) if form.is_valid() else []
    deck = deck_of(company=request.company, person=request.person, week=week, at=now)
    try:
        meeting = services.end_meeting(
            company=request.company, by=request.person, at=now, week=week, present=people, deck=deck
        )  # fmt: skip
    except Refused as refusal:
        return _show(request, week, now, refused=refusal)
    messages.success(request, _("The meeting is over: everybody is sent the minutes."))
    return redirect("reports:meeting-detail", request.company.slug, meeting.pk)
