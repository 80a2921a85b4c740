"""The form of a person's preferences: one checkbox per cell of the matrix, and the quiet hours."""

from django import forms
from django.utils.translation import gettext_lazy as _

from mops.models import Group
from mops.notifications.preferences import ALWAYS, WAYS, Wishes
from roles.forms import RefusableForm


class ClockField(forms.TimeField):
    widget = forms.TimeInput(attrs={"type": "time"}, format="%H:%M")


class PreferenceForm(RefusableForm):
    """`lines`: the rows of the matrix, each with its cells in the order of WAYS."""

    quiet_from = ClockField(label=_("Quiet from"), required=False)
    quiet_until = ClockField(label=_("Quiet until"), required=False, help_text=_("By the clock of the company."))
    break_through = forms.BooleanField(
        label=_("Decisions that have waited for two days may come in quiet hours too"), required=False
    )

    def __init__(self, request, wishes: Wishes):
        self.wishes = wishes
        cells = {f"{group}-{way}": wishes.wants(group, way) for group in Group for way in WAYS}
        initial = {
            "quiet_from": wishes.quiet_from, "quiet_until": wishes.quiet_until, "break_through": wishes.break_through, **cells,
        }  # fmt: skip
        super().__init__(request, initial=initial)
        for group in Group:
            for way in WAYS:
                fixed = (group, way) in ALWAYS
                self.fields[f"{group}-{way}"] = forms.BooleanField(required=False, disabled=fixed)

    @property
    def lines(self):
        return [(group, [self[f"{group}-{way}"] for way in WAYS]) for group in Group]

    def clean(self):
        """What differs from the usual becomes `chosen`; the cells themselves are not the service's business."""
        data = super().clean()
        chosen: dict[str, dict[str, bool]] = {}
        for group in Group:
            for way in WAYS:
                wanted = data.pop(f"{group}-{way}")
                if wanted != self.wishes.usual(group, way):
                    chosen.setdefault(group.value, {})[str(way)] = wanted
        return data | {"chosen": chosen}


class BotForm(RefusableForm):
    token = forms.CharField(
        label=_("Token of the bot"), max_length=130, widget=forms.PasswordInput(attrs={"autocomplete": "off"}),
        help_text=_("@BotFather in Telegram gives it: /newbot. It is kept encrypted and never shown again."),
    )  # fmt: skip
