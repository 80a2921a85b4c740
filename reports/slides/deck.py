"""The slides of a week as a .pptx file: native, editable tables and charts, one slide per channel, the summary last.

`pptx` is imported where it is used: it is slow to load and only this file needs it.
"""

from collections.abc import Sequence
from decimal import Decimal
from io import BytesIO

from django.utils.translation import gettext as _

from kpis.periods import week_number
from reports.slides.content import ByDay, ChannelSlide, Deck
from reports.slides.typography import shortened, size_for, tidy
from roles import formats

WIDE, HIGH, EDGE = 960, 540, 42
"""Points: a 16:9 slide and its margin."""
INK, MUTED, ACCENT, STOP, GOAL, RULE = "1B2430", "5A6675", "1F5D7A", "B3261E", "3F7D4E", "D5DCE3"
TONES = {"": INK, "care": "805300", "bad": STOP}
TITLE, BODY = (30, 27, 24, 21, 18), (15, 14, 13, 12, 11)
FORMATS = {"share": "0.0%", "money": "#,##0", "count": "#,##0"}
SHARES = (0.32, 0.22, 0.26, 0.2)
"""Of a table's width: a name, and three figures of which millions with their sign stay on one line."""


def deck_file(deck: Deck) -> bytes:
    """The whole file."""
    from pptx import Presentation
    from pptx.util import Pt

    show = Presentation()
    show.slide_width, show.slide_height = Pt(WIDE), Pt(HIGH)
    show.core_properties.title = deck.title
    show.core_properties.author = deck.company.name
    for slide in deck.channels:
        _channel(Sheet(show), deck, slide)
    _summary(Sheet(show), deck)
    buffer = BytesIO()
    show.save(buffer)
    return buffer.getvalue()


def _channel(sheet: "Sheet", deck: Deck, slide: ChannelSlide) -> None:
    channel, currency = slide.money.channel, deck.company.currency
    sheet.head(deck, [channel.name, channel.owner.user.short_name if channel.owner else "", slide.state])
    sheet.title(slide.title, STOP if slide.bad else INK)
    rows = [
        (line.name, formats.planned(line.plan, line.unit, currency), _figure(line.fact, line.unit, currency),
         formats.percent(line.deviation, sign=True), TONES[line.tone])
        for line in slide.lines
    ]  # fmt: skip
    if rows:
        sheet.table((_("Figure"), _("Plan"), _("Fact"), _("To plan")), rows, left=EDGE, top=136, width=430, height=234)
    else:
        sheet.text(_("No plan and no figures of this week."), EDGE, 146, 420, 40, colour=MUTED)
    if by_day := slide.by_day():
        sheet.chart(by_day, left=490, top=136, width=WIDE - 490 - EDGE + 10, height=232)
    sheet.columns(
        [
            (_("Conclusion"), slide.conclusion or _("None is written.")),
            (_("Action"), "\n".join(slide.actions) or _("None is promised.")),
            (_("Decision"), "\n".join(slide.decisions) or _("None was needed.")),
        ],
        top=378,
    )


def _summary(sheet: "Sheet", deck: Deck) -> None:
    summary, currency = deck.summary, deck.company.currency
    writer = summary.words.written_by.user.short_name if summary.words and summary.words.written_by else ""
    sheet.head(deck, [_("The marketing director's summary"), writer])
    sheet.title(deck.title, INK)
    rows = [
        (row.channel.name, formats.money(row.plan, currency), formats.money(row.earned, currency),
         formats.money(row.off, currency, sign=True), TONES[row.tone])
        for row in summary.channels
    ]  # fmt: skip
    rows.append((_("All"), formats.money(summary.plan, currency), formats.money(summary.earned, currency),
                 formats.money(summary.off, currency, sign=True), INK))  # fmt: skip
    sheet.table(
        (_("Channel"), _("Plan"), _("Earned"), _("To plan")),
        rows,
        left=EDGE,
        top=132,
        width=470,
        height=350,
        total=True,
    )
    known = [row for row in summary.channels if row.earned is not None]
    if known:
        sheet.bars(
            [row.channel.name for row in known], [(_("Plan"), [row.plan for row in known]), (_("Earned"), [row.earned for row in known])],
            left=530, top=126, width=WIDE - 530 - EDGE + 10, height=250,
        )  # fmt: skip
    kept = summary.discipline
    in_time = _("On time: plans %(plan)s of %(plans)s, facts %(fact)s of %(facts)s.") % {
        "plan": kept.plan_on_time, "plans": kept.plan_due, "fact": kept.fact_on_time, "facts": kept.fact_due,
    }  # fmt: skip
    words = summary.words.text if summary.words and summary.words.text else _("None is written.")
    sheet.text(tidy(in_time), 530, 384, WIDE - 530 - EDGE, 20, size=12, colour=MUTED)
    sheet.columns([(_("In the marketing director's words"), words)], top=408, left=530)


def _figure(value: Decimal | None, unit: str, currency: str) -> str:
    return formats.figure(value, unit, currency)


class Sheet:
    """One slide that is being drawn; all places and sizes are in points."""

    def __init__(self, show):
        self.slide = show.slides.add_slide(show.slide_layouts[5])  # "Title only": the title stands in the outline
        self.whole: list[str] = []

    def head(self, deck: Deck, parts: Sequence[str]) -> None:
        """The line above the title: whose slide, and which week."""
        week = _("Week %(number)s, %(days)s") % {"number": week_number(deck.summary.week), "days": deck.period}
        self.text(" · ".join(part for part in parts if part), EDGE, 26, 560, 20, size=13, colour=MUTED)
        self.text(week, WIDE - EDGE - 300, 26, 300, 20, size=13, colour=MUTED, right=True)

    def title(self, text: str, colour: str) -> None:
        """The claim of the slide, as large as two lines allow."""
        from pptx.util import Pt

        width, height, text = WIDE - 2 * EDGE, 74, tidy(text)
        box = self.slide.shapes.title
        box.left, box.top, box.width, box.height = Pt(EDGE), Pt(50), Pt(width), Pt(height)
        size = size_for(text, width, height, TITLE) or TITLE[-1]
        self._write(box.text_frame, [text], size, colour, bold=True)

    def text(
        self, text: str, left: float, top: float, width: float, height: float, size: int = 14, colour: str = INK,
        bold: bool = False, right: bool = False,
    ) -> None:  # fmt: skip
        from pptx.util import Pt

        box = self.slide.shapes.add_textbox(Pt(left), Pt(top), Pt(width), Pt(height))
        self._write(box.text_frame, text.splitlines() or [""], size, colour, bold, right)

    def columns(self, parts: Sequence[tuple[str, str]], top: float, left: float = EDGE) -> None:
        """Headed texts beside each other down to the foot; what does not fit is cut, and stands whole in the notes."""
        gap = 24
        width = (WIDE - EDGE - left - gap * (len(parts) - 1)) / len(parts)
        height = HIGH - top - 46
        for number, (head, text) in enumerate(parts):
            at, text = left + number * (width + gap), tidy(text)
            self.text(head, at, top, width, 20, size=13, colour=ACCENT, bold=True)
            size = size_for(text, width, height, BODY)
            shown = text if size else shortened(text, width, height, BODY[-1])
            self.text(shown, at, top + 22, width, height, size=size or BODY[-1])
            self.whole.append(f"{head}\n{text}")
        self.slide.notes_slide.notes_text_frame.text = "\n\n".join(self.whole)

    def table(
        self, heads: Sequence[str], rows: Sequence[tuple], left: float, top: float, width: float, height: float,
        total: bool = False,
    ) -> None:  # fmt: skip
        """A plain table whose rows share the height; the last of each row's parts is the colour of its fact. `total`: the last
        row sums up."""
        from pptx.util import Pt

        high = min(26, height / (len(rows) + 1))
        size = 13 if high >= 24 else 12 if high >= 20 else 11
        shape = self.slide.shapes.add_table(len(rows) + 1, len(heads), Pt(left), Pt(top), Pt(width), Pt(high))
        table = shape.table
        table.horz_banding = False
        for column, share in zip(table.columns, SHARES, strict=True):
            column.width = Pt(width * share)
        for row in table.rows:
            row.height = Pt(high)
        for column, head in enumerate(heads):
            self._cell(table.cell(0, column), head, size - 2, MUTED, right=column > 0)
        for number, (*cells, colour) in enumerate(rows, start=1):
            bold = total and number == len(rows)
            for column, text in enumerate(cells):
                tone = colour if column >= 2 else INK
                self._cell(table.cell(number, column), text, size, tone, right=column > 0, bold=bold or column == 2)

    def _cell(self, cell, text: str, size: int, colour: str, right: bool, bold: bool = False) -> None:
        from pptx.util import Pt

        cell.fill.background()
        cell.margin_left = cell.margin_right = Pt(4)
        cell.margin_top = cell.margin_bottom = Pt(1)
        self._write(cell.text_frame, [tidy(text) if not right else text], size, colour, bold, right)

    def chart(self, told: ByDay, left: float, top: float, width: float, height: float) -> None:
        """The KPI by day with its goal and stop line; an unknown day is a gap, never a zero."""
        from pptx.chart.data import CategoryChartData
        from pptx.enum.chart import XL_CHART_TYPE

        data = CategoryChartData(number_format=_format(told))
        data.categories = [formats.day(day, year=False) for day in told.days]
        data.add_series(told.name, [None if value is None else float(value) for value in told.values])
        for name, level in ((_("goal"), told.goal), (_("stop line"), told.line)):
            if level is not None:
                data.add_series(name, [float(level)] * len(told.days))
        chart = self._drawn(XL_CHART_TYPE.LINE, data, left, top, width, height, told.name)
        colours = {told.name: (ACCENT, 2.5), _("goal"): (GOAL, 1.25), _("stop line"): (STOP, 1.25)}
        for series in chart.plots[0].series:
            self._line(series, *colours[series.name])
        chart.value_axis.tick_labels.number_format = _format(told)
        chart.value_axis.tick_labels.number_format_is_linked = False
        _every(chart, 7)

    def bars(
        self, names: Sequence[str], series: Sequence[tuple[str, Sequence[Decimal | None]]], left: float, top: float,
        width: float, height: float,
    ) -> None:  # fmt: skip
        """Money of each channel beside its plan."""
        from pptx.chart.data import CategoryChartData
        from pptx.enum.chart import XL_CHART_TYPE, XL_TICK_LABEL_POSITION

        data = CategoryChartData(number_format=FORMATS["money"])
        data.categories = list(names)
        for name, values in series:
            data.add_series(name, [None if value is None else float(value) for value in values])
        chart = self._drawn(
            XL_CHART_TYPE.BAR_CLUSTERED, data, left, top, width, height, _("Earned by channels")
        )  # fmt: skip
        chart.category_axis.reverse_order = True
        chart.value_axis.tick_label_position = XL_TICK_LABEL_POSITION.NONE  # the figures stand in the table beside it
        for one, colour in zip(chart.plots[0].series, (RULE, ACCENT), strict=True):
            one.format.fill.solid()
            one.format.fill.fore_color.rgb = _rgb(colour)
            one.invert_if_negative = False
        chart.plots[0].gap_width = 60

    def _drawn(self, kind, data, left, top, width, height, name: str):
        from pptx.enum.chart import XL_LEGEND_POSITION, XL_TICK_LABEL_POSITION
        from pptx.util import Pt

        frame = self.slide.shapes.add_chart(kind, Pt(left), Pt(top), Pt(width), Pt(height), data)
        frame.name = name
        chart = frame.chart
        chart.has_title = False
        chart.has_legend = True
        chart.legend.position, chart.legend.include_in_layout = XL_LEGEND_POSITION.TOP, False
        chart.font.size, chart.font.color.rgb = Pt(11), _rgb(MUTED)
        chart.value_axis.major_gridlines.format.line.color.rgb = _rgb(RULE)
        chart.value_axis.format.line.fill.background()
        chart.category_axis.tick_label_position = XL_TICK_LABEL_POSITION.LOW
        chart.category_axis.format.line.color.rgb = _rgb(RULE)
        return chart

    def _line(self, series, colour: str, width: float) -> None:
        from pptx.enum.chart import XL_MARKER_STYLE
        from pptx.util import Pt

        series.smooth = False
        series.marker.style = XL_MARKER_STYLE.NONE
        series.format.line.color.rgb, series.format.line.width = _rgb(colour), Pt(width)

    def _write(
        self, frame, lines: Sequence[str], size: int, colour: str, bold: bool = False, right: bool = False
    ) -> None:
        from pptx.enum.text import PP_ALIGN
        from pptx.util import Pt

        frame.word_wrap = True
        frame.margin_left = frame.margin_right = frame.margin_top = frame.margin_bottom = Pt(0)
        for number, line in enumerate(lines):
            paragraph = frame.paragraphs[0] if number == 0 else frame.add_paragraph()
            paragraph.alignment = PP_ALIGN.RIGHT if right else PP_ALIGN.LEFT
            run = paragraph.add_run()
            run.text = line
            run.font.size, run.font.bold, run.font.color.rgb = Pt(size), bold, _rgb(colour)


def _rgb(colour: str):
    from pptx.dml.color import RGBColor

    return RGBColor.from_string(colour)


def _format(told: ByDay) -> str:
    return FORMATS.get(told.unit, "#,##0.0")


def _every(chart, step: int) -> None:
    """Name only every so many days under the axis."""
    from pptx.oxml.ns import qn

    axis = chart.category_axis._element
    for tag in ("c:tickLblSkip", "c:tickMarkSkip"):
        element = axis.makeelement(qn(tag), {"val": str(step)})
        axis.insert_element_before(element, "c:noMultiLvlLbl", "c:extLst")
