"""UTM rules with what none of them fits, and the meaning of a CRM's stages."""

from django.contrib import messages
from django.http import Http404
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from kpis.forms.deals import StagesForm, UtmRuleForm
from kpis.models import DealStage
from kpis.selectors import deals as reads
from kpis.selectors import sources
from kpis.services import utm_rules as writes
from roles import selectors
from roles.permissions import Permission, requires
from roles.refusals import Refused
from roles.views import acting

NAMES = ("utm_source", "utm_medium", "utm_campaign", "utm_content", "channel", "campaigns", "priority")


@requires(Permission.READ)
def utm_rule_list(request):
    rules = list(reads.utm_rules(company=request.company))
    used = reads.rule_use(company=request.company, rules=rules)
    context = {
        "rules": [(rule, used[rule.pk]) for rule in rules],
        "unmatched": reads.unmatched(company=request.company),
        "recounts": reads.recounts(company=request.company),
        "sources": reads.sources_with_deals(company=request.company),
        "channels": selectors.channels(company=request.company),
        "may_enter": request.person.can(Permission.ENTER_FACTS),
        "sees_money": request.person.can(Permission.VIEW_MONEY),
    }
    return render(request, "kpis/utm_rule_list.html", context)


@requires(Permission.ENTER_FACTS)
def utm_rule_create(request):
    form = UtmRuleForm(request, initial={name: request.GET[name] for name in NAMES if name in request.GET})
    if form.attempt(writes.save_rule, **acting(request)):
        _say(request, _("The rule is there."), form.result.sources)
        return redirect("kpis:utm-rule-list", request.company.slug)
    return render(request, "kpis/utm_rule_create.html", {"form": form}, status=form.status)


@requires(Permission.ENTER_FACTS)
def utm_rule_update(request, pk):
    rule = _rule(request, pk)
    initial = {name: getattr(rule, name) for name in NAMES} | {
        "campaign": rule.campaign.external_id if rule.campaign else ""
    }
    form = UtmRuleForm(request, initial=initial)
    if form.attempt(writes.save_rule, **acting(request), rule=rule):
        _say(request, _("The rule is changed."), form.result.sources)
        return redirect("kpis:utm-rule-list", request.company.slug)
    return render(request, "kpis/utm_rule_update.html", {"form": form, "rule": _rule(request, pk)}, status=form.status)


@requires(Permission.ENTER_FACTS)
@require_POST
def utm_rule_delete(request, pk):
    done = writes.delete_rule(**acting(request), rule=_rule(request, pk))
    _say(request, _("The rule is removed."), done.sources)
    return redirect("kpis:utm-rule-list", request.company.slug)


@requires(Permission.ENTER_FACTS)
def source_stages(request, code):
    source = sources.get_source(company=request.company, code=code)
    if source is None:
        raise Http404
    data, refusal = (request.POST if request.method == "POST" else None), None
    form = StagesForm(source, reads.stages_of(source=source), data)
    if data is not None:
        try:
            done = writes.set_stages(
                **acting(request), source=source, kinds=form.kinds, counts_every_deal=form.counts_every_deal
            )
        except Refused as error:
            refusal = error
        else:
            _say(request, _("The stages are kept."), done.sources)
            return redirect("kpis:utm-rule-list", request.company.slug)
    context = {"source": source, "form": form, "kinds": DealStage.Kind.choices, "refusal": refusal}
    return render(request, "kpis/source_stages.html", context, status=refusal.status if refusal else 200)


def _rule(request, pk: int):
    rule = reads.get_utm_rule(company=request.company, pk=pk)
    if rule is None:
        raise Http404
    return rule


def _say(request, what: str, sources: int) -> None:
    follows = _("The figures of the deals follow within a minute: the page shows how far they are.")
    messages.success(request, f"{what} {follows}" if sources else what)
