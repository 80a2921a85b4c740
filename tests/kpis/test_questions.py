"""What a file leaves open is asked before it is loaded, never guessed; and what the answers do."""

from datetime import date
from decimal import Decimal

import pytest
from django.urls import reverse

from kpis.importers.spans import span_in
from kpis.models import CampaignMatch, DailyFact, Import, UtmRule
from kpis.selectors import imports as reads
from kpis.selectors.questions import questions
from kpis.services import import_runs, imports
from kpis.services.answers import AnswersNeeded, ChannelsAreNotYours
from roles.models import Campaign, Channel

from .test_imports import NOW, facts, receive

PERIOD = "Отчёт за 01.11.2026 - 04.11.2026\n\nКампания;№ Кампании;Показы;Клики;Расход (руб.)\nБренд;101;400;8;10,00\nИтого;;400;8;10,00\n"
SPAN = {"first": "2026-11-01", "last": "2026-11-04"}
META = "Reporting starts,Reporting ends,Campaign name,Amount spent (RUB),Impressions\n2026-11-01,2026-11-03,Spring,9.00,1000\n"
BOTH = "date;channel;campaign;spend\n2026-11-18;vk;;30\n2026-11-18;vk;a;10\n2026-11-18;vk;b;20\n2026-11-17;vk;;7\n"


def confirm(made, load, by=None, mapping=None, **answers) -> Import:
    imports.confirm_import(
        company=made.company,
        by=by or made.analyst,
        at=NOW,
        load=load,
        mapping=mapping or dict.fromkeys(load.mapping, "vk"),
        answers=answers,
    )
    import_runs.run_due_imports(company=made.company, at=NOW)
    load.refresh_from_db()
    return load


def asked(made, load, **answers) -> list[str]:
    with pytest.raises(AnswersNeeded) as caught:
        confirm(made, load, **answers)
    assert not facts(made).exists()
    assert Import.objects.get(pk=load.pk).state == "preview"
    return [error.code for error in caught.value.errors]


def spend(made) -> dict:
    return dict(facts(made).order_by("day", "campaign_id").values_list("day", "spend"))


# ---------------------------------------------------------------- periods
def test_a_report_without_days_is_asked_for_its_period_and_then_spread_exactly(acme):
    load = receive(acme, PERIOD)

    assert asked(acme, load) == ["period_needed"]
    assert questions(company=acme.company, load=load).hint == (date(2026, 11, 1), date(2026, 11, 4))

    confirm(acme, load, **SPAN)

    assert (load.state, load.created) == ("done", 4)
    assert spend(acme) == {date(2026, 11, day): Decimal("2.5") for day in (1, 2, 3, 4)}


@pytest.mark.parametrize(
    ("last", "code"), [("2026-11-30", "period_not_over"), ("2026-10-01", "bad_period"), ("2029-01-01", "bad_period")]
)
def test_a_period_that_cannot_be_is_refused_in_words(acme, last, code):
    load = confirm(acme, receive(acme, PERIOD), first="2026-11-01", last=last)

    assert (load.state, [error["code"] for error in load.errors], facts(acme).count()) == ("failed", [code], 0)


def test_rows_of_several_days_are_spread_only_where_that_was_said(acme):
    load = receive(acme, META)

    assert asked(acme, load) == ["spread_needed"]

    confirm(acme, load, spread=True)
    assert spend(acme) == {date(2026, 11, day): Decimal(3) for day in (1, 2, 3)}


def test_the_answer_holds_for_the_next_file_of_the_source_but_a_period_does_not(acme):
    confirm(acme, receive(acme, META), spread=True)
    again = receive(acme, META.replace("9.00", "12.00"))
    confirm(acme, receive(acme, PERIOD), **SPAN)

    assert again.answers == {"spread": True}
    assert receive(acme, PERIOD.replace("400", "500")).answers == {}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("report_2026-04-01_2026-04-30.xlsx", (date(2026, 4, 1), date(2026, 4, 30))),
        ('"September 1, 2026 - September 30, 2026"', (date(2026, 9, 1), date(2026, 9, 30))),
        ("1 сентября 2026 г. - 20 сентября 2026 г.", (date(2026, 9, 1), date(2026, 9, 20))),
        ("# Start date: 20260801 # End date: 20260831", (date(2026, 8, 1), date(2026, 8, 31))),
        ("Report Start: 09/01/2026, Report End: 09/04/2026", None),
        ("Кампания № 12345678", None),
    ],
)
def test_the_period_is_read_from_the_title_or_the_name(text, found):
    assert span_in([text]) == found


# ---------------------------------------------------------------- the order of dates
def test_a_day_with_two_meanings_is_asked_and_read_as_answered(acme):
    load = receive(acme, "date;channel;spend\n03/04/2026;vk;1\n")

    assert asked(acme, load) == ["order_needed"]

    confirm(acme, load, order="mdy")
    assert list(spend(acme)) == [date(2026, 3, 4)]


def test_dates_of_deals_that_can_be_read_two_ways_are_asked(acme):
    content = (
        "Opportunity Name,Stage,Amount,Close Date,Created Date,Lead Source,Opportunity ID\n"
        "A,Closed Won,100,05/06/2026,03/04/2026,Web,o-1\n"
    )
    load = receive(acme, content)
    kinds = {"Closed Won": "won"}

    with pytest.raises(AnswersNeeded) as caught:
        confirm(acme, load, mapping=kinds)
    assert [error.code for error in caught.value.errors] == ["order_needed"]

    confirm(acme, load, mapping=kinds, order="dmy")
    assert load.state == "done"
    assert (load.first_day, load.last_day) == (date(2026, 6, 5), date(2026, 6, 5))


# ---------------------------------------------------------------- totals beside campaigns
def test_totals_beside_campaigns_are_asked(acme):
    load = receive(acme, BOTH)

    assert asked(acme, load) == ["totals_needed"]
    doubt = questions(company=acme.company, load=load).totals
    assert (len(doubt.scopes), doubt.is_equal, doubt.plain) == (1, True, 30.0)


@pytest.mark.parametrize(("answer", "sum_of_day", "created"), [("campaigns", 30, 3), ("both", 60, 4)])
def test_the_answer_says_whether_they_count(acme, answer, sum_of_day, created):
    load = receive(acme, BOTH)
    load.answers = {"totals": answer}
    seen = reads.preview(company=acme.company, load=load, totals=questions(company=acme.company, load=load).totals)

    confirm(acme, load, totals=answer)

    day = facts(acme).filter(day=date(2026, 11, 18))
    assert (load.state, load.created, seen.fresh) == ("done", created, created)
    assert sum(day.values_list("spend", flat=True)) == sum_of_day


def test_campaigns_after_totals_of_the_same_source_clear_them_and_undoing_gives_them_back(acme):
    confirm(acme, receive(acme, "date;channel;campaign;spend;leads\n2026-11-18;vk;;30;5\n"))
    load = receive(acme, "date;channel;campaign;spend\n2026-11-18;vk;a;10\n2026-11-18;vk;b;20\n")
    with pytest.raises(AnswersNeeded):
        confirm(acme, load)

    confirm(acme, load, totals="campaigns")

    assert (load.created, load.changed) == (2, 1)
    assert sum(fact.spend or 0 for fact in facts(acme)) == 30
    assert facts(acme).get(campaign_id=0).leads == 5, "what the file does not give stays"
    imports.undo_import(company=acme.company, by=acme.analyst, at=NOW, load=load)
    assert [fact.spend for fact in facts(acme)] == [30]


def test_totals_far_down_a_long_file_stop_the_load_instead_of_being_added(acme, monkeypatch):
    monkeypatch.setattr("kpis.selectors.questions.READ", 1)

    load = confirm(acme, receive(acme, BOTH))

    assert (load.state, load.errors[0]["code"], facts(acme).count()) == ("failed", "totals_beside_campaigns", 0)


# ---------------------------------------------------------------- campaigns and channels
def test_a_campaign_is_matched_by_name_and_remembered(acme):
    mine = Campaign.objects.create(company=acme.company, channel=acme.vk, external_id="brand", name="Бренд")
    content = "date;channel;campaign;campaign name;spend\n2026-11-18;vk;77;бренд;5\n2026-11-18;vk;78;Кухни;6\n"

    confirm(acme, receive(acme, content))
    confirm(acme, receive(acme, "date;channel;campaign;spend\n2026-11-17;vk;77;9\n"))

    assert facts(acme).filter(campaign_id=mine.pk).count() == 2
    assert list(Campaign.objects.order_by("pk").values_list("external_id", flat=True)) == ["brand", "78"]
    assert CampaignMatch.objects.get().external_id == "77"


def test_two_campaigns_of_one_name_in_a_source_stay_two(acme):
    confirm(acme, receive(acme, "date;channel;campaign;campaign name;spend\n2026-11-18;vk;1;Бренд;5\n"))
    confirm(acme, receive(acme, "date;channel;campaign;campaign name;spend\n2026-11-18;vk;2;Бренд;6\n"))

    assert Campaign.objects.count() == 2


def test_a_campaign_is_matched_by_the_utm_rule_that_names_it_and_a_choice_comes_first(acme):
    one, other = (Campaign.objects.create(company=acme.company, channel=acme.vk, external_id=x, name=x) for x in "xy")
    UtmRule.objects.create(
        company=acme.company, channel=acme.vk, utm_campaign="Osen", campaigns="one", campaign=one, created_at=NOW
    )
    content = "date;channel;campaign;spend\n2026-11-18;vk;osen;5\n"
    load = receive(acme, content)
    assert reads.preview(company=acme.company, load=load).names.matched == {
        (acme.vk.pk, "osen"): (one.pk, "osen", "utm")
    }

    confirm(acme, load, campaigns={"vk:osen": other.pk})

    assert facts(acme).get().campaign_id == other.pk


NEW = "date;channel;spend\n2026-11-18;Дзен;5\n"
PLAN = {"Дзен": {"name": "Дзен", "kind": "paid", "owner": ""}}


def test_a_channel_is_made_with_the_load_and_not_before(acme):
    load = receive(acme, NEW)
    plan = {"Дзен": PLAN["Дзен"] | {"owner": acme.owner.pk}}
    imports.choose_channels(
        company=acme.company, by=acme.owner, at=NOW, load=load, mapping={"Дзен": "+"}, answers={"channels": plan}
    )
    load.refresh_from_db()
    assert reads.preview(company=acme.company, load=load).fresh == 1
    assert not Channel.objects.filter(name="Дзен").exists()

    confirm(acme, load, by=acme.owner, mapping={"Дзен": "+"})

    made = Channel.objects.get(name="Дзен")
    assert (made.code, made.kind, made.owner, load.mapping) == ("dzen", "paid", acme.owner, {"Дзен": "dzen"})
    assert facts(acme).get().channel == made
    assert receive(acme, NEW.replace("5", "6")).mapping == {"Дзен": "dzen"}


def test_a_new_channel_needs_a_kind_an_owner_and_the_right(acme):
    load = receive(acme, NEW)

    with pytest.raises(AnswersNeeded) as caught:
        confirm(acme, load, by=acme.owner, mapping={"Дзен": "+"}, channels=PLAN)
    assert [error.field for error in caught.value.errors] == ["Дзен"]
    with pytest.raises(ChannelsAreNotYours):
        confirm(acme, load, mapping={"Дзен": "+"}, channels=PLAN)
    assert not DailyFact.objects.exists()
    assert not Channel.objects.filter(name="Дзен").exists()


def test_the_page_asks_and_takes_the_answers(acme, client):
    client.force_login(acme.owner.user)
    load = receive(acme, BOTH.replace("vk", "Дзен"))
    page = reverse("kpis:import-detail", args=["acme", load.pk])
    act = reverse("kpis:import-confirm", args=["acme", load.pk])
    plan = {"channel-0": "+", "channel-0-name": "Дзен", "channel-0-kind": "paid", "channel-0-owner": acme.owner.pk}

    client.post(act, plan | {"act": "preview"})
    shown = client.get(page).content.decode()
    assert "похоже на итоги" in shown
    assert 'value="load"' not in shown
    assert not Channel.objects.filter(name="Дзен").exists()
    client.post(act, plan | {"act": "preview", "totals": "campaigns"})
    assert 'value="load"' in client.get(page).content.decode()
    client.post(act, plan | {"act": "load", "totals": "campaigns"})

    load.refresh_from_db()
    assert (load.state, load.mapping, load.answers["totals"]) == ("queued", {"Дзен": "dzen"}, "campaigns")


def test_the_page_asks_for_the_period_and_takes_it_only_when_ticked(acme, client):
    client.force_login(acme.analyst.user)
    load = receive(acme, PERIOD)
    act = reverse("kpis:import-confirm", args=["acme", load.pk])
    said = {"channel-0": "vk", "asked-period": "1", **SPAN, "act": "preview"}

    client.post(act, said)
    load.refresh_from_db()
    assert load.answers == {}
    client.post(act, said | {"period": "1"})

    load.refresh_from_db()
    assert load.answers == SPAN
    assert 'value="load"' in client.get(reverse("kpis:import-detail", args=["acme", load.pk])).content.decode()
