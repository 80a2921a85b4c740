"""Every number of an object that a body of the API may name × own, foreign and missing object.

The fields are taken from the schema: a new one is found by itself. A foreign object is refused word for word as a missing one.
"""

import json
import re
from datetime import datetime, timedelta

import pytest
from django.db import transaction
from django.urls import reverse
from drf_spectacular.generators import SchemaGenerator

from processes.models import Action
from processes.services import MOST_CARRIES
from reports.models import WeeklyReport
from roles.models import Appointment, Channel
from tests.guards.conftest import NOW, TODAY
from tests.guards.test_api_access import MISSING

NUMBERS = {
    "met[]", "window.n", "window.m", "window.max_span", "settling_days", "clear_days", "priority", "plan_opens.day",
    "plan_due.day", "fact_opens.day", "fact_due.day", "digest.day", "summary.day", "standup.day", "locks.day",
}  # fmt: skip
"""Whole numbers that are no objects."""

DAY, SOON, LATER = str(TODAY), str(TODAY + timedelta(days=9)), "2027-01-20"
BRIEF = {"title": "t", "text": "t", "criteria": ["c"], "due_on": LATER}
FIRM = {"name": "f", "scope": "s", "starts_on": DAY, "ends_on": LATER}
ACCESS = {"system": "s", "identifier": "i", "owned_by": "company"}
DOCUMENT = {"title": "t", "url": "https://example.org/t"}
CHANNEL = {"code": "new", "name": "n", "kind": "paid", "status": "planned"}
SIGN = {"choice": "rewrite", "reason": "r", "due": LATER, "expected": "e"}
PIECE = {"text": "t", "due": LATER}


def whole(base: dict, field: str):
    """A body with the object's number in a field of its own."""
    return lambda pk: {**base, field: pk}


BODIES = {
    # (method, name of the address, field): (kind of the object, who, body of its number, arguments of the address)
    ("post", "access-list", "owner_person"): ("person", "pm", whole(ACCESS | {"owned_by": "person"}, "owner_person")),
    ("post", "access-list", "administrators[]"): ("person", "pm", lambda pk: ACCESS | {"administrators": [pk]}),
    ("post", "access-list", "contractor"): ("contractor", "pm", whole(ACCESS, "contractor")),
    ("patch", "access-detail", "owner_person"): ("person", "pm", whole({"owned_by": "person"}, "owner_person")),
    ("patch", "access-detail", "administrators[]"): ("person", "pm", lambda pk: {"administrators": [pk]}),
    ("patch", "access-detail", "contractor"): ("contractor", "pm", whole({}, "contractor")),
    ("post", "brief-list", "contractor"): ("contractor", "pm", whole(BRIEF, "contractor")),
    ("post", "channel-list", "owner"): ("person", "owner", whole(CHANNEL, "owner")),
    ("post", "channel-list", "coordinator"): ("person", "owner", whole(CHANNEL, "coordinator")),
    ("patch", "channel-detail", "owner"): ("person", "owner", whole({}, "owner")),
    ("patch", "channel-detail", "coordinator"): ("person", "owner", whole({}, "coordinator")),
    ("post", "contractor-list", "responsible"): ("person", "pm", whole(FIRM, "responsible")),
    ("post", "contractor-list", "deputy"): ("person", "pm", lambda pk: FIRM | {"responsible": None, "deputy": pk}),
    ("patch", "contractor-detail", "responsible"): ("person", "pm", whole({}, "responsible")),
    ("patch", "contractor-detail", "deputy"): ("person", "pm", whole({}, "deputy")),
    ("post", "decision-sign", "keep[]"): ("campaign", "cmo", lambda pk: SIGN | {"choice": "stop", "keep": [pk]}),
    ("post", "decision-sign", "assignee"): ("person", "cmo", whole(SIGN, "assignee")),
    ("post", "decision-sign", "checker"): ("person", "owner", whole(SIGN | {"choice": "continue", "until": SOON}, "checker")),
    ("post", "document-list", "owner"): ("person", "pm", whole(DOCUMENT, "owner")),
    ("patch", "document-detail", "owner"): ("person", "pm", whole({}, "owner")),
    ("post", "drill-list", "person"): ("person", "pm", whole({}, "person")),
    ("post", "handover-item-successor", "successor"): ("person", "pm", whole({}, "successor")),
    ("post", "handover-list", "person"): ("person", "pm", whole({"last_day": LATER, "reason": "r"}, "person")),
    ("post", "stuck-action-settle", "owner"): (
        "person", "cmo", whole({"choice": "hand_over", "reason": "r", "due": LATER}, "owner")
    ),
    ("post", "stuck-action-settle", "pieces[].owner"): (
        "person", "cmo",
        lambda pk: {"choice": "split", "reason": "r", "pieces": [PIECE | {"owner": pk}, PIECE | {"owner": pk}]},
    ),
    ("patch", "weekly-report-detail", "actions[].owner"): (
        "person", "performance", lambda pk: {"actions": [PIECE | {"owner": pk}]}
    ),
    ("post", "weekly-report-submit-fact", "actions[].owner"): (
        "person", "performance", lambda pk: {"actions": [PIECE | {"owner": pk}]}
    ),
    ("post", "weekly-report-submit-plan", "actions[].owner"): (
        "person", "performance", lambda pk: {"actions": [PIECE | {"owner": pk}]}
    ),
}  # fmt: skip


NOT_READ = {
    ("patch", "weekly-report-detail", "actions[].owner"), ("post", "weekly-report-submit-plan", "actions[].owner"),
}  # fmt: skip
"""A draft keeps what was typed and is looked at when it is filed; a plan has no actions."""


def numbers_in(schema: dict, components: dict, path: str = ""):
    """Names of the whole numbers that a body takes: `owner`, `administrators[]`, `pieces[].owner`."""
    while "$ref" in schema:
        schema = components[schema["$ref"].split("/")[-1]]
    for part in (part for key in ("allOf", "oneOf", "anyOf") for part in schema.get(key, [])):
        yield from numbers_in(part, components, path)
    types = schema.get("type")
    types = types if isinstance(types, list) else [types]
    for name, inner in schema.get("properties", {}).items():
        if not inner.get("readOnly"):
            yield from numbers_in(inner, components, f"{path}.{name}" if path else name)
    if "items" in schema:
        yield from numbers_in(schema["items"], components, f"{path}[]")
    if "integer" in types:
        yield path


def test_every_object_in_a_body_is_tried():
    schema = SchemaGenerator().get_schema(request=None, public=True)
    found = {
        (method, address.split("}/", 1)[1], path)
        for address, operations in schema["paths"].items() if "/c/" in address
        for method, operation in operations.items()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for path in numbers_in(content.get("schema", {}), schema["components"]["schemas"])
    }  # fmt: skip
    tried = {(method, _template(name), field) for method, name, field in BODIES}
    assert {row for row in found if row[2] not in NUMBERS} == tried


def _template(name: str) -> str:
    """The address as the schema writes it, after the company."""
    for argument in (None, "id", "pk", "code"):
        kwargs = {"company_slug": "s"} | ({argument: 987} if argument else {})
        try:
            path = reverse(name, kwargs=kwargs)
        except Exception:
            continue
        return path.split("/c/s/")[1].replace("987", "{code}" if argument == "code" else "{id}")
    raise AssertionError(name)


@pytest.mark.parametrize(("method", "name", "field"), BODIES, ids=lambda value: str(value))
def test_foreign_object_in_a_body_looks_like_a_missing_one(method, name, field, two_companies, sign_in, time_machine):
    acme, rival = two_companies
    kind, who, body_of = BODIES[method, name, field]
    browser = sign_in(getattr(acme, who))
    thing = next(acme.things[key] for key in sorted(acme.things, key=len, reverse=True) if name.startswith(key))

    time_machine.move_to(_ready(acme, name, field), tick=False)

    def ask(pk):
        body = json.loads(json.dumps(body_of(pk)).replace('"responsible": null', f'"responsible": {acme.pm.pk}'))
        with transaction.atomic():  # each question finds the same company
            answer = getattr(browser, method)(_address(name, thing), body, content_type="application/json")
            transaction.set_rollback(True)
        said = {key: value for key, value in answer.json().items() if key != "request_id"}
        words = json.dumps(said, ensure_ascii=False, sort_keys=True)
        return answer.status_code, re.sub(rf"(?<![\w:.-]){pk}(?![\w:.-])", "N", words)

    foreign, missing = ask(rival.things[kind]["pk"]), ask(MISSING)

    assert foreign == missing
    if (method, name, field) in NOT_READ:
        assert ask(acme.things[kind]["pk"]) == missing
    else:
        assert foreign[0] in {400, 404}
        assert ask(acme.things[kind]["pk"]) != missing, "the body never came to the object"


def _ready(acme, name: str, field: str) -> datetime:
    """Bring the object into the state in which its body is looked at; the moment at which that is."""
    if name == "stuck-action-settle":
        Action.objects.filter(company=acme.company).update(carried=MOST_CARRIES)
    if name == "weekly-report-submit-plan":
        WeeklyReport.objects.filter(company=acme.company).update(plan_due_at=NOW + timedelta(days=1))
    if field == "checker":  # asked of an owner who runs the channel and decides instead of the director
        Appointment.objects.filter(company=acme.company, person=acme.performance).update(person=acme.owner)
        Channel.objects.filter(pk=acme.vk.pk).update(owner=acme.owner)
        Appointment.objects.filter(company=acme.company, person=acme.cmo).update(person=acme.owner)
        Appointment.objects.filter(company=acme.company, person=acme.pm).update(person=acme.performance)
    return NOW


def _address(name: str, thing: dict) -> str:
    for argument in (None, "id", "pk", "code"):
        kwargs = {"company_slug": "acme"} | ({argument: thing.get(argument, thing.get("pk"))} if argument else {})
        try:
            return reverse(name, kwargs=kwargs)
        except Exception:
            continue
    raise AssertionError(name)
