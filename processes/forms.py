"""Forms of `processes/`: signing with the fields of each choice, the second signature, withdrawing, closing an action."""

from datetime import datetime, timedelta

from django import forms
from django.utils.translation import gettext_lazy as _

from processes import deciders, signing
from processes.keeping import keep_choices
from processes.models import Choice, Decision, Review
from processes.terms import Terms, cuts_a_test
from processes.wording import kpi_name
from roles import formats, selectors
from roles.forms import AmountField, DayField, PeopleField, PercentField, RefusableForm
from roles.permissions import RoleKind

WEEK = timedelta(days=7)
WORDS = forms.Textarea(attrs={"rows": 3})


class DecisionSignForm(RefusableForm):
    """The choice with its own fields. What is missing or wrong is said by the service, at the field."""

    choice = forms.ChoiceField(label=_("Decision"), choices=Choice, required=False)
    keep = forms.MultipleChoiceField(label=_("What keeps running"), required=False, widget=forms.CheckboxSelectMultiple)
    resume_on = DayField(label=_("Return to the question"), required=False)
    until = DayField(label=_("Until which day"), required=False, help_text=_("Fourteen days at most."))
    extra_spend = AmountField(label=_("Or until extra spend of"), required=False, help_text=_("Whichever comes first."))
    assignee = PeopleField(label=_("Who rewrites"), required=False)
    due = DayField(label=_("By which day"), required=False)
    checker = PeopleField(label=_("Who checks"), required=False)
    budget = AmountField(label=_("New budget of the month"), required=False)
    reason = forms.CharField(
        label=_("Reason"), required=False, widget=WORDS,
        help_text=_("Why so, and what will change. Without a reason it cannot be signed."),
    )  # fmt: skip
    expected = forms.CharField(
        label=_("Expected effect"),
        required=False,
        max_length=300,
        help_text=_("What will change besides the figure."),
    )
    expected_value = AmountField(required=False)
    expected_on = DayField(
        label=_("When to look whether it came true"), required=False, help_text=_("On this day the review opens.")
    )
    evidence_seen = forms.BooleanField(label=_("I have read that the rule no longer fires"), required=False)

    def __init__(self, request, *, decision: Decision, at: datetime):
        today = request.company.local_date(at)
        initial = {
            "choice": decision.recommendation or Choice.STOP, "until": today + WEEK, "resume_on": today + 2 * WEEK,
            "due": today + timedelta(days=3),
        }  # fmt: skip
        super().__init__(request, initial=initial)
        self.decision = decision
        self.fields["assignee"].queryset = selectors.people(company=self.company)
        self._offer_checkers(decision, at)
        self._name_forecast(decision)
        self.fields["keep"].choices = keep_choices(decision=decision, person=self.person, at=at)
        if decision.campaign_id:
            self.fields["budget"].label = _("New budget of the campaign")
        elif cuts_a_test(decision):
            self.fields["budget"].label = _("New budget of the test")

    def _offer_checkers(self, decision: Decision, at: datetime) -> None:
        """Only an owner who runs the channel names one."""
        if not self.person.wears(RoleKind.OWNER):
            del self.fields["checker"]
            return
        people = deciders.around_at(decision, at)
        standing = deciders.standing_of(decision=decision, person=self.person, at=at, people=people)
        if standing.cosigner != signing.CHECKER:
            del self.fields["checker"]
            return
        found = deciders.cosigners(
            decision=decision, signer_id=self.person.pk, cosigner=signing.CHECKER, people=people
        )  # fmt: skip
        field = self.fields["checker"]
        field.queryset = selectors.people(company=self.company).filter(pk__in=[person.pk for person in found])
        outside = [person for person in people.outside_checkers(self.person.pk) if person in found]
        if len(outside or found) == 1:
            field.initial = (outside or found)[0].pk

    def _name_forecast(self, decision: Decision) -> None:
        """The figure is the rule's KPI, typed in its own unit: per cent where it is a share."""
        seen = decision.evidence
        if not seen:
            del self.fields["expected_value"]
            return
        lower = seen["rule"]["comparison"] == "above"
        if seen["kpi"]["unit"] == "share":
            self.fields["expected_value"] = PercentField(required=False)
        unit = {"money": formats.CURRENCIES.get(self.company.currency, self.company.currency), "share": "%"}
        text = _("%(kpi)s will be at most") if lower else _("%(kpi)s will be at least")
        words = (text % {"kpi": kpi_name(seen)}, unit.get(seen["kpi"]["unit"], ""))
        self.fields["expected_value"].label = ", ".join(word for word in words if word)

    @property
    def chosen(self) -> str:
        """The choice that stands in the form now."""
        return self["choice"].value()

    def signed(self) -> dict:
        """What was typed, as `sign_decision` takes it."""
        typed = self.cleaned_data
        terms = Terms(
            until=typed["until"], extra_spend=typed["extra_spend"], budget=typed["budget"], resume_on=typed["resume_on"],
            keep=[int(pk) for pk in typed["keep"]], assignee=typed["assignee"].pk if typed["assignee"] else None,
            checker=typed["checker"].pk if typed.get("checker") else None, due=typed["due"], expected=typed["expected"], expected_value=typed.get("expected_value"),
            expected_on=typed["expected_on"],
        )  # fmt: skip
        return {
            "choice": typed["choice"], "reason": typed["reason"], "terms": terms, "evidence_seen": typed["evidence_seen"],
        }  # fmt: skip


class DecisionCosignForm(RefusableForm):
    """The second signature; `approve` comes from the button that was pressed."""

    reason = forms.CharField(
        label=_("Your word"),
        required=False,
        widget=WORDS,
        help_text=_("Needed when you refuse: the signer will read it."),
    )


class DecisionWithdrawForm(RefusableForm):
    reason = forms.CharField(
        label=_("Why it is withdrawn"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2})
    )


class ReviewForm(RefusableForm):
    """What came of a decision: the verdict that the figures propose is chosen already, the words are the person's."""

    verdict = forms.ChoiceField(label=_("What came of it"), choices=Review.Outcome, required=False)
    note = forms.CharField(
        label=_("What the figures show"), required=False, max_length=4000, widget=WORDS,
        help_text=_("And what was learnt for the next time."),
    )  # fmt: skip

    @property
    def chosen(self) -> str:
        return self["verdict"].value()


class ActionCloseForm(RefusableForm):
    """What became of an action: done, dropped, or carried over to another day."""

    OUTCOMES = (("done", _("Done")), ("carry", _("Carry over")), ("drop", _("Drop")))

    outcome = forms.ChoiceField(label=_("What became of it"), choices=OUTCOMES, initial="done")
    due_on = DayField(label=_("New date"), required=False)
    note = forms.CharField(
        label=_("Note"), required=False, max_length=300, widget=forms.Textarea(attrs={"rows": 2}),
        help_text=_("Needed when it is dropped."),
    )  # fmt: skip

    def clean(self):
        typed = super().clean()
        if typed.get("outcome") == "carry" and typed.get("due_on") is None and "due_on" not in self.errors:
            self.add_error("due_on", _("Give the new date."))
        return typed


class ActionCreateForm(RefusableForm):
    """Something for somebody to do by a day."""

    text = forms.CharField(label=_("What is to be done"), max_length=400, widget=WORDS)
    owner = PeopleField(label=_("Who does it"))
    due_on = DayField(label=_("By which day"))
    channel = forms.ModelChoiceField(None, label=_("Channel"), required=False, empty_label="—", to_field_name="code")

    def __init__(self, request, **kwargs):
        super().__init__(request, **kwargs)
        self.fields["owner"].queryset = selectors.people(company=self.company)
        self.fields["channel"].queryset = selectors.channels(company=self.company)


class RoleReviewForm(RefusableForm):
    conclusion = forms.CharField(
        label=_("What you changed, or why everything stays"), widget=forms.Textarea(attrs={"rows": 3}), required=False
    )
