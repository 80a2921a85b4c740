"""The forms of a weekly report: the plan, the fact, and the reviewer's note. They shape what was typed; services judge it."""

import secrets
from decimal import Decimal, InvalidOperation

from django import forms
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _

from processes.services import MOST_CARRIES
from reports import filing
from reports.filing import ActionDraft, FactDraft, ItemDraft, PlanDraft, Promise
from reports.models import WeeklyReport
from roles.formats import MINUS
from roles.refusals import Refused

HUNDRED = Decimal(100)
LARGEST = Decimal("9e12")
LONGEST = 30


class FigureField(forms.Field):
    """A figure as people type it: `217 000`, `1 234,5`, `0,8 %`. Shares are typed in per cent and kept as shares."""

    def __init__(self, *, unit: str = "number", **kwargs):
        self.unit = unit
        super().__init__(required=False, **kwargs)
        self.widget.attrs |= {"inputmode": "decimal", "autocomplete": "off", "class": "input input-num"}

    def prepare_value(self, value):
        if not isinstance(value, Decimal):
            return value
        shown = value * HUNDRED if self.unit == "share" else value
        text = f"{shown.normalize():f}"
        return text.replace(".", ",") if get_language().startswith("ru") else text

    def to_python(self, value) -> Decimal | None:
        text = "".join(str(value or "").split()).rstrip("%₽$€").replace(",", ".").replace(MINUS, "-")
        if not text:
            return None
        wrong = forms.ValidationError(_("Write a number, for example 120 or 3,5."), code="invalid")
        try:
            number = Decimal(text[:LONGEST])
        except InvalidOperation as error:
            raise wrong from error
        if not number.is_finite() or abs(number) > LARGEST or len(text) > LONGEST:
            raise wrong
        return number / HUNDRED if self.unit == "share" else number


class ReportForm(forms.Form):
    """What the forms share: the version read, the name of the open page, and refusals shown at their fields."""

    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
    tab = forms.CharField(widget=forms.HiddenInput, required=False, max_length=20)

    def __init__(self, *args, report: WeeklyReport, **kwargs):
        self.report = report
        kwargs["initial"] = {"version": report.version, "tab": secrets.token_hex(6), **kwargs.get("initial", {})}
        super().__init__(*args, **kwargs)
        self.fields["tab"].widget.attrs["autocomplete"] = "off"
        self.fields["version"].widget.attrs["autocomplete"] = "off"

    def field_of(self, name: str, index: int | None) -> str | None:
        """The form's field for a refusal's field; None shows the message above the form."""
        return name if name in self.fields else None

    def refuse(self, refusal: Refused) -> None:
        """Show a service's refusal: each error at its field, the rest (and the sentence itself) above."""
        self.is_valid()
        # Places first: a field with an error loses its cleaned value, and the rows would be counted differently.
        places = [self.field_of(error.field, error.index) for error in refusal.errors]
        for place, error in zip(places, refusal.errors, strict=True):
            self.add_error(place, error.message)
        if not refusal.errors:
            self.add_error(None, refusal.message)


class PlanForm(ReportForm):
    """Planned figures by measure, five items, and (after the deadline) the reason for a change."""

    reason = forms.CharField(
        label=gettext_lazy("Why the plan changes"), required=False, max_length=300,
        help_text=gettext_lazy("The plan is frozen since its deadline: the new figure stands beside the old one."),
    )  # fmt: skip

    def __init__(self, *args, lines, items, **kwargs):
        self.lines = lines
        initial = {f"plan-{line.measure}": line.planned for line in lines}
        for index, item in enumerate(items):
            initial |= {
                f"item-{index}-text": item.text, f"item-{index}-expected": item.expected,
                f"item-{index}-clause": item.clause,
            }  # fmt: skip
        super().__init__(*args, initial=initial, **kwargs)
        for line in lines:
            self.fields[f"plan-{line.measure}"] = FigureField(unit=line.unit, label=line.name)
        for index in range(filing.MOST_ITEMS):
            self.fields[f"item-{index}-text"] = forms.CharField(
                label=_("What we will do"), required=False, max_length=200
            )
            self.fields[f"item-{index}-expected"] = FigureField(label=_("Number expected"))
            self.fields[f"item-{index}-clause"] = forms.CharField(
                label=_("What it serves: clause of the strategy or hypothesis"), required=False, max_length=120
            )

    @property
    def figure_rows(self) -> list[tuple]:
        return [(line, self[f"plan-{line.measure}"]) for line in self.lines]

    def _items(self) -> list[tuple]:
        parts = ("text", "expected", "clause")
        return [(i + 1, *(self[f"item-{i}-{part}"] for part in parts)) for i in range(filing.MOST_ITEMS)]

    @property
    def shown_items(self) -> int:
        """How many rows stand open: the written ones and one more, two at least."""
        return max(2, 1 + sum(bool(row[1].value()) for row in self._items()))

    @property
    def first_items(self) -> list[tuple]:
        """(number, text, number expected, what it serves) of the rows that stand open."""
        return self._items()[: self.shown_items]

    @property
    def more_items(self) -> list[tuple]:
        return self._items()[self.shown_items :]

    @property
    def more_have_errors(self) -> bool:
        return any(part.errors for row in self.more_items for part in row[1:])

    def field_of(self, name, index):
        if name.startswith("plan."):
            return super().field_of(name.replace(".", "-", 1), None)
        if name.startswith("items.") and index is not None:
            written = [i for i in range(filing.MOST_ITEMS) if self.cleaned_data.get(f"item-{i}-text")]
            return f"item-{written[index]}-{name.removeprefix('items.')}" if index < len(written) else None
        return super().field_of(name, index)

    def draft(self, with_items: bool = True) -> PlanDraft:
        """What was typed; figures that do not differ from the plan count as well."""
        data = self.cleaned_data
        items = [
            ItemDraft(data[f"item-{i}-text"], data.get(f"item-{i}-expected"), data.get(f"item-{i}-clause") or "")
            for i in range(filing.MOST_ITEMS)
            if data.get(f"item-{i}-text")
        ]
        values = {line.measure: data.get(f"plan-{line.measure}") for line in self.lines}
        return PlanDraft(values=values, items=items if with_items else None, tab=data.get("tab", ""))

    def changed_values(self) -> dict[str, Decimal | None]:
        """Only the figures that differ from the plan in force."""
        return {
            line.measure: self.cleaned_data.get(f"plan-{line.measure}")
            for line in self.lines
            if self.cleaned_data.get(f"plan-{line.measure}") != line.planned
        }


MARKS = [
    ("done", gettext_lazy("Done")),
    ("move", gettext_lazy("Move")),
    ("drop", gettext_lazy("Drop")),
]


STUCK_MARKS = [
    ("done", gettext_lazy("Done")),
    ("stand_up", gettext_lazy("To the stand-up")),
    ("drop", gettext_lazy("Drop")),
]


class FactForm(ReportForm):
    """The fact: typed figures where no source gives them, promises, conclusion, actions (two rows, and one at each asking)."""

    cause = forms.ChoiceField(label=gettext_lazy("Cause"), required=False, widget=forms.RadioSelect)
    conclusion = forms.CharField(
        label=gettext_lazy("Why it came out so"),
        required=False,
        max_length=filing.LONGEST_CONCLUSION,
        widget=forms.Textarea(attrs={"rows": 4}),
    )
    no_action_reason = forms.CharField(
        label=gettext_lazy("No action, because"), required=False, max_length=300,
        help_text=gettext_lazy("Only when nothing has to be done."),
    )  # fmt: skip
    late_reason = forms.ChoiceField(label=gettext_lazy("Why after the deadline"), required=False)

    def __init__(self, *args, figures, promises, people, default_owner, rows=2, late=False, **kwargs):
        report = kwargs["report"]
        self.figures, self.promises, self.late = figures, list(promises), late
        drafted = filing.drafted_actions(report)
        self.rows = min(max(rows, len(drafted) + (1 if drafted else 0)), filing.MOST_ACTIONS)
        super().__init__(*args, initial=self._initial(report, drafted, default_owner), **kwargs)
        self.fields["cause"].choices = WeeklyReport.Cause.choices
        self.fields["late_reason"].choices = [("", _("Choose")), *WeeklyReport.LateReason.choices]
        if not late:
            del self.fields["late_reason"]
        owners = [("", _("Choose")), *((person.pk, str(person)) for person in people)]
        self._add_figures()
        self._add_promises()
        self._add_actions(owners)

    def _initial(self, report, drafted, default_owner) -> dict:
        initial = {name: getattr(report, name) for name in ("cause", "conclusion", "no_action_reason", "late_reason")}
        for index in range(self.rows):
            action = drafted[index] if index < len(drafted) else ActionDraft(owner_id=default_owner)
            initial |= {
                f"action-{index}-text": action.text, f"action-{index}-owner": action.owner_id,
                f"action-{index}-due": action.due_on,
            }  # fmt: skip
        for pk, promise in filing.drafted_promises(report).items():
            initial |= {
                f"promise-{pk}": promise.mark, f"promise-{pk}-due": promise.due_on, f"promise-{pk}-reason": promise.reason,
            }  # fmt: skip
        return initial

    def _add_figures(self) -> None:
        for line in self.figures.lines:
            if line.may_type:
                self.fields[f"typed-{line.measure}"] = FigureField(unit=line.unit, label=line.name, initial=line.typed)
        for item in self.figures.items:
            self.fields[f"actual-{item.pk}"] = FigureField(label=item.text, initial=item.actual)

    def _add_promises(self) -> None:
        for action in self.promises:
            key = f"promise-{action.pk}"
            marks = MARKS if action.carried < MOST_CARRIES else STUCK_MARKS
            self.fields[key] = forms.ChoiceField(
                label=action.text, choices=marks, required=False, widget=forms.RadioSelect
            )
            self.fields[f"{key}-due"] = date_field(_("New date"))
            self.fields[f"{key}-reason"] = forms.CharField(label=_("Why it is dropped"), required=False, max_length=300)

    def _add_actions(self, owners) -> None:
        for index in range(self.rows):
            self.fields[f"action-{index}-text"] = forms.CharField(
                label=_("What is to be done"), required=False, max_length=400, widget=forms.Textarea(attrs={"rows": 2})
            )
            self.fields[f"action-{index}-owner"] = forms.ChoiceField(label=_("Who"), required=False, choices=owners)
            self.fields[f"action-{index}-due"] = date_field(_("By which day"))

    @property
    def figure_rows(self) -> list[tuple]:
        return [
            (line, self[f"typed-{line.measure}"] if f"typed-{line.measure}" in self.fields else None)
            for line in self.figures.lines
        ]

    @property
    def item_rows(self) -> list[tuple]:
        return [(item, self[f"actual-{item.pk}"]) for item in self.figures.items]

    @property
    def promise_rows(self) -> list[tuple]:
        return [
            (
                action,
                self[f"promise-{action.pk}"],
                self[f"promise-{action.pk}-due"],
                self[f"promise-{action.pk}-reason"],
            )
            for action in self.promises
        ]

    @property
    def action_rows(self) -> list[tuple]:
        return [tuple(self[f"action-{i}-{part}"] for part in ("text", "owner", "due")) for i in range(self.rows)]

    def field_of(self, name, index):
        if name == "actions":
            return "action-0-text"
        if name.startswith("actions.") and index is not None:
            written = [i for i in range(self.rows) if not self._action(i).is_empty]
            return f"action-{written[index]}-{name.removeprefix('actions.')}" if index < len(written) else None
        if name.startswith("promises."):
            name = "promise-" + name.removeprefix("promises.").replace(".", "-")
        return super().field_of(name.replace(".", "-", 1), None)

    def _action(self, index: int) -> ActionDraft:
        data = self.cleaned_data
        owner = data.get(f"action-{index}-owner")
        return ActionDraft(
            data.get(f"action-{index}-text") or "", int(owner) if owner else None, data.get(f"action-{index}-due")
        )

    def draft(self) -> FactDraft:
        """What was typed, rows of actions without anything in them left out."""
        data = self.cleaned_data
        actions = [self._action(index) for index in range(self.rows)]
        promises = [
            Promise(
                action.pk, data[f"promise-{action.pk}"], data.get(f"promise-{action.pk}-due"),
                data.get(f"promise-{action.pk}-reason") or "",
            )
            for action in self.promises
            if data.get(f"promise-{action.pk}")
        ]  # fmt: skip
        return FactDraft(
            cause=data.get("cause", ""), conclusion=data.get("conclusion", ""),
            no_action_reason=data.get("no_action_reason", ""), late_reason=data.get("late_reason"),
            actions=[action for action in actions if not action.is_empty], promises=promises,
            typed={
                line.measure: data.get(f"typed-{line.measure}")
                for line in self.figures.lines
                if f"typed-{line.measure}" in self.fields
            },
            actuals={item.pk: data.get(f"actual-{item.pk}") for item in self.figures.items}, tab=data.get("tab", ""),
        )  # fmt: skip


def date_field(label: str) -> forms.DateField:
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    message = _("Give the date as a day, for example 2026-11-27.")
    return forms.DateField(
        label=label, required=False, widget=widget, input_formats=["%Y-%m-%d", "%d.%m.%Y"],
        error_messages={"invalid": message},
    )  # fmt: skip


class NoteForm(ReportForm):
    """The reviewer's words: what has to change, or why a locked week is opened again."""

    note = forms.CharField(label="", required=False, max_length=400, widget=forms.Textarea(attrs={"rows": 3}))

    def field_of(self, name, index):
        return "note" if name in {"note", "reason"} else super().field_of(name, index)


class SummaryForm(forms.Form):
    """The CMO's words on the week."""

    text = forms.CharField(
        label=gettext_lazy("Summary of the week"), required=False, max_length=3000,
        widget=forms.Textarea(attrs={"rows": 6, "class": "area", "aria-describedby": "id_text_helptext"}),
    )  # fmt: skip
    version = forms.IntegerField(widget=forms.HiddenInput, required=False)
