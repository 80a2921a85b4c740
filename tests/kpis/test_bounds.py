"""Budgets that a rule reads: a reason for every change, states by the new bounds, and a channel's budget of a test."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from kpis.models import Breach, Evaluation
from kpis.services.stop_rules import create_stop_rule
from roles.models import AuditEvent, Campaign, Channel
from roles.refusals import Refused
from roles.services.campaigns import update_campaign
from roles.services.channels import update_channel
from tests.processes.conftest import NOW, TODAY, sign
from tests.processes.test_windows import evaluate, fact, post  # noqa: F401


def rule(made, **terms):
    values = {"name": "Бюджет", "window": "budget", "channel": made.vk, "action": "cut"} | terms
    return create_stop_rule(company=made.company, by=made.cmo, at=NOW, **values)


def change(made, reason="", **fields):
    return update_channel(
        company=made.company, by=made.pm, at=NOW, today=TODAY, channel=made.vk, reason=reason, **fields
    )


@pytest.mark.parametrize("name", ["monthly_budget", "test_budget", "tolerance", "stop_loss"])
def test_what_a_rule_reads_changes_with_a_reason_only(post, name):  # noqa: F811
    change(post, **{name: Decimal(5)})  # nobody reads it yet
    rule(post)
    Evaluation.objects.all().delete()
    with pytest.raises(Refused) as refused:
        change(post, **{name: Decimal(7)})
    assert refused.value.errors[0].field == "reason"
    assert getattr(Channel.objects.get(pk=post.vk.pk), name) == 5

    change(post, reason="Добавили бренд", **{name: Decimal(7)})
    assert AuditEvent.objects.filter(verb="update_channel").latest("pk").reason == "Добавили бренд"
    assert Evaluation.objects.get().dirty_from == TODAY
    change(post, name="ВК")  # the rest goes as before


def test_a_campaigns_budget_is_read_by_rules_of_campaigns(post):  # noqa: F811
    campaign = Campaign.objects.create(company=post.company, channel=post.vk, external_id="a", name="a")
    common = {"company": post.company, "by": post.pm, "at": NOW, "campaign": campaign}
    rule(post)
    update_campaign(**common, budget=Decimal(5))
    rule(post, per="campaign", period="test")
    with pytest.raises(Refused):
        update_campaign(**common, budget=Decimal(7))
    update_campaign(**common, budget=Decimal(7), reason="Больше охват")


def test_a_wider_budget_is_replayed_as_a_new_version_is(post):  # noqa: F811
    Channel.objects.filter(pk=post.vk.pk).update(monthly_budget=Decimal(100_000))
    rule(post)
    for day in range(1, 20):
        fact(post, date(2026, 11, day), channel=post.vk, spend=6_500)
    assert evaluate(post).decisions
    post.vk.refresh_from_db()
    change(post, reason="Согласовали", monthly_budget=Decimal(200_000))
    evaluate(post)

    assert Breach.objects.get().closed_as == "gone"


def test_a_channel_has_a_budget_of_its_test(post):  # noqa: F811
    change(post, monthly_budget=Decimal(900_000), test_budget=Decimal(100_000))
    rule(post, period="test")
    for day in range(1, 20):
        fact(post, date(2026, 11, day), channel=post.vk, spend=6_500)
    [decision] = evaluate(post).decisions
    assert decision.evidence["bounds"]["budget"] == "100000"
    sign(post, choice="cut", decision=decision, budget=Decimal(50_000))

    channel = Channel.objects.get(pk=post.vk.pk)
    assert (channel.test_budget, channel.monthly_budget) == (50_000, 900_000)


def test_the_form_asks_for_the_reason_at_its_field(post, sign_in):  # noqa: F811
    rule(post)
    page = reverse("roles:channel-update", args=[post.company.slug, post.vk.code])
    browser = sign_in(post.pm)
    form = browser.get(page).context["form"]
    typed = {name: form[name].value() or "" for name in form.fields} | {"monthly_budget": "70000"}
    answer = browser.post(page, typed)

    assert (answer.status_code, "reason" in answer.context["form"].errors) == (400, True)
    assert browser.post(page, typed | {"reason": "Сезон"}).status_code == 302
