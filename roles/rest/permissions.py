"""The API's default permission: closed unless the person's hats and the token's scopes open it."""

from django.http import Http404
from django.utils import translation
from django.utils.translation import gettext as _
from rest_framework.exceptions import NotAuthenticated, PermissionDenied
from rest_framework.permissions import SAFE_METHODS, BasePermission

from roles import selectors
from roles.permissions import allowed_somewhere


class MemberWithRight(BasePermission):
    """401 without a token, 404 for strangers and foreign companies, 403 for members without the right or the scope."""

    def has_permission(self, request, view):
        if not request.user:
            raise NotAuthenticated
        if not hasattr(view, "read_permission"):
            return True
        view.person = self._person(request)
        if view.person is None:
            raise Http404
        view.company = view.person.company
        request._request.person = view.person
        if view.action is None:  # no such method here: the view answers 405
            return True
        translation.activate(view.company.language)
        scopes = request.auth.scopes if request.auth else None
        if request.method in SAFE_METHODS:
            needed, scope = view.read_permission, "read"
        else:
            needed, scope = view.write_permissions.get(view.action), view.write_scope
        if scopes is not None and scope not in scopes and "admin" not in scopes:
            raise PermissionDenied(_("The token lacks the scope %(scope)s.") % {"scope": scope})
        alternatives = needed if isinstance(needed, tuple) else (needed,)
        if needed is None or not any(allowed_somewhere(view.person.hats, one) for one in alternatives):
            raise PermissionDenied(_("Your hats do not allow this."))
        return True

    def _person(self, request):
        company = request._request.company
        if company is None:
            return None
        if request.auth is None:
            return selectors.get_person(user=request.user, slug=company.slug)
        return request.auth.person if request.auth.company_id == company.pk else None
