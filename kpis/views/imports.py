"""Loads: the list, the upload, the preview with its mapping, loading and undoing."""

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import Http404, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kpis import problems, reading
from kpis.forms.columns import ColumnsForm
from kpis.forms.imports import UploadForm
from kpis.forms.mapping import MappingForm
from kpis.importers import platforms, registry
from kpis.importers.base import FileProblem
from kpis.importers.registry import PROFILES, RECOUNT
from kpis.models import Import
from kpis.progress import written
from kpis.selectors import column_maps as maps
from kpis.selectors import deals
from kpis.selectors import imports as reads
from kpis.selectors.questions import questions
from kpis.selectors.scale import scale_doubt
from kpis.selectors.sources import get_source
from kpis.selectors.wrong_rows import wrong_rows
from kpis.services import imports as writes
from kpis.services.column_maps import choose_columns
from kpis.services.units import doubt_sentence
from roles import csvfile
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting

ON_A_PAGE = 50


@requires(Permission.READ)
def import_list(request):
    """All loads with the newest recount of each source; ?recounts= a source's code: every recount of its deals."""
    context, code = {"may_enter": _may_enter(request), "recount": RECOUNT, "recounts": {}}, request.GET.get("recounts")
    if code:
        context["source"] = get_source(company=request.company, code=code)
        if context["source"] is None:
            raise Http404
        rows = reads.recounts_of(company=request.company, source=context["source"])
    else:
        context["recounts"] = reads.recounts_by_source(company=request.company)
        rows = reads.folded_imports(company=request.company, recounts=context["recounts"])
    context["page"] = Paginator(rows, ON_A_PAGE).get_page(request.GET.get("page"))
    return render(request, "kpis/import_list.html", context)


@requires(Permission.ENTER_FACTS)
def import_create(request):
    """The upload. ?source= a source's code: a file of it that waits already comes first, unless ?anew= is there."""
    code = request.GET.get("source", "")
    asks = request.method == "GET" and code and "anew" not in request.GET
    if asks and (waiting := reads.newest_waiting(company=request.company, source=code)):
        messages.info(request, _("A file of this source waits already: load it, drop it, or take another one."))
        return redirect("kpis:import-detail", request.company.slug, waiting.pk)
    form = UploadForm(request, initial={"source": code})
    if form.attempt(form.receive, **acting(request)):
        page = "kpis:import-detail" if form.result.profile else "kpis:import-columns"
        return redirect(page, request.company.slug, form.result.pk)
    context = {"form": form, "platforms": platforms.names()}
    return render(request, "kpis/import_create.html", context, status=form.status)


@requires(Permission.READ)
def import_detail(request, pk):
    load = _load(request, pk)
    if load.state == Import.State.PREVIEW and not load.profile and _may_enter(request):
        return redirect("kpis:import-columns", request.company.slug, load.pk)
    return _detail(request, load)


@requires(Permission.ENTER_FACTS)
def import_columns(request, pk):
    """Which column of an unknown table is what; said once for a heading of a source."""
    load = _load(request, pk)
    if load.state != Import.State.PREVIEW or load.profile in registry.CODES:
        return redirect("kpis:import-detail", request.company.slug, load.pk)
    try:
        found = maps.columns(company=request.company, load=load)
    except FileProblem as problem:
        return render(
            request, "kpis/import_columns.html", {"load": load, "unreadable": problems.file_sentence(problem)}
        )
    data, refusal = (request.POST if request.method == "POST" else None), None
    form = ColumnsForm(found, data)
    if data is not None:
        try:
            taken = choose_columns(
                **acting(request), load=load, columns=form.columns, step=form.step, order=form.order
            )  # fmt: skip
            return redirect("kpis:import-detail", request.company.slug, taken.pk)
        except Refused as error:
            refusal, form = error, ColumnsForm(found, data, error)
    context = {"load": load, "form": form, "found": found, "refusal": refusal}
    return render(request, "kpis/import_columns.html", context, status=refusal.status if refusal else 200)


@requires(Permission.ENTER_FACTS)
def import_wrong_rows(request, pk):
    """The wrong rows of a waiting or failed load as a CSV file, each with what to do."""
    load = _load(request, pk)
    if not load.profile or load.state not in {Import.State.PREVIEW, Import.State.FAILED}:
        return redirect("kpis:import-detail", request.company.slug, load.pk)
    try:
        rows = wrong_rows(company=request.company, load=load)
    except FileProblem as problem:
        messages.error(request, problems.file_sentence(problem))
        return redirect("kpis:import-detail", request.company.slug, load.pk)
    content = csvfile.write([csvfile.text(cell) for cell in row] for row in rows)
    response = HttpResponse(content, content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="mops-{request.company.slug}-wrong-{load.pk}.csv"'
    return response


@requires(Permission.ENTER_FACTS)
@require_POST
def import_confirm(request, pk):
    load = _load(request, pk)
    form = MappingForm(request.company, load, request.person, request.POST)
    said = {"load": load, "mapping": form.mapping, "answers": form.answers}
    try:
        if request.POST.get("act") == "preview":
            writes.choose_channels(**acting(request), **said)
            messages.success(request, _("Counted again with what you have chosen; nothing is loaded yet."))
            return redirect(_counted_again(request, load, form))
        else:
            writes.confirm_import(**acting(request), **said, rate=form.rate, scale=form.scale)
    except Refused as refusal:
        return _detail(request, load, refusal)
    return redirect("kpis:import-detail", request.company.slug, load.pk)


def _counted_again(request, load: Import, form: MappingForm) -> str:
    """The preview with the rate and the unit as they were just chosen."""
    said = {name: text for name, text in (("rate", form.rate_text), ("scale", form.scale_text)) if text}
    address = reverse("kpis:import-detail", args=[request.company.slug, load.pk])
    return f"{address}?{urlencode(said)}" if said else address


@requires(Permission.ENTER_FACTS)
@require_POST
def import_undo(request, pk):
    load = _load(request, pk)
    waited = load.state == Import.State.PREVIEW
    try:
        writes.undo_import(**acting(request), load=load)
    except Refused as refusal:
        return _detail(request, load, refusal)
    if waited:
        messages.success(request, _("The file is dropped: nothing was loaded."))
        return redirect("kpis:import-list", request.company.slug)
    messages.success(request, _("The load is undone."))
    return redirect("kpis:import-detail", request.company.slug, load.pk)


def _detail(request, load: Import, refusal: Refused | None = None):
    """The load in whatever state it is; figures and errors are for those who load, the state is for everybody."""
    may_enter = _may_enter(request)
    context = {"load": load, "may_enter": may_enter, "refusal": refusal, "errors": problems.shown(load.errors)}
    context |= {"is_deals": load.profile in PROFILES, "is_recount": load.profile == RECOUNT}
    if load.state == Import.State.PREVIEW and may_enter:
        context |= _preview(request, load, refusal)
    elif load.state == Import.State.UNDONE:
        context["taken_back"] = reads.taken_back(company=request.company, load=load)
    elif load.profile in PROFILES:
        context |= {"deals": deals.of_load(load), "written": written([load]).get(load.pk)}
    fragment = request.htmx and load.state != Import.State.PREVIEW
    template = "kpis/_import_state.html" if fragment else "kpis/import_detail.html"
    return render(request, template, context, status=refusal.status if refusal else 200)


def _preview(request, load: Import, refusal: Refused | None) -> dict:
    """What a waiting load would do, and the form that asks what it leaves open."""
    data = request.POST if refusal else None
    form = MappingForm(request.company, load, request.person, data, refusal.errors if refusal else (), request.GET)
    context = {"mapping": form, "by_hand": load.profile not in registry.CODES}
    asked = {"company": request.company, "load": load}
    try:
        form.ask(questions(**asked, mapping=form.mapping))
        asked |= {"mapping": form.mapping, "rate": reading.factor_of(form.rate, form.scale)}
        if load.profile in PROFILES:
            return context | {"preview": deals.preview(**asked)}
        context["preview"] = reads.preview(**asked, totals=form.questions.totals)
        form.offer_campaigns(context["preview"].names)
        if doubt := scale_doubt(company=request.company, load=load, rate=form.rate):
            form.doubt = doubt_sentence(request.company, doubt)
    except FileProblem as problem:
        context["unreadable"] = problems.file_sentence(problem)
    return context


def _load(request, pk: int) -> Import:
    load = reads.get_import(company=request.company, pk=pk)
    if load is None:
        raise Http404
    return load


def _may_enter(request) -> bool:
    return request.person.can(Permission.ENTER_FACTS)
