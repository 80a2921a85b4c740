"""Pages of stop-rules: the list, one with its log, the editor, the signature."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kpis.forms.stop_rules import StopRuleCreateForm, StopRuleUpdateForm
from kpis.rule_terms import TERMS
from kpis.selectors import stop_rules as reads
from kpis.selectors.backtest import Draft
from kpis.selectors.backtest_editor import draft_of, editor_page
from kpis.selectors.measures import kpis_of
from kpis.selectors.rule_page import list_lines, rule_page, waits_for
from kpis.services.rule_companions import create_with_companion
from kpis.services.rule_drafts import draft_rule
from kpis.services.stop_rules import approve_stop_rule, revise_stop_rule
from roles.permissions import Permission, allowed_somewhere, requires
from roles.refusals import Refused
from roles.views import acting, today


@requires(Permission.READ)
def stop_rule_list(request):
    context = {
        "lines": list_lines(company=request.company, person=request.person, today=today(request)),
        "may_write": allowed_somewhere(request.person.hats, Permission.MANAGE_STOP_RULES),
    }
    return render(request, "kpis/stop_rule_list.html", context)


@requires(Permission.READ)
def stop_rule_detail(request, pk):
    return _detail(request, _rule(request, pk))


@requires(Permission.MANAGE_STOP_RULES, somewhere=True)
def stop_rule_create(request):
    form = StopRuleCreateForm(request, kpis=kpis_of(company=request.company))
    if not form.is_trial and form.attempt(create_with_companion, **acting(request)):
        messages.success(request, _("The rule is written."))
        return redirect("kpis:stop-rule-detail", request.company.slug, form.result.pk)
    return _editor(request, form, "kpis/stop_rule_create.html", _tried(request, form))


@requires(Permission.MANAGE_STOP_RULES, somewhere=True)
def stop_rule_update(request, pk):
    detail = _rule(request, pk)
    if not request.person.can(Permission.MANAGE_STOP_RULES, detail.latest.channel):
        raise PermissionDenied
    form = StopRuleUpdateForm(request, kpis=kpis_of(company=request.company), version=detail.latest)
    if not form.is_trial and form.attempt(revise_stop_rule, **acting(request), rule=detail.rule):
        messages.success(request, _("The new version is written; its state comes from replaying history."))
        return redirect("kpis:stop-rule-detail", request.company.slug, pk)
    draft = _tried(request, form) if form.is_bound else draft_of(company=request.company, version=detail.latest)
    return _editor(request, form, "kpis/stop_rule_update.html", draft, detail)


def _tried(request, form) -> Draft | None:
    """The rule that the fields make, when it is only to be tried; what is wrong with them stands in the form."""
    if not form.is_trial or not form.is_valid():
        return None
    terms = {name: value for name, value in form.cleaned_data.items() if name in TERMS}
    try:
        return draft_rule(company=request.company, by=request.person, today=today(request), **terms)
    except Refused as refusal:
        form.show(refusal)
        return None


def _editor(request, form, template: str, draft: Draft | None, detail: reads.RuleDetail | None = None):
    """The page of the editor; of a trial by a script only what is beside the fields."""
    page = editor_page(
        company=request.company, person=request.person, today=today(request), asked=form.asked, draft=draft, beside=detail,
        problems=form.problems() if form.is_trial else [],
    )  # fmt: skip
    probe = draft.version if draft else detail.latest if detail else form.asked.version
    waits = waits_for(
        company=request.company, person=request.person, version=probe, today=today(request), before=detail
    )
    context = {
        "form": form,
        "page": page,
        "detail": detail,
        "waits": waits,
        "is_part": bool(request.htmx) and form.is_trial,
    }
    if context["is_part"]:
        return render(request, "kpis/_rule_trial.html", context)
    return render(request, template, context, status=200 if form.is_trial else form.status)


@requires(Permission.MANAGE_STOP_RULES)
@require_POST
def stop_rule_approve(request, pk):
    detail = _rule(request, pk)
    try:
        approve_stop_rule(**acting(request), rule=detail.rule)
    except Refused as refusal:
        return _detail(request, detail, refusal)
    messages.success(request, _("The rule is in force."))
    return redirect("kpis:stop-rule-detail", request.company.slug, pk)


def _rule(request, pk) -> reads.RuleDetail:
    detail = reads.get_rule(company=request.company, pk=pk)
    if detail is None:
        raise Http404
    return detail


def _detail(request, detail: reads.RuleDetail, refusal: Refused | None = None):
    page = rule_page(
        company=request.company, person=request.person, detail=detail, today=today(request),
        scope=request.GET.get("scope", ""),
    )  # fmt: skip
    context = {"page": page, "rule": detail.rule, "version": detail.version, "refusal": refusal}
    return render(request, "kpis/stop_rule_detail.html", context, status=refusal.status if refusal else 200)
