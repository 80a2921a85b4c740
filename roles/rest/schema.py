"""OpenAPI of every operation: problem+json errors and the two headers of writes are described in one place."""

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from roles.rest.problems import CONTENT_TYPE, Problem

ERRORS = {"get": (401, 403, 404, 429), "write": (400, 401, 403, 404, 409, 412, 422, 429)}


class OperationSchema(AutoSchema):
    def get_override_parameters(self):
        parameters = super().get_override_parameters()
        if self.method not in {"POST", "PATCH", "PUT", "DELETE"}:
            return parameters
        key = OpenApiParameter(
            "Idempotency-Key",
            str,
            OpenApiParameter.HEADER,
            description="Same key and body: same answer, one effect; kept 24 h.",
        )
        return [*parameters, key]

    def _get_response_bodies(self, direction="response"):
        bodies = super()._get_response_bodies(direction)
        for status in ERRORS["get" if self.method == "GET" else "write"]:
            bodies.setdefault(str(status), self._get_response_for_code(Problem, str(status), [CONTENT_TYPE], direction))
        return bodies
