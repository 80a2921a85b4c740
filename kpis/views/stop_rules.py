"""Pages of stop-rules: the list, one with its log, the editor, the signature."""

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kpis.forms.stop_rules import StopRuleCreateForm, StopRuleUpdateForm
from kpis.selectors import stop_rules as reads
from kpis.selectors.measures import kpis_of
from kpis.selectors.rule_page import list_lines, rule_page
from kpis.services.stop_rules import approve_stop_rule, create_stop_rule, revise_stop_rule
from roles.permissions import Permission, allowed_somewhere, requires
from roles.refusals import Refused
from roles.views import acting, today


@requires(Permission.READ)
def stop_rule_list(request):
    context = {
        "lines": list_lines(company=request.company, person=request.person),
        "may_write": allowed_somewhere(request.person.hats, Permission.MANAGE_STOP_RULES),
    }
    return render(request, "kpis/stop_rule_list.html", context)


@requires(Permission.READ)
def stop_rule_detail(request, pk):
    return _detail(request, _rule(request, pk))


@requires(Permission.MANAGE_STOP_RULES, somewhere=True)
def stop_rule_create(request):
    form = StopRuleCreateForm(request, kpis=kpis_of(company=request.company))
    if form.attempt(create_stop_rule, **acting(request)):
        messages.success(request, _("The rule is written."))
        return redirect("kpis:stop-rule-detail", request.company.slug, form.result.pk)
    return render(request, "kpis/stop_rule_create.html", {"form": form}, status=form.status)


@requires(Permission.MANAGE_STOP_RULES, somewhere=True)
def stop_rule_update(request, pk):
    detail = _rule(request, pk)
    if not request.person.can(Permission.MANAGE_STOP_RULES, detail.latest.channel):
        raise PermissionDenied
    form = StopRuleUpdateForm(request, kpis=kpis_of(company=request.company), version=detail.latest)
    if form.attempt(revise_stop_rule, **acting(request), rule=detail.rule):
        messages.success(request, _("The new version is written; its state comes from replaying history."))
        return redirect("kpis:stop-rule-detail", request.company.slug, pk)
    context = {"form": form, "detail": detail}
    return render(request, "kpis/stop_rule_update.html", context, status=form.status)


@requires(Permission.SIGN_STOP_RULES)
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
