"""CompanyViewSet: the base of every API view inside a company. It closes by default and keeps the viewsets thin."""

from django.core.exceptions import PermissionDenied
from django.http import Http404
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.permissions import SAFE_METHODS
from rest_framework.viewsets import GenericViewSet

from roles.permissions import Permission
from roles.refusals import Stale
from roles.rest.idempotency import run_once


class CompanyViewSet(GenericViewSet):
    """Sets `self.company` and `self.person`; writes honour Idempotency-Key; `check_etag` honours If-Match.

    `read_permission` opens reads; `write_permissions` maps an action's name to its permission, or to a tuple of which
    any opens it (an action that is not named is refused); `write_scope` is the token scope that writes need. A right on
    some channel opens the action: the service asks about the object itself.
    """

    read_permission = Permission.READ
    write_permissions: dict[str, Permission | tuple[Permission, ...]] = {}
    write_scope = "admin"
    filter_backends = ()  # a view with a filterset names django-filter's backend itself
    company = person = None

    def dispatch(self, request, *args, **kwargs):
        """DRF's own dispatch with one addition: the handler of a write runs under its Idempotency-Key."""
        self.args, self.kwargs = args, kwargs
        request = self.request = self.initialize_request(request, *args, **kwargs)
        self.headers = self.default_response_headers
        try:
            self.initial(request, *args, **kwargs)
            handler = getattr(self, request.method.lower(), self.http_method_not_allowed)
            if request.method in SAFE_METHODS:
                response = handler(request, *args, **kwargs)
            else:
                response = run_once(self, request, lambda: handler(request, *args, **kwargs))
        except Exception as exc:
            response = self.handle_exception(exc)
        self.response = self.finalize_response(request, response, *args, **kwargs)
        return self.response

    def found(self, obj):
        """The object, or 404 where the selector found none: the same for missing and foreign ones."""
        if obj is None:
            raise Http404
        return obj

    def require(self, permission: Permission) -> None:
        """403 without the right on the whole company: a right on some channels opens no page about all of them."""
        if not self.person.can(permission):
            raise PermissionDenied

    def _acting(self) -> dict:
        """Who does it and when: what services take first."""
        return {"company": self.company, "by": self.person, "at": timezone.now()}

    @staticmethod
    def etag(version: int | str) -> str:
        return f'"{version}"'

    def check_etag(self, version: int | str) -> None:
        """412 when the caller's If-Match names another version of the object."""
        given = self.request.headers.get("If-Match")
        if given and given != "*" and given != self.etag(version):
            raise Stale(_("Somebody changed it meanwhile. Read it again and repeat your change."))
