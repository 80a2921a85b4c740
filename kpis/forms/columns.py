"""The form that asks what each column of an unknown table is."""

from django.utils.translation import gettext_lazy as _

from kpis.importers import custom
from kpis.models import ColumnMap
from kpis.selectors.column_maps import Columns
from roles.refusals import Refused

ROLES = (
    (custom.DAY, _("Day")),
    (custom.CHANNEL, _("Channel")),
    (custom.CAMPAIGN, _("Campaign: its id in the source")),
    (custom.CAMPAIGN_NAME, _("Campaign: its name")),
)


UNITS = (
    ("", _("full units")),
    ("kopecks", _("kopecks, cents")),
    ("micros", _("millionths (micros)")),
    ("thousands", _("thousands")),
    ("millions", _("millions")),
)


class ColumnsForm:
    """A choice for every column of `Columns`, the channel of all where no column holds it, step and order of the days.

    `rows` holds the column with its chosen `what` (a role, "skip" or "metric:<code>"), `channel` and errors; `errors` those
    of the whole.
    """

    def __init__(self, found: Columns, data=None, refusal: Refused | None = None):
        wrong = {error.field: error.message for error in (refusal.errors if refusal else ())}
        self.found, self.data = found, data
        self.metrics = [(f"{custom.METRIC}:{info.code}", info.name) for info in found.metrics]
        self.roles, self.channels, self.units = ROLES, found.channels, UNITS
        self.steps, self.orders = ColumnMap.Step.choices, ColumnMap.Order.choices[1:]
        self.rows = [self._row(column, wrong) for column in found.shown]
        self.whole = self._typed("whole", "")
        self.step, self.order = self._typed("step", self._step()), self._typed("order", self._order())
        self.asks_order = bool(found.days.is_two_ways or self.order or "order" in wrong)
        self.step_error, self.order_error = wrong.get("step", ""), wrong.get("order", "")
        self.errors = [message for name, message in wrong.items() if name in {"columns", "file"}]

    def _typed(self, name: str, default: str) -> str:
        return default if self.data is None else self.data.get(name, "")

    def _row(self, column, wrong: dict[str, str]) -> dict:
        guess, place = column.guess, column.place
        what = guess["what"] if guess["what"] in (*custom.ONCE, custom.SKIP) else f"{custom.METRIC}:{guess['metric']}"
        return {
            "place": place,
            "heading": column.heading,
            "samples": column.samples,
            "what": self._typed(f"what-{place}", what),
            "channel": self._typed(f"channel-{place}", guess.get("channel", "")),
            "unit": self._typed(f"unit-{place}", guess.get("unit", "")),
            "unit_error": wrong.get(f"unit-{place}", ""),
            "what_error": wrong.get(f"what-{place}", ""),
            "channel_error": wrong.get(f"channel-{place}", ""),
        }

    def _step(self) -> str:
        known, days = self.found.known, self.found.days
        if known and (known.step != ColumnMap.Step.DAY or known.is_sparse or not days.look_weekly):
            return known.step
        return ColumnMap.Step.DAY if days.look_daily else ""

    def _order(self) -> str:
        return (self.found.known.order if self.found.known else "") or (
            self.found.days.order if self.found.days.is_two_ways else ""
        )

    @property
    def columns(self) -> dict[int, dict]:
        """What was chosen, as the service takes it: a metric with a channel of its own, or of the whole file, is a wide one."""
        has_column = any(row["what"] == custom.CHANNEL for row in self.rows)
        chosen = {}
        for row in self.rows:
            kind, _colon, metric = row["what"].partition(":")
            chosen[row["place"]] = {"what": kind or custom.SKIP}
            if kind == custom.METRIC:
                channel = row["channel"] or ("" if has_column else self.whole)
                chosen[row["place"]] = {"what": custom.WIDE if channel else kind, "metric": metric}
                if row["unit"]:
                    chosen[row["place"]]["unit"] = row["unit"]
                if channel:
                    chosen[row["place"]]["channel"] = channel
        return chosen
