"""Humane error pages with the request's id. The API answers problem+json by itself; unknown API paths do so here."""

from http import HTTPStatus

from django.http import JsonResponse
from django.shortcuts import render
from django.utils.translation import gettext as _


def _answer(request, status: int, title: str, advice: str):
    if request.path_info.startswith("/api/"):
        body = {"type": "about:blank", "title": HTTPStatus(status).phrase, "status": status, "detail": title,
                "request_id": getattr(request, "request_id", ""), "errors": []}  # fmt: skip
        return JsonResponse(body, status=status, content_type="application/problem+json")
    return render(request, "error.html", {"status": status, "title": title, "advice": advice}, status=status)


def bad_request(request, exception=None):
    return _answer(request, 400, _("The request could not be read"), _("Go back, check what you sent and try again."))


def forbidden(request, exception=None):
    right = str(exception or "")
    advice = _("Your hats do not allow this: %(right)s. Ask the project manager or the owner.") % {"right": right}
    return _answer(
        request, 403, _("This is not yours to open"), advice if right else _("Ask the project manager or the owner.")
    )


def not_found(request, exception=None):
    return _answer(request, 404, _("There is no such page"), _("Check the address, or go to the first page."))


def server_error(request):
    return _answer(
        request,
        500,
        _("Something broke on our side"),
        _("Nothing you typed was saved half-way. Try again; if it repeats, send us the number below."),
    )


def csrf_failure(request, reason=""):
    return _answer(
        request,
        403,
        _("The page was open for too long"),
        _("Go back, reload the page and send the form again: what you typed is still there."),
    )
