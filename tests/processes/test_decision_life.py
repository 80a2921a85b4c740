"""A random life of decisions: figures, late figures, days, people who sign, refuse, withdraw and review, in any order.

Whatever happens: one undecided question per rule and scope; what is sealed never changes; the author never gives the second
signature; nothing takes effect while it waits; time alone signs nothing; every fresh breach that fires has its question.
"""

import os
from datetime import date, datetime, timedelta
from decimal import Decimal

import pytest
from django.db import transaction
from django_scopes import scopes_disabled
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from kpis.evaluation import evaluate_company
from kpis.models import Breach, DailyFact, Verdict
from processes import reviews, sealing, services
from processes.models import Action, Decision, Review, Signature
from processes.terms import Terms
from roles.models import Channel
from roles.refusals import Refused
from roles.services.channels import update_channel
from tests.conftest import make_company

from .road import BAD, GOOD, Road

NIGHTLY = os.environ.get("HYPOTHESIS_PROFILE") == "nightly"
EXAMPLES, STEPS = (120, 60) if NIGHTLY else (8, 14)
PEOPLE = ("owner", "cmo", "pm", "analyst", "performance", "content")
FRESH = timedelta(days=7)

people = st.sampled_from((*PEOPLE, "cmo", "cmo"))


class DecisionLife(RuleBasedStateMachine):
    """Runs inside a transaction of its own that is rolled back at the end of each life."""

    def __init__(self):
        super().__init__()
        self.scopes = scopes_disabled()
        self.scopes.__enter__()
        self.atomic = transaction.atomic()
        self.atomic.__enter__()
        self.made = make_company("life")
        self.road, self.company = Road(self.made), self.made.company
        self.today, self.hour = 17, 7
        self.sealed: dict[int, dict] = {}

    def teardown(self):
        transaction.set_rollback(True)
        self.atomic.__exit__(None, None, None)
        self.scopes.__exit__(None, None, None)

    # -------------------------------------------------------------- the world
    @initialize(run_by_the_director=st.booleans())
    def begin(self, run_by_the_director):
        """Fourteen good days and three bad ones; the director may run the channel and then cannot prolong it alone."""
        if run_by_the_director:
            Channel.objects.filter(pk=self.made.vk.pk).update(owner=self.made.cmo)
            self.made.vk.refresh_from_db()
        for offset in range(17):
            self._load(offset, GOOD if offset < 14 else BAD)
        self._pass()

    @property
    def now(self) -> datetime:
        return self.road.at(self.today, self.hour)

    def _load(self, offset: int, cpa: int | None, leads: int = 8) -> None:
        if cpa is None or not self._channel().is_running:
            return
        DailyFact.objects.update_or_create(
            company=self.company, day=self.road.day(offset), channel=self.made.vk, campaign_id=0, source=self.road.source,
            defaults={"load_id": 0, "spend": Decimal(cpa * 8), "qualified_leads": Decimal(leads)},
        )  # fmt: skip

    def _channel(self) -> Channel:
        return Channel.objects.get(pk=self.made.vk.pk)

    def _decisions(self):
        return Decision.objects.filter(company=self.company)

    def _pass(self) -> None:
        """What the pipeline does with decisions; it may open, withdraw by itself and review, but never sign."""
        signed = set(self._decisions().exclude(seal="").values_list("pk", flat=True))
        signatures = Signature.objects.filter(company=self.company).count()
        at = self.now
        evaluate_company(company=self.company, at=at, today=self.company.local_date(at))
        services.open_decisions(company=self.company, at=at)
        reviews.follow_up(company=self.company, at=at)
        assert set(self._decisions().exclude(seal="").values_list("pk", flat=True)) == signed
        assert Signature.objects.filter(company=self.company).count() == signatures
        self._every_breach_has_its_question()
        self._missed_deadlines_are_noted()

    def _every_breach_has_its_question(self) -> None:
        today = self.company.local_date(self.now)
        for breach in Breach.objects.filter(company=self.company, closed_on=None, muted=False, held_by=None):
            newest = date.fromisoformat(breach.days[-1])
            if not self._channel().is_running or (breach.found_late and today - newest >= FRESH):
                continue
            rows = list(self._decisions().filter(breach=breach).order_by("round"))
            undecided = [row for row in rows if row.is_open]
            assert len(undecided) == 1 or (not undecided and rows and rows[-1].state == "signed"), (breach, rows)

    def _missed_deadlines_are_noted(self) -> None:
        late = self._decisions().filter(state__in=Decision.UNDECIDED, deadline_at__lte=self.now)
        assert not late.filter(awaited=None).exists()

    # -------------------------------------------------------------- what may happen
    @rule(days=st.integers(2, 5))
    def good_days_go_by(self, days):
        self._days_go_by(GOOD, days)

    @rule(days=st.integers(2, 5))
    def bad_days_go_by(self, days):
        self._days_go_by(BAD, days)

    @rule(days=st.integers(1, 4))
    def days_without_figures_go_by(self, days):
        self._days_go_by(None, days)

    def _days_go_by(self, cpa: int | None, days: int) -> None:
        """Their figures come together and one pass looks at them: a worker may rest for days."""
        for offset in range(self.today, self.today + days):
            self._load(offset, cpa)
        self.today += days
        self._pass()

    @rule(back=st.integers(1, 9), leads=st.sampled_from([2, 8, 20]))
    def late_figures_come(self, back, leads):
        self._load(self.today - back, BAD, leads)
        self._pass()

    @precondition(lambda self: self._decisions().filter(state__in=Decision.UNDECIDED).exists())
    @rule(
        who=people, choice=st.sampled_from(["stop", "continue", "continue", "rewrite", "cut", "false_alarm"]),
        days=st.integers(1, 6), by_spend=st.booleans(), seen=st.booleans(),
    )  # fmt: skip
    def somebody_signs(self, who, choice, days, by_spend, seen):
        decision = self._decisions().filter(state__in=Decision.UNDECIDED).latest("pk")
        day = self.company.local_date(self.now) + timedelta(days=days)
        terms = Terms(
            until=day, extra_spend=Decimal(90_000) if by_spend else None, due=day, assignee=self.made.content.pk,
            budget=Decimal(1000), expected_value=Decimal(3000), expected_on=day,
        )  # fmt: skip
        self._try(
            services.sign_decision, who, decision=decision, choice=choice, reason="Так решили", terms=terms,
            evidence_seen=seen,
        )  # fmt: skip

    @precondition(lambda self: self._decisions().filter(state="waiting_cosign").exists())
    @rule(who=st.sampled_from(["owner", "cmo", "pm"]), approve=st.booleans())
    def somebody_signs_second(self, who, approve):
        decision = self._decisions().filter(state="waiting_cosign").latest("pk")
        self._try(services.cosign_decision, who, decision=decision, approve=approve, reason="Так")

    @precondition(lambda self: self._decisions().filter(state__in=Decision.UNDECIDED).exists())
    @rule(who=people)
    def somebody_withdraws(self, who):
        decision = self._decisions().filter(state__in=Decision.UNDECIDED).latest("pk")
        self._try(services.withdraw_decision, who, decision=decision, reason="Данные уточнены")

    @precondition(lambda self: Review.objects.filter(company=self.company, state="open").exists())
    @rule(who=people, verdict=st.sampled_from(Review.Outcome.values))
    def somebody_reviews(self, who, verdict):
        review = Review.objects.filter(company=self.company, state="open").earliest("pk")
        self._try(reviews.close_review, who, review=review, verdict=verdict, note="Вывод")

    @precondition(lambda self: Action.objects.filter(company=self.company, kind="rewrite", accepted_by=None).exists())
    @rule()
    def the_rewrite_is_accepted(self):
        action = Action.objects.filter(company=self.company, kind="rewrite", accepted_by=None).latest("pk")
        self._try(services.close_action, "content", action=action)
        self._try(services.accept_rewrite, "owner", action=action)

    @precondition(lambda self: not self._channel().is_running)
    @rule()
    def the_channel_runs_again(self):
        update_channel(
            company=self.company, by=self.made.pm, at=self.now, today=self.company.local_date(self.now),
            channel=self._channel(), status="active", reason="Готово",
        )  # fmt: skip
        self._pass()

    def _try(self, service, who: str, **asked) -> None:
        """Do it as this person; a refusal must leave everything as it was."""
        before = self._everything()
        try:
            with transaction.atomic():
                service(company=self.company, by=getattr(self.made, who), at=self.now, **asked)
        except Refused:
            assert self._everything() == before

    def _everything(self) -> list:
        models = (Decision, Signature, Action, Verdict, Review, Breach, Channel)
        return [list(model.objects.filter(company=self.company).order_by("pk").values()) for model in models]

    # -------------------------------------------------------------- what always holds
    @invariant()
    def one_question_per_rule_and_scope(self):
        rows = self._decisions().filter(state__in=Decision.UNDECIDED)
        scopes = list(rows.values_list("breach__rule_id", "channel_id", "campaign_id"))
        assert len(scopes) == len(set(scopes))

    @invariant()
    def what_is_sealed_never_changes(self):
        for row in self._decisions().exclude(seal=""):
            values = {field.attname: getattr(row, field.attname) for field in row._meta.concrete_fields}
            assert self.sealed.setdefault(row.pk, values) == values
            assert sealing.is_intact(row)
        assert set(self.sealed) <= set(self._decisions().values_list("pk", flat=True))

    @invariant()
    def the_author_is_never_the_second(self):
        parts: dict[tuple, set] = {}
        for row in Signature.objects.filter(company=self.company).exclude(part="refuse"):
            parts.setdefault((row.decision_id, row.attempt), set()).add((row.part, row.person_id))
        for signed in parts.values():
            assert len({person for _part, person in signed}) == len(signed)

    @invariant()
    def what_needs_two_has_two(self):
        """In force with a second signature where one was needed, and never with one where none was."""
        for row in self._decisions().exclude(seal=""):
            parts = list(row.signatures.filter(attempt=row.attempt).order_by("pk").values_list("part", flat=True))
            assert parts == (["sign", "cosign"] if row.cosigner else ["sign"])

    @invariant()
    def nothing_takes_effect_while_it_waits(self):
        signed = self._decisions().exclude(seal="")
        assert set(signed.values_list("state", flat=True)) <= {"signed"}
        verdicts = Verdict.objects.filter(company=self.company).exclude(kind="resume")
        assert verdicts.count() == signed.count()
        assert set(Action.objects.filter(company=self.company).values_list("decision", flat=True)) == set(
            signed.values_list("pk", flat=True)
        )
        if not self._channel().is_running:
            assert signed.filter(choice="stop").exists()

    @invariant()
    def a_done_review_has_a_judge_who_may_decide(self):
        judges = Review.objects.filter(company=self.company, state="done").values_list("reviewed_by", flat=True)
        assert set(judges) <= {self.made.owner.pk, self.made.cmo.pk}

    @invariant()
    def one_review_on_its_day_per_decision(self):
        due = list(Review.objects.filter(company=self.company, kind="due").values_list("decision", flat=True))
        assert len(due) == len(set(due))


@pytest.mark.django_db
def test_any_life_of_decisions_keeps_its_promises():
    checks = [HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large]
    run_state_machine_as_test(
        DecisionLife,
        settings=settings(
            max_examples=EXAMPLES, stateful_step_count=STEPS, deadline=None, suppress_health_check=checks, derandomize=not NIGHTLY,
        ),
    )  # fmt: skip
