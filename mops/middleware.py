"""What happens to every request first: it gets an id for the answer, the log and the error pages, and its query loses NUL."""

import logging
import re
import uuid

log = logging.getLogger("mops.request")
ACCEPTED = re.compile(r"[A-Za-z0-9_-]{8,64}")


def request_id(get_response):
    """The proxy's `X-Request-ID` where it has a sane one, else a new one."""

    def middleware(request):
        given = request.headers.get("X-Request-ID", "")
        request.request_id = given if ACCEPTED.fullmatch(given) else uuid.uuid4().hex
        response = get_response(request)
        response.headers["X-Request-ID"] = request.request_id
        if response.status_code >= 500:
            log.error("%s %s → %s (%s)", request.method, request.path, response.status_code, request.request_id)
        return response

    return middleware


def without_nul(get_response):
    """Takes NUL out of the query: PostgreSQL holds none in its texts, so looking one up would break, not find nothing."""

    def middleware(request):
        request.META["QUERY_STRING"] = request.META.get("QUERY_STRING", "").replace("%00", "").replace("\0", "")
        return get_response(request)

    return middleware
