"""The grid in which people type figures: saved as a whole, kept as a draft, filled by a paste; all of it without scripts."""

from dataclasses import dataclass
from datetime import date, timedelta

from django.contrib import messages
from django.http import JsonResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from kpis import problems
from kpis.forms.grid import FigureGrid, sent_cells, sent_rows, shown_metrics, shown_scopes
from kpis.importers.values import CellError
from kpis.selectors import typed as reads
from kpis.selectors.measures import metrics_of
from kpis.services import grid_drafts as drafts
from kpis.services.typed import type_figures
from kpis.typed import figure, place_of
from roles import formats
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting

EARLIEST = date(2000, 1, 1)


@requires(Permission.ENTER_FACTS)
def fact_grid(request):
    page = Page(request)
    act = request.POST.get("act", "save") if request.method == "POST" else ""
    if not act:
        return page.show()
    try:
        return ACTS.get(act, _save)(request, page)
    except Refused as refusal:
        if act == "draft" and _wants_json(request):
            return JsonResponse({"said": refusal.message, "errors": {}}, status=refusal.status)
        return page.show(refusal)


@dataclass
class Page:
    """What the address asks for: days, a channel or all, the main metrics or every one."""

    request: object

    def __post_init__(self):
        self.asked = self.request.POST if self.request.method == "POST" else self.request.GET
        self.company, self.person = self.request.company, self.request.person
        self.today = self.company.local_date(timezone.now())
        day = self.asked.get("day", "")
        self.start = self._day(self.asked.get("from", day))
        self.end = max(self.start, self._day(self.asked.get("to", "") or self.start.isoformat()))
        self.every = bool(self.asked.get("all"))
        self.metrics = metrics_of(company=self.company)
        self.draft = reads.draft_of(company=self.company, person=self.person)

    def _day(self, text: str) -> date:
        """The day asked for; yesterday when it is none, today when it has not come yet."""
        try:
            return max(EARLIEST, min(date.fromisoformat(text), self.today))
        except ValueError:
            return self.today - timedelta(days=1)

    @cached_property
    def typed(self):
        return reads.typed_figures(
            company=self.company, start=self.start, end=self.end, metrics=self.metrics.values()
        )  # fmt: skip

    @cached_property
    def waiting(self):
        return reads.draft_places(self.draft)

    @cached_property
    def channels(self):
        inside = {place.channel_id for place in self.waiting if self.start <= place.day <= self.end}
        also = {place.channel_id for place in self.typed.values} | inside
        return reads.grid_channels(company=self.company, also=also)

    @cached_property
    def channel(self):
        code = self.asked.get("channel", "")
        return next((one for one in self.channels if one.code == code), None)

    @property
    def shown(self):
        return [self.channel] if self.channel else self.channels

    def grid(self, data=None, is_stale: bool = False) -> FigureGrid:
        used = {place.code for place in self.typed.values} | {
            place.code for place in self.waiting if self.start <= place.day <= self.end
        }
        metrics = shown_metrics(self.metrics, used, self.every)
        scopes, self.is_whole = shown_scopes(self.start, self.end, self.shown, self.waiting, len(metrics))
        return FigureGrid(scopes, self.shown, metrics, self.typed, self.draft, data, is_stale)

    def show(self, refusal: Refused | None = None):
        """The page; after a refusal with what was sent, and as of now, so that the person compares and saves again."""
        data = self.request.POST if self.request.method == "POST" else None
        grid = self.grid(data, refusal is not None and refusal.status == 409)
        context = {"page": self, "grid": grid, "refusal": refusal, "draft": self.draft, "today": self.today}
        context["currency"] = formats.CURRENCIES.get(self.company.currency, self.company.currency)
        context["left"] = problems.shown(self.draft.paste.get("left", [])) if self.draft else []
        one_day = self.start == self.end
        context["before"] = self.start - timedelta(days=1) if one_day else None
        context["after"] = self.end + timedelta(days=1) if one_day and self.end < self.today else None
        context["elsewhere"] = self._elsewhere(grid)
        status = refusal.status if refusal else 400 if data is not None and grid.errors else 200
        return render(self.request, "kpis/fact_grid.html", context, status=status)

    def _elsewhere(self, grid: FigureGrid) -> dict | None:
        """Waiting cells that are not shown: how many, and where they are."""
        scopes = set(grid.scopes)
        days = [place.day for place in self.waiting if place.scope not in scopes]
        if not days:
            return None
        first, last = min(days), max(days)
        query = self.query(**{"from": first.isoformat(), "to": last.isoformat(), "channel": ""})
        return {"count": len(days), "first": first, "last": last, "query": query}

    @property
    def span(self) -> dict[str, str]:
        """The days and the channel that are shown, as the address names them."""
        code = self.channel.code if self.channel else ""
        return {"from": self.start.isoformat(), "to": self.end.isoformat(), "channel": code}

    def query(self, **changes) -> str:
        """The address's query with these changes."""
        query = QueryDict(mutable=True)
        query["from"], query["to"] = self.start.isoformat(), self.end.isoformat()
        if self.channel:
            query["channel"] = self.channel.code
        if self.every:
            query["all"] = "1"
        for name, value in changes.items():
            query[name] = value
        return query.urlencode()

    def address(self, **changes) -> str:
        return f"{reverse('kpis:fact-grid', args=[self.company.slug])}?{self.query(**changes)}"


def _wants_json(request) -> bool:
    return "application/json" in request.headers.get("Accept", "")


def _save(request, page: Page):
    grid = page.grid(request.POST)
    if grid.errors:
        _keep(request, page)
        return page.show()
    changed = type_figures(**acting(request), values=grid.values, seen=grid.seen)
    drafts.forget_saved(**acting(request), places=list(grid.values))
    if changed:
        said = _("Saved: the figures of %(day)s, rows changed: %(n)s.")
        messages.success(request, said % {"day": formats.days(page.start, page.end), "n": changed})
    else:
        messages.info(request, _("Nothing has changed: the same figures stand there already."))
    return redirect(page.address())


def _keep(request, page: Page) -> None:
    """Whatever was sent joins the draft."""
    cells = sent_cells(request.POST)
    known = {channel.pk for channel in page.channels}
    cells = {place: text for place, text in cells.items() if place.channel_id in known and place.day <= page.today}
    page.draft = drafts.keep_draft(**acting(request), cells=cells, seen=sent_rows(request.POST, cells))


def _draft(request, page: Page):
    _keep(request, page)
    if not _wants_json(request):
        return redirect(page.address())
    errors = {}
    for place, text in sent_cells(request.POST).items():
        try:
            figure(text, page.metrics[place.code]) if place.code in page.metrics else None
        except CellError as error:
            errors[place.name] = problems.sentence({"code": error.code, "value": text})
    clock = formats.clock(page.draft.saved_at, request.company.zone)
    said = _("Draft kept at %(time)s") % {"time": clock} if page.draft.cells else _("Everything is saved")
    return JsonResponse({"said": said, "errors": errors})


def _paste(request, page: Page):
    _keep(request, page)
    scopes = page.grid().scopes
    codes = [info.code for info in page.grid().metrics]
    whose = next((one.pk for one in page.channels if one.code == request.POST.get("whose")), None)
    anchor = place_of(request.POST.get("anchor", ""))
    if anchor and (anchor.scope not in scopes or anchor.code not in codes):
        anchor = None
    page.draft = drafts.paste_block(
        **acting(request),
        text=request.POST.get("block", ""),
        grid=drafts.Grid(scopes, codes, whose, page.span),
        anchor=anchor,
    )
    return redirect(_after_paste(page))


def _after_paste(page: Page) -> str:
    """The days that were pasted, unless they are all shown already; the channel stays while it is the only one."""
    days = drafts.range_of(page.draft)
    changes = {}
    if days and not (page.start <= days[0] and days[1] <= page.end):
        changes |= {"from": days[0].isoformat(), "to": days[1].isoformat()}
    pasted = {place.channel_id for name in page.draft.paste["before"] if (place := place_of(name))}
    known = {channel.pk: channel.code for channel in page.channels}
    if changes and len(pasted) == 1:
        changes["channel"] = known.get(next(iter(pasted)), "")
    elif page.channel and pasted - {page.channel.pk}:
        changes["channel"] = ""
    return page.address(**changes)


def _undo(request, page: Page):
    """The cells as they were before the paste, and the rows that were shown then."""
    _keep(request, page)
    shown = page.draft.paste.get("shown", {})
    drafts.undo_paste(**acting(request))
    return redirect(page.address(**shown))


def _drop(request, page: Page):
    drafts.drop_draft(company=request.company, by=request.person)
    messages.info(request, _("The draft is thrown away; what was saved before stands as it was."))
    return redirect(page.address())


ACTS = {"save": _save, "draft": _draft, "paste": _paste, "undo": _undo, "drop": _drop}
