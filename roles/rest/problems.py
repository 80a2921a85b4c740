"""Errors as `application/problem+json`, one shape for all: type, title, status, detail, request_id, errors."""

import logging
from http import HTTPStatus

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import serializers
from rest_framework.exceptions import APIException, ErrorDetail, Throttled, ValidationError
from rest_framework.response import Response
from rest_framework.views import set_rollback

from roles.refusals import Refused

log = logging.getLogger("mops.api")
CONTENT_TYPE = "application/problem+json"


class FieldProblem(serializers.Serializer):
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    index = serializers.IntegerField(required=False)


class Problem(serializers.Serializer):
    """RFC 9457 problem document."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    request_id = serializers.CharField()
    errors = FieldProblem(many=True)


class Replay(Exception):
    """Not an error: an earlier answer given again for the same Idempotency-Key."""

    def __init__(self, status: int, data):
        self.status, self.data = status, data


def problem(status: int, detail: str, request, errors=(), headers=None, **extra) -> Response:
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": str(detail),
        "request_id": getattr(request, "request_id", ""),
        "errors": list(errors),
        **extra,
    }
    return Response(body, status=status, content_type=CONTENT_TYPE, headers=headers)


def _flatten(detail, path: str = "", index: int | None = None) -> list[dict]:
    """DRF's nested error detail as a flat list of {field, code, message, index?}."""
    if isinstance(detail, dict):
        return [
            row for key, value in detail.items() for row in _flatten(value, f"{path}.{key}" if path else key, index)
        ]
    if isinstance(detail, list) and detail and isinstance(detail[0], dict | list):
        return [row for number, value in enumerate(detail) for row in _flatten(value, path, number)]
    rows = detail if isinstance(detail, list) else [detail]
    made = []
    for row in rows:
        code = row.code if isinstance(row, ErrorDetail) else "invalid"
        field = "" if path == "non_field_errors" else path.removesuffix(".non_field_errors")
        made.append({"field": field, "code": code, "message": str(row)} | ({} if index is None else {"index": index}))
    return made


def problem_response(exc: Exception, context: dict) -> Response | None:
    """DRF's exception handler: every refusal and error becomes a problem document; what is unexpected stays a 500."""
    request = context["request"]._request
    set_rollback()
    if isinstance(exc, Replay):
        return Response(exc.data, status=exc.status, headers={"Idempotent-Replay": "true"})
    if isinstance(exc, Refused):
        errors = [
            {"field": e.field, "code": e.code, "message": e.message} | ({} if e.index is None else {"index": e.index})
            for e in exc.errors
        ]
        headers = {"Retry-After": str(exc.retry_after)} if hasattr(exc, "retry_after") else None
        return problem(exc.status, exc.message, request, errors, headers, **{"code": exc.code, **exc.extra})
    if isinstance(exc, Http404):
        return problem(404, _("Not found."), request)
    if isinstance(exc, PermissionDenied):
        return problem(403, _("Your hats do not allow this."), request)
    if isinstance(exc, ValidationError):
        return problem(400, _("Some fields are not right: see errors."), request, _flatten(exc.detail))
    if isinstance(exc, APIException):
        headers = {}
        if getattr(exc, "auth_header", None):
            headers["WWW-Authenticate"] = exc.auth_header
        if isinstance(exc, Throttled) and exc.wait is not None:
            headers["Retry-After"] = str(int(exc.wait) + 1)
        return problem(exc.status_code, exc.detail, request, headers=headers)
    log.exception("unexpected error (%s)", getattr(request, "request_id", ""))
    return problem(500, _("Something broke on our side; nothing was saved half-way."), request)
