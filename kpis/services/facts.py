"""Facts that come as data, by the bulk API. All or nothing."""

import hashlib
import json
import re
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal, InvalidOperation

from django.db import transaction
from django.utils.translation import gettext as _

from kpis import facts
from kpis import metrics as catalogue
from kpis.facts import Counts, FactRow
from kpis.importers.values import EARLIEST
from kpis.models import Import, Metric, Source
from kpis.problems import field_error
from kpis.services.sources import CODE, ensure_source
from roles import audit
from roles.fields import to_micros
from roles.models import Campaign, Channel, Company, Membership
from roles.refusals import FieldError, Refused

MOST_ROWS = 5000
MOST_ERRORS = 1000
NAMES = {"channel", "campaign", "date"}


class BadFacts(Refused):
    """Some rows cannot be kept: `errors` names each by its index. Nothing was written."""

    code = "bad_facts"


@dataclass(frozen=True)
class Loaded:
    """What a bulk write did."""

    load: Import
    counts: Counts


@dataclass
class Reading:
    """The rows of one request being checked: what the company knows, the errors, and the campaigns to create."""

    company: Company
    today: date
    signed: dict[str, bool]
    channels: dict[str, int]
    errors: list[FieldError] = field(default_factory=list)
    keys: dict[tuple, int] = field(default_factory=dict)
    rows: list[tuple[int, str, date, dict]] = field(default_factory=list)

    def refuse(self, index: int, name: str, code: str, value="") -> None:
        self.errors.append(field_error(name, code, value, index))


def record_facts(
    *, company: Company, by: Membership, at: datetime, source_code: str, rows: list[dict], name: str = ""
) -> Loaded:
    """Bulk upsert of at most 5000 rows `{"channel", "campaign"?, "date", metric: value …}` of one source, all or nothing.

    A metric left out keeps its value, None clears it. An unknown source or campaign is created. BadFacts lists every
    bad row: unknown channel or metric, the same key twice, a future date, a negative metric, NaN, infinity, too large.
    """
    reading = _checked(company, company.local_date(at), source_code, rows)
    if reading.errors:
        raise BadFacts(_("Some rows are not right; nothing was written."), reading.errors[:MOST_ERRORS])
    metrics = [code for code in reading.signed if any(code in row[3] for row in reading.rows)]
    digest = hashlib.sha256(json.dumps(rows, sort_keys=True, default=str).encode()).hexdigest()
    with transaction.atomic():
        source = ensure_source(
            company=company, code=source_code, name=name or source_code, kind=Source.Kind.API, at=at, by=by
        )
        campaigns = _campaign_ids(company, reading)
        found = [
            FactRow(channel_id, campaigns[channel_id, campaign] if campaign else 0, day, values)
            for channel_id, campaign, day, values in reading.rows
        ]
        return write(company=company, by=by, at=at, source=source, rows=found, metrics=metrics, sha256=digest)


@transaction.atomic
def write(
    *, company: Company, by: Membership | None, at: datetime, source: Source, rows: list[FactRow], metrics: list[str],
    sha256: str = "", profile: str = "",
) -> Loaded:  # fmt: skip
    """One finished load of checked rows with its audit event. `profile`: what made it, where it is not the source itself."""
    days = [row.day for row in rows]
    load = Import.objects.create(
        company=company, source=source, state=Import.State.DONE, profile=profile or source.kind, sha256=sha256 or "0" * 64,
        created_by=by, created_at=at, finished_at=at, first_day=min(days, default=None), last_day=max(days, default=None),
    )  # fmt: skip
    counts = facts.record(company=company, load=load, rows=rows, metrics=metrics) if metrics and rows else Counts()
    load.created, load.changed, load.unchanged = counts.created, counts.changed, counts.unchanged
    load.save(update_fields=["created", "changed", "unchanged"])
    after = {"source": source.code, "created": counts.created, "changed": counts.changed, "unchanged": counts.unchanged}
    audit.record(company=company, by=by, verb="record_facts", obj=load, at=at, after=after)
    return Loaded(load, counts)


def signed_metrics(company: Company) -> dict[str, bool]:
    """Every metric code of the company → whether it may be below zero."""
    own = dict.fromkeys(Metric.objects.filter(company=company).order_by("slot").values_list("code", flat=True), False)
    return {code: info.signed for code, info in catalogue.BUILT_IN.items()} | own


def _checked(company: Company, today: date, source_code: str, rows: list) -> Reading:
    channels = dict(Channel.objects.filter(company=company).values_list("code", "pk"))
    reading = Reading(company, today, signed_metrics(company), channels)
    if not isinstance(source_code, str) or not CODE.fullmatch(source_code):
        reading.errors.append(field_error("source", "bad_source", source_code))
    if not isinstance(rows, list) or len(rows) > MOST_ROWS:
        message = _("“facts” must be a list of at most %(n)s rows.") % {"n": MOST_ROWS}
        reading.errors.append(FieldError("facts", "too_many" if isinstance(rows, list) else "not_a_list", message))
        return reading
    for index, row in enumerate(rows):
        if isinstance(row, dict):
            _check_row(reading, index, row)
        else:
            reading.refuse(index, "", "not_an_object")
    return reading


def _check_row(reading: Reading, index: int, row: dict) -> None:
    before = len(reading.errors)
    channel_id = _channel(reading, index, row.get("channel"))
    campaign = _campaign(reading, index, row.get("campaign"))
    day = _day(reading, index, row.get("date"))
    values = {}
    for code, value in row.items():
        if code in NAMES:
            continue
        if code not in reading.signed:
            reading.refuse(index, code, "unknown_field", code)
            continue
        try:
            values[code] = number(value, reading.signed[code])
        except ValueError as error:
            reading.refuse(index, code, str(error), value)
    if len(reading.errors) > before:
        return
    key = channel_id, campaign, day
    if (first := reading.keys.setdefault(key, index)) != index:
        reading.refuse(index, "date", "repeated", first)
        return
    reading.rows.append((channel_id, campaign, day, values))


def _channel(reading: Reading, index: int, code) -> int | None:
    if code is None or code == "":
        reading.refuse(index, "channel", "required")
        return None
    found = reading.channels.get(code) if isinstance(code, str) else None
    if found is None:
        reading.refuse(index, "channel", "unknown_channel", code)
    return found


def _campaign(reading: Reading, index: int, external) -> str:
    if external is None or external == "":
        return ""
    if not isinstance(external, str) or "\x00" in external or (not external.isascii() and not _encodable(external)):
        reading.refuse(index, "campaign", "not_text", external)
        return ""
    if len(external) > 120:
        reading.refuse(index, "campaign", "name_too_long", external)
        return ""
    return external


def _encodable(text: str) -> bool:
    """False for half a surrogate pair, which JSON may carry and no database keeps."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _day(reading: Reading, index: int, text) -> date | None:
    try:
        day = date.fromisoformat(text) if isinstance(text, str) and len(text) == 10 else None
    except ValueError:
        day = None
    code = "required" if text is None else "bad_date" if day is None else ""
    if day is not None:
        code = "future_date" if day > reading.today else "too_old" if day < EARLIEST else ""
    if code:
        reading.refuse(index, "date", code, text)
    return day


def number(value, signed: bool) -> Decimal | None:
    """A JSON value as a decimal, None for null; ValueError whose text is the code of what is wrong."""
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float | str | Decimal):
        raise ValueError("not_a_number")
    if isinstance(value, str) and not re.fullmatch(r"-?\d+(\.\d+)?", value, re.ASCII):
        raise ValueError("nan" if value.strip().lower().lstrip("+-") in {"nan", "inf", "infinity"} else "not_a_number")
    try:
        found = Decimal(str(value))
    except InvalidOperation as error:
        raise ValueError("not_a_number") from error
    if not found.is_finite():
        raise ValueError("nan")
    if found < 0 and not signed:
        raise ValueError("negative")
    try:
        to_micros(found)
    except ValueError as error:
        raise ValueError("too_large") from error
    return found


def _campaign_ids(company: Company, reading: Reading) -> dict[tuple[int, str], int]:
    """Ids of the campaigns that the rows name, the unknown ones created."""
    wanted = {(row[0], row[1]) for row in reading.rows if row[1]}
    if not wanted:
        return {}

    def known() -> dict[tuple[int, str], int]:
        found = Campaign.objects.filter(company=company, channel__in={channel for channel, _external in wanted})
        return {(c, external): pk for pk, c, external in found.values_list("pk", "channel_id", "external_id")}

    ids = known()
    fresh = [key for key in sorted(wanted) if key not in ids]
    if fresh:
        Campaign.objects.bulk_create(
            [Campaign(company=company, channel_id=c, external_id=external, name=external) for c, external in fresh],
            ignore_conflicts=True,
            batch_size=500,
        )
        ids = known()
    return ids
